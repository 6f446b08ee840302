#include "records/verify.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "tests/records/tampered_copy.h"

namespace trialward::records {
namespace {

using store::why;

const std::vector<std::string> kTables = {
    "alert_causes",   "alert_details",   "alert_events", "alert_heads",       "alert_states",
    "alerts",         "audit",           "definitions",  "delivery_outcomes", "meta",
    "open_alerts",    "outbox",          "outbox_counts", "records",          "shards",
    "studies",        "subject_dues",    "subject_passes", "subject_states",  "subject_watches",
    "subjects",       "token_revocations", "tokens"};
// Nothing in them is of use for long, or the sample has none: see storm_check_test.cc and
// subscription_check_test.cc.
const std::vector<std::string> kOtherTables = {
    "alert_storms",       "appointments",        "boots",
    "subscription_marks", "subscription_states", "subscriptions"};

// Whether the message begins with the name, and the name's number ends there.
bool names(const std::string& bad, const std::string& name) {
  return bad.starts_with(name) && (bad.size() == name.size() ||
                                   std::isdigit(static_cast<unsigned char>(bad[name.size()])) == 0);
}

class VerifyTest : public SampleTest, public ::testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(EveryTable, VerifyTest, ::testing::ValuesIn(kTables),
                         [](const auto& table) { return table.param; });

TEST_F(VerifyTest, EveryTableOfTheSchemaIsTampered) {
  Copy copy(sample().late());
  std::vector<std::string> tables = all_table_names(copy.connection());
  // Attempts that failed are not audited, and are cleaned up; how far subjects are in step with a
  // partner is looked up again.
  const std::set<std::string> others = {"commit_marks",        "outbox_attempts", "schedule_sync",
                                        "schedule_sync_marks", "schema_versions", "sqlite_sequence",
                                        "write_turn"};
  std::erase_if(tables, [&](const std::string& table) { return others.contains(table); });
  std::vector<std::string> all = kTables;
  if (on_postgres()) *std::find(all.begin(), all.end(), "shards") = "chain_ends";
  all.insert(all.end(), kOtherTables.begin(), kOtherTables.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(tables, all);
}

TEST_F(VerifyTest, AnUntouchedStoreIsRight) {
  Copy copy(sample().late());
  auto heads = HeadReader::open(sample().heads(), sample().key());
  ASSERT_TRUE(heads.ok()) << why(heads);
  auto report = verify(copy.connection(), {.load_monitor = load_hundred, .heads = heads->get()});
  ASSERT_TRUE(report.ok()) << why(report);
  EXPECT_EQ(report->bad.value_or(""), "");
  using Rows = std::array<std::int64_t, store::kTables>;
  EXPECT_EQ(report->rows, (Rows{2, 3, 6, 12, 5, 8, 3, 2, 8, 2, 1, 0}));
  EXPECT_EQ(report->entries, 52);
  EXPECT_EQ(report->heads, 2);
  ASSERT_TRUE(report->newest_head.has_value());
  EXPECT_EQ(report->newest_head->seq, 52);
  EXPECT_EQ(report->newest_head->at, "2025-06-15T15:07:40.000Z");
  EXPECT_EQ(report->store_id, report->newest_head->store_id);
  EXPECT_EQ(report->watches, 6);
  EXPECT_EQ(report->watches_unknown, 0);
}

// Places of the rows of a table that are changed in turn: all, but in PostgreSQL, where each verify
// makes a schema to compare, the last, and one in the middle where each is changed once.
std::vector<std::size_t> changed_rows(const TableShape& shape, bool once) {
  std::vector<std::size_t> places;
  const std::size_t count = shape.rows.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (!on_postgres() || (once && i == count / 2) || i + 1 == count) places.push_back(i);
  }
  return places;
}

#define TRIALWARD_NEEDS_TABLE()                                          \
  if (on_postgres() && GetParam() == "shards") {                         \
    GTEST_SKIP() << "it is a view there: see P8AChangedChainEndIsNamed"; \
  }                                                                      \
  static_assert(true)

TEST_P(VerifyTest, P8AFlippedColumnIsNamed) {
  TRIALWARD_NEEDS_TABLE();
  Copy original(sample().late());
  const TableShape shape = shape_of(original.connection(), GetParam());
  ASSERT_FALSE(shape.rows.empty());
  for (const std::size_t i : changed_rows(shape, false)) {
    const std::string& row = shape.rows[i];
    const std::string expected = expected_name(original.connection(), shape.name, row);
    int flips = 0;
    for (const auto& column : shape.columns) {
      // Since when an alert waits on a clock that only the machine knew: nothing says otherwise.
      if (column[0] == "since_ms") {
        ++flips;
        continue;
      }
      for (const std::string& value : other_values(column)) {
        Copy copy(sample().late());
        const std::string flip = "UPDATE " + shape.name + " SET " + column[0] + " = " + value +
                                 " WHERE " + row + " AND " + column[0] + " IS DISTINCT FROM " +
                                 value;
        if (!copy.change(flip)) continue;
        ++flips;
        // Without heads: the tables alone must show it.
        const std::string bad = copy.verify();
        EXPECT_TRUE(names(bad, expected)) << flip << "\nnamed: " << bad << "\nnot: " << expected;
      }
    }
    EXPECT_GE(flips, std::ssize(shape.columns) - 1) << row;
  }
}

TEST_P(VerifyTest, P8ADeletedRowIsNamed) {
  TRIALWARD_NEEDS_TABLE();
  Copy original(sample().late());
  const TableShape shape = shape_of(original.connection(), GetParam());
  ASSERT_FALSE(shape.rows.empty());
  for (const std::size_t i : changed_rows(shape, true)) {
    const std::string& row = shape.rows[i];
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change("DELETE FROM " + shape.name + " WHERE " + row));
    // What was delivered is cleaned up one day.
    if (shape.name == "outbox" && row == "id = 2") continue;
    const bool tail = shape.name == "audit" && row == shape.rows.back();
    const std::string expected =
        tail ? "the store ends at entry 51: the head signed at 2025-06-15T15:07:40.000Z covers 52: "
               "entry 52 is cut off"
             : expected_name(original.connection(), shape.name, row);
    const std::string bad = copy.verify(sample().heads());
    EXPECT_TRUE(names(bad, expected)) << row << "\nnamed: " << bad << "\nnot: " << expected;
  }
}

// The contents of two rows change places: by their keys, or in a table that is but a key, by the
// last column.
std::string swap_sql(const TableShape& shape, std::size_t first) {
  const std::string& one = shape.rows[first];
  const std::string& two = shape.rows[first + 1];
  const std::string update = "UPDATE " + shape.name + " SET ";
  if (shape.key.size() == 1) {
    const std::string set = update + shape.key[0] + " = ";
    return set + "'-999999' WHERE " + one + ";" + set + shape.first_key[first] + " WHERE " + two +
           ";" + set + shape.first_key[first + 1] + " WHERE " + shape.key[0] + " = '-999999'";
  }
  return update + shape.columns.back()[0] + " = CASE WHEN " + one + " THEN " +
         shape.last[first + 1] + " ELSE " + shape.last[first] + " END WHERE (" + one + ") OR (" +
         two + ")";
}

// Two alerts of which alert_states says the same, but for since_ms.
bool alike(store::Connection& connection, const std::string& one, const std::string& two) {
  const std::string select =
      "SELECT study, severity, state, waits, tier, since_utc_ms, holds, historical, takes_causes, "
      "storm, duplicate_of FROM alert_states WHERE ";
  return texts(connection, select + one) == texts(connection, select + two);
}

TEST_P(VerifyTest, P8TheFirstOfTwoSwappedRowsIsNamed) {
  TRIALWARD_NEEDS_TABLE();
  Copy original(sample().late());
  const TableShape shape = shape_of(original.connection(), GetParam());
  int swaps = 0;
  for (std::size_t i = 0; i + 1 < shape.rows.size(); ++i) {
    // Two causes of one alert that change places are where they were.
    if (shape.name == "alert_causes" &&
        (shape.first_key[i] == shape.first_key[i + 1] || shape.last[i] == shape.last[i + 1])) {
      continue;
    }
    if (shape.name == "alert_states" &&
        alike(original.connection(), shape.rows[i], shape.rows[i + 1])) {
      continue;
    }
    const std::string expected = expected_name(original.connection(), shape.name, shape.rows[i]);
    Copy copy(sample().late());
    const std::string swap = swap_sql(shape, i);
    ASSERT_TRUE(copy.change(swap)) << swap;
    ++swaps;
    const std::string bad = copy.verify();
    EXPECT_TRUE(names(bad, expected)) << swap << "\nnamed: " << bad << "\nnot: " << expected;
  }
  EXPECT_EQ(swaps == 0, shape.rows.size() == 1);
}

// "INSERT INTO t" of a copy of row 1 in which some columns are replaced.
std::string insert_like_first(store::Table table,
                              const std::vector<std::pair<std::string, std::string>>& replaced) {
  std::string columns = " " + std::string(store::info(table).columns) + ",";
  for (const auto& [name, value] : replaced) {
    const std::size_t at = columns.find(" " + name + ",");
    TW_CHECK(at != std::string::npos);
    columns.replace(at + 1, name.size(), value);
  }
  columns.pop_back();
  return "INSERT INTO " + std::string(store::info(table).name) + " SELECT" + columns + " FROM " +
         std::string(store::info(table).name) + " WHERE id = 1";
}

TEST_F(VerifyTest, P8AnInsertedRowIsNamed) {
  using enum store::Table;
  const std::string zeros = on_postgres() ? "decode(repeat('00', 32), 'hex')" : "zeroblob(32)";
  const std::string audit = "'t', 'a.b', 'records', 13, NULL, " + zeros + ")";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"INSERT INTO studies VALUES (3, 'new')", "study 3 'new': no audit entry names this row"},
      {"INSERT INTO studies VALUES (0, 'new')", "study 0 'new': no audit entry names this row"},
      {"INSERT INTO studies VALUES (-7, 'new')", "study -7 'new': no audit entry names this row"},
      {insert_like_first(definitions, {{"id", "4"}, {"hash", "'x'"}}), "definition 4: no audit"},
      {insert_like_first(subjects, {{"id", "9"}, {"subject", "'P-9'"}}), "subject 9 'P-9': no aud"},
      {insert_like_first(records, {{"id", "13"}, {"source_id", "'A-13'"}}),
       "record 13 'lab-feed' 'A-13': no audit entry names this row"},
      {insert_like_first(alerts, {{"id", "6"}}), "alert 6 'hundred': no audit entry"},
      {insert_like_first(alert_events, {{"id", "9"}, {"number", "99"}}), "alert event 9: no audit"},
      {insert_like_first(tokens, {{"id", "4"}, {"hash", zeros}}), "token 4 'lost': no aud"},
      {"INSERT INTO token_revocations VALUES (3, 3, 1)", "revocation of a token 3: no audit entry"},
      {"INSERT INTO audit VALUES (53, 0, 1, 1, " + audit, "audit entry 53 (shard 0, position 1,"},
      {"INSERT INTO audit VALUES (61, 0, 1, 1, " + audit, "audit entry 53: it is missing"},
      {"INSERT INTO audit VALUES (0, 0, 1, 1, " + audit, "audit entry 0: entries are numbered"},
      {"INSERT INTO audit VALUES (-3, 0, 1, 1, " + audit, "audit entry -3: entries are numbered"},
      {"INSERT INTO meta VALUES ('owner', 'me')", "meta: there is no such key: 'owner'"},
      {"INSERT INTO shards VALUES (256, 1, " + zeros + ")", "the end of audit chain 256: there is"},
      {"INSERT INTO shards VALUES (-1, 1, " + zeros + ")",
       "the end of audit chain -1: there is no"},
      {"INSERT INTO subject_states VALUES (7, 0)", "the state of subject 7: no such"},
      {"INSERT INTO subject_states VALUES (0, 0)", "the state of subject 0: no such"},
      {"INSERT INTO alert_heads VALUES (3, 1)", "the last alert event of study 3: alert_heads"},
      {"INSERT INTO alert_heads VALUES (3, 0)", "the last alert event of study 3: alert_heads"},
      {"INSERT INTO subject_dues VALUES (7, 2, 'rules of trial 2', 1)",
       "the state of subject 7: no such"},
      {"INSERT INTO appointments VALUES (1, 1, 1, 'WK2', 1, 0, 'booked', 1, 1, 'p', '1', NULL)",
       "appointment 1 'WK2' 'booked': no aud"},
      {insert_like_first(subject_passes, {{"id", "2"}}), "passing of time for a subject 2: no aud"},
      {"INSERT INTO alert_causes VALUES (2, 1, 0)", "alert 2: alert_causes names record 1, but no"},
      {"INSERT INTO alert_causes VALUES (2, 99, 0)",
       "alert 2: alert_causes names record 99, but no"},
      {"INSERT INTO alert_causes VALUES (6, 1, 0)", "alert_causes, alert 6, record 1: there is no"},
      {"INSERT INTO alert_causes VALUES (0, 1, 0)", "alert_causes, alert 0, record 1: there is no"},
      {"INSERT INTO open_alerts VALUES (1, 'hundred', 'AST', 0, 1)",
       "open_alerts, alert 1: it is not"},
      {"INSERT INTO open_alerts VALUES (1, 'hundred', 'AST', 0, 9)",
       "open_alerts, alert 9: it is not"},
      {"DELETE FROM open_alerts WHERE subject = 4; "
       "INSERT INTO open_alerts VALUES (4, 'hundred', 'ALT', 0, 2)",
       "alert 2: it is acknowledged, but is in open_alerts"},
  };
  for (const auto& [sql, expected] : cases) {
    // In PostgreSQL there is no room for other chains.
    if (on_postgres() && sql.starts_with("INSERT INTO shards")) continue;
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change(sql)) << sql;
    EXPECT_TRUE(copy.verify().starts_with(expected)) << sql << "\n" << copy.verify();
  }
}

// PostgreSQL has the ends of 16 chains in a row.
TEST_F(VerifyTest, P8AChangedChainEndIsNamed) {
  if (!on_postgres()) GTEST_SKIP() << "it is about PostgreSQL's rows; shards is a table here";
  Copy original(sample().late());
  const auto shards = texts(original.connection(), "SELECT shard FROM shards ORDER BY shard");
  ASSERT_GE(shards.size(), 4u);
  for (const auto& row : shards) {
    const int shard = std::stoi(row.at(0));
    const std::string name = "the end of audit chain " + row.at(0);
    const std::string where = " WHERE part = " + std::to_string(shard / 16);
    const int first = shard % 16 * 40;
    // Its position is in the first 8 bytes, its hash in the next 32.
    for (const int byte : {first, first + 7, first + 8, first + 39}) {
      const std::string at = std::to_string(byte);
      Copy copy(sample().late());
      ASSERT_TRUE(copy.change("UPDATE chain_ends SET heads = set_byte(heads, " + at +
                              ", get_byte(heads, " + at + ") # 1)" + where));
      EXPECT_TRUE(names(copy.verify(), name)) << byte << ' ' << copy.verify();
    }
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change("DELETE FROM chain_ends" + where));
    EXPECT_TRUE(copy.verify().starts_with("the end of audit chain ")) << copy.verify();
  }
}

TEST_F(VerifyTest, P8AChangedSchemaIsNamed) {
  using Cases = std::vector<std::pair<std::string, std::string>>;
  const Cases sqlite = {
      {"DROP INDEX records_source", "the schema: index 'records_source' is missing"},
      {"DROP TABLE shards", "the schema: table 'shards' is missing"},
      {"DROP TABLE meta", "the schema: table 'meta' is missing"},
      {"DROP INDEX records_source; CREATE INDEX records_source ON records (study, source)",
       "the schema: index 'records_source' is not as it was made"},
      {"ALTER TABLE tokens ADD COLUMN note TEXT",
       "the schema: table 'tokens' is not as it was made"},
      {"CREATE TRIGGER tidy AFTER INSERT ON records BEGIN UPDATE records SET number = 1; END",
       "the schema: trigger 'tidy' on 'records' is none of a store's"},
      {"CREATE INDEX quick ON records (code)",
       "the schema: index 'quick' on 'records' is none of a store's"},
      {"CREATE VIEW v AS SELECT 1", "the schema: view 'v' is none of a store's"},
      {"CREATE TABLE notes (id INTEGER)", "the schema: table 'notes' is none of a store's"},
      {"ANALYZE", ""},
      {"VACUUM", ""},
  };
  const Cases postgres = {
      {"DROP INDEX records_source", "the schema: index 'records_source' is missing"},
      {"DROP VIEW shards", "the schema: view 'shards' is missing"},
      {"DROP TABLE alert_heads", "the schema: constraint 'alert_heads_pkey' is missing"},
      {"DROP INDEX records_source; CREATE INDEX records_source ON records (study, source)",
       "the schema: index 'records_source' is not as it was made"},
      {"ALTER TABLE tokens ADD COLUMN note TEXT",
       "the schema: table 'tokens' is not as it was made"},
      {"ALTER TABLE alert_heads DROP CONSTRAINT alert_heads_pkey",
       "the schema: constraint 'alert_heads_pkey' is missing"},
      {"ALTER TABLE records ALTER COLUMN unit TYPE text COLLATE \"default\"",
       "the schema: table 'records' is not as it was made"},
      {"CREATE TRIGGER tidy BEFORE UPDATE ON records FOR EACH ROW "
       "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
       "the schema: trigger 'tidy' on 'records' is none of a store's"},
      {"CREATE RULE tidy AS ON INSERT TO records DO INSTEAD NOTHING",
       "the schema: rule 'tidy' on 'records' is none of a store's"},
      {"CREATE OR REPLACE VIEW shards AS SELECT 0::bigint AS shard, 1::bigint AS position, "
       "''::bytea AS hash",
       "the schema: view 'shards' is not as it was made"},
      {"CREATE INDEX quick ON records (code)",
       "the schema: index 'quick' on 'records' is none of a store's"},
      {"CREATE VIEW v AS SELECT 1", "the schema: view 'v' is none of a store's"},
      {"CREATE TABLE notes (id INTEGER)", "the schema: table 'notes' is none of a store's"},
      {"ANALYZE records", ""},
  };
  for (const auto& [sql, expected] : on_postgres() ? postgres : sqlite) {
    Copy copy(sample().late());
    const auto done = copy.connection().script(sql);
    ASSERT_TRUE(done.ok()) << sql << why(done);
    EXPECT_EQ(copy.verify(), expected) << sql;
  }
}

TEST_F(VerifyTest, AnotherSchemaVersionIsNamed) {
  Copy copy(sample().late());
  ASSERT_TRUE(copy.connection()
                  .script(on_postgres() ? "INSERT INTO schema_versions VALUES (11)"
                                        : "PRAGMA user_version = 11")
                  .ok());
  const int newest = store::newest_schema(copy.connection());
  EXPECT_EQ(copy.verify(), "the schema: it has version 11, not " + std::to_string(newest));
}

// Changes the file's bytes where SQL does not reach: a value also stands in indexes.
TEST_F(VerifyTest, P8AFlippedByteInAnIndexIsFound) {
  TRIALWARD_SQLITE_ONLY();
  std::ifstream file(sample().late(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string needle = "lab-feedA-7";
  int in_record = 0, in_index = 0;
  for (std::size_t at = bytes.find(needle); at != std::string::npos;
       at = bytes.find(needle, at + 1)) {
    std::string changed = bytes;
    changed[at] = 'L';
    const TemporaryFolder folder;
    std::ofstream(folder.file("flipped.db"), std::ios::binary) << changed;
    const std::string bad = Copy(folder.file("flipped.db")).verify();
    if (bad.starts_with("audit entry")) ++in_record;
    if (bad.starts_with("the database file: ")) ++in_index;
  }
  EXPECT_EQ(in_record, 1);
  EXPECT_EQ(in_index, 1);
}

TEST_F(VerifyTest, ADamagedPageIsABadEntryAndNotAnAnswerThatCannotBeGiven) {
  TRIALWARD_SQLITE_ONLY();
  Copy original(sample().late());
  const std::int64_t root = std::stoll(
      texts(original.connection(), "SELECT rootpage FROM sqlite_master WHERE name = 'records'")
          .at(0)
          .at(0));
  std::ifstream file(sample().late(), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  constexpr std::size_t kPageBytes = 4096;
  bytes.replace(static_cast<std::size_t>(root - 1) * kPageBytes, kPageBytes, kPageBytes, '\0');
  const TemporaryFolder folder;
  std::ofstream(folder.file("zero.db"), std::ios::binary) << bytes;
  EXPECT_NE(Copy(folder.file("zero.db")).verify(), "");
}

TEST_F(VerifyTest, ItStopsWhenItIsCancelled) {
  Copy copy(sample().late());
  int steps = 0;
  VerifyOptions options{.load_monitor = load_hundred};
  options.progress = [&](const VerifyProgress&) {
    if (++steps == 2) options.cancel.fire(runtime::CancelReason::requested);
  };
  auto report = verify(copy.connection(), options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, base::Errc::cancelled);
  EXPECT_EQ(steps, 2);
}

TEST_F(VerifyTest, ProgressSaysWhatIsReadAndHowFarItIs) {
  Copy copy(sample().late());
  std::vector<std::string> steps;
  VerifyOptions options{.load_monitor = load_hundred};
  options.progress = [&](const VerifyProgress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (steps.empty() || steps.back() != progress.step) steps.emplace_back(progress.step);
  };
  ASSERT_TRUE(verify(copy.connection(), options).ok());
  EXPECT_EQ(steps, (std::vector<std::string>{"audit trail", "file and indexes", "alerts", "outbox",
                                             "subjects"}));
}

// A server goes on writing and signing between any two pages that verify reads.
TEST_F(VerifyTest, AStoreThatIsWrittenMeanwhileIsRight) {
  StorePlace place;
  SampleWriter writer(place.store());
  const std::string& path = writer.store().beside();
  writer.use_study("trial", "1");
  for (int i = 0; i < 3; ++i) writer.add("P-" + std::to_string(i), 99 + i);
  auto reader = writer.store().open_reader();
  ASSERT_TRUE(reader.ok());
  auto signer = HeadSigner::open(path);
  ASSERT_TRUE(signer.ok()) << why(signer);
  ASSERT_TRUE((*signer)->sign_now(**reader, kNow).ok());
  auto key = read_public_key(public_key_path(path));
  ASSERT_TRUE(key.ok());
  auto heads = HeadReader::open(heads_path(path), *key);
  ASSERT_TRUE(heads.ok());

  auto head_reader = writer.store().open_reader();
  ASSERT_TRUE(head_reader.ok());
  int steps = 0;
  const auto progress = [&](const VerifyProgress&) {
    ++steps;
    writer.add("P-" + std::to_string(steps % 5), 100 + steps);
    if (steps % 2 == 0) writer.acknowledge(steps / 2);
    ASSERT_TRUE((*signer)->sign_now(**head_reader, kNow + steps).ok());
  };
  auto report =
      verify(**reader, {.load_monitor = load_hundred, .heads = heads->get(), .progress = progress});
  ASSERT_TRUE(report.ok()) << why(report);
  EXPECT_EQ(report->bad.value_or(""), "");
  EXPECT_GE(steps, 6);
  EXPECT_EQ(report->heads, 1);
}

}  // namespace
}  // namespace trialward::records
