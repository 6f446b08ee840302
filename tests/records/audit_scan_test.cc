#include "records/audit_scan.h"

#include "tests/records/tampered_copy.h"

namespace trialward::records {
namespace {

class AuditScanTest : public SampleTest {
 protected:
  // A file with the first `lines` of the sample's heads.
  std::string heads(int lines) {
    std::ifstream from(SampleStore::get().heads());
    std::ofstream to(folder_.file("heads"));
    for (std::string line; lines > 0 && std::getline(from, line); --lines) to << line << '\n';
    return folder_.file("heads");
  }

  TemporaryFolder folder_;
};

// The store as it was before is what the best of forgers ends with who cuts off the tail: rows,
// audit entries and caches all fit together.
TEST_F(AuditScanTest, P8ACutTailShowsAgainstTheNewestHead) {
  Copy copy(sample().early());
  EXPECT_EQ(copy.verify(sample().heads()),
            "the store ends at entry 26: the head signed at 2025-06-15T15:07:40.000Z covers 52: "
            "entries 27 to 52 are cut off");
}

TEST_F(AuditScanTest, WithoutTheNewestHeadACutTailCannotBeSeen) {
  Copy copy(sample().early());
  EXPECT_EQ(copy.verify(), "");
  EXPECT_EQ(copy.verify(heads(1)), "");
}

TEST_F(AuditScanTest, P8EntriesCutOffAloneLeaveTheirRows) {
  Copy copy(sample().late());
  ASSERT_TRUE(copy.change("DELETE FROM audit WHERE seq > 30"));
  EXPECT_TRUE(copy.verify().ends_with(": no audit entry names this row")) << copy.verify();
  EXPECT_TRUE(copy.verify(sample().heads()).ends_with("entries 31 to 52 are cut off"));
}

TEST_F(AuditScanTest, P8AnEmptiedStoreIsNotANewOne) {
  Copy copy(sample().late());
  for (const std::string& table : all_table_names(copy.connection())) {
    if (table == "meta") continue;
    // The sample delivers nothing, and has no storm.
    const auto rows = copy.connection().integer("SELECT count(*) FROM " + table);
    if (rows.ok() && *rows == 0) continue;
    // Nor are these of what it stores.
    if (table == "sqlite_sequence" || table == "schema_versions" || table == "write_turn") continue;
    ASSERT_TRUE(copy.change("DELETE FROM " + table));
  }
  EXPECT_EQ(copy.verify(), "");
  EXPECT_TRUE(copy.verify(sample().heads()).ends_with("entries 1 to 52 are cut off"));
}

TEST_F(AuditScanTest, P8AnotherStoreUnderTheNameIsNamed) {
  Copy copy(sample().late());
  ASSERT_TRUE(copy.change("UPDATE meta SET value = '" + std::string(32, 'a') + "'"));
  EXPECT_TRUE(
      copy.verify(sample().heads()).starts_with("line 1 of the signed heads: it is of the"));
}

// Computes every hash anew, as who knows the format can.
void rewrite_chains(store::Connection& connection) {
  store::ChainHeads chains{};
  for (const auto& entry : texts(connection,
                                 "SELECT seq, shard, position, at_ms, actor, action, object_table, "
                                 "object, coalesce(reason, '') FROM audit ORDER BY seq")) {
    const std::string& table = entry[6];
    std::size_t known = 0;
    while (store::info(store::all_tables()[known]).name != table) ++known;
    auto row = connection.query(store::info(store::all_tables()[known]).select,
                                {std::int64_t{std::stoll(entry[7])}});
    ASSERT_TRUE(row.ok() && row->next().value());
    std::vector<store::SqlValue> values;
    for (int i = 0; i < row->columns(); ++i) values.push_back(row->value(i));
    auto& chain = chains[std::stoul(entry[1])];
    chain.hash = store::chain(chain.hash,
                              {.seq = std::stoll(entry[0]),
                               .shard = std::stoi(entry[1]),
                               .position = std::stoll(entry[2]),
                               .at_ms = std::stoll(entry[3]),
                               .actor = entry[4],
                               .action = entry[5],
                               .object_table = table,
                               .object = std::stoll(entry[7]),
                               .reason = entry[8]},
                              values);
    const store::Blob hash{base::as_bytes(chain.hash)};
    ASSERT_TRUE(connection
                    .execute("UPDATE audit SET hash = $1 WHERE seq = $2",
                             {hash, std::int64_t{std::stoll(entry[0])}})
                    .ok());
    ASSERT_TRUE(connection
                    .execute(on_postgres()
                                 ? "UPDATE chain_ends SET heads = overlay(heads PLACING $1 FROM "
                                   "($2::bigint % 16 * 40 + 9)::int FOR 32) WHERE part = $2 / 16"
                                 : "UPDATE shards SET hash = $1 WHERE shard = $2",
                             {hash, std::int64_t{std::stoll(entry[1])}})
                    .ok());
  }
}

TEST_F(AuditScanTest, P8RewrittenHistoryShowsAgainstTheFirstHeadThatCoversIt) {
  const std::pair<std::int64_t, std::string> cases[] = {
      {1,
       "audit entries 1 to 26: they are not those that the head of 2025-06-15T15:06:40.000Z signed "
       "(line 1 of the signed heads)"},
      {12,
       "audit entries 27 to 52: they are not those that the head of 2025-06-15T15:07:40.000Z "
       "signed "
       "(line 2 of the signed heads)"},
  };
  for (const auto& [record, expected] : cases) {
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change("UPDATE records SET unit = 'mg' WHERE id = " + std::to_string(record)));
    rewrite_chains(copy.connection());
    EXPECT_EQ(copy.verify(), "");  // nothing else can show it
    EXPECT_EQ(copy.verify(sample().heads()), expected);
  }
}

// Rows that a forger has hashed anew, but that the program would not have written so.
TEST_F(AuditScanTest, WhatTheHashDoesNotTellIsCheckedBesides) {
  const std::pair<std::string, std::string> cases[] = {
      {"UPDATE records SET shard = 3 WHERE id = 4", "the record says that it is at shard 3, pos"},
      {"UPDATE records SET position = 9 WHERE id = 4", "the record says that it is at shard "},
      {"UPDATE records SET previous = 1 WHERE id = 5", "the record follows record 1, but its sub"},
      {"UPDATE records SET subject = 99 WHERE id = 5", "subject 99 was not enrolled before"},
      {"UPDATE alert_events SET number = 9 WHERE id = 3", "the event has the number 9 in its stu"},
  };
  for (const auto& [sql, expected] : cases) {
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change(sql));
    rewrite_chains(copy.connection());
    const std::string bad = copy.verify();
    EXPECT_NE(bad.find("): " + expected), std::string::npos) << sql << "\n" << bad;
  }
}

TEST_F(AuditScanTest, ReadsInPages) {
  StorePlace place;
  SampleWriter writer(place.store());
  writer.use_study("trial", "1");
  store::Connection& connection = writer.store().writer().connection();
  if (!on_postgres()) {
    ASSERT_TRUE(connection.script("PRAGMA synchronous=OFF").ok());
  }
  while (writer.store().writer().last_seq() <= AuditScan::kEntriesPerPage) writer.add("P-1", 1);
  const std::int64_t last = writer.store().writer().last_seq();
  AuditScan scan(connection, nullptr, "");
  ASSERT_TRUE(scan.read_page(last).ok());
  EXPECT_EQ(scan.seq(), AuditScan::kEntriesPerPage);
  ASSERT_TRUE(scan.read_page(last).ok());
  EXPECT_EQ(scan.seq(), last);
  EXPECT_EQ(scan.last_records(), std::vector<std::int64_t>{last - 3});
}

}  // namespace
}  // namespace trialward::records
