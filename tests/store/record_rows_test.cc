#include "store/record_rows.h"

#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using model::Record;
using model::StoredRecord;

class RecordRowsTest : public StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    commit([&] {
      for (const char* name : {"P-1", "P-2"}) {
        ASSERT_TRUE(append_subject(writer(), {.study = 1, .subject = name, .site = "A"},
                                   {.actor = "t", .action = "subject.enrolled"})
                        .ok());
      }
    });
  }

  // The least that a record can be.
  StoredRecord plain(const std::string& source_id, std::int64_t subject = 1) {
    StoredRecord stored;
    stored.id = writer().next_id(Table::records);
    stored.record.source = "lab";
    stored.record.source_id = source_id;
    stored.record.subject = subject == 1 ? "P-1" : "P-2";
    stored.record.site = "A";
    stored.record.code = "ALT";
    stored.actor = "feed";
    stored.definition = 1;
    stored.position = writer().next_position(0);
    return stored;
  }

  base::Status try_append(const StoredRecord& stored, RecordLinks links) {
    if (links.study == 0) links.study = 1;
    if (links.subject == 0) links.subject = 1;
    return written(append_record(writer(), stored, links), "records");
  }
  void append(const StoredRecord& stored, const RecordLinks& links = {}) {
    commit([&] {
      const auto done = try_append(stored, links);
      ASSERT_TRUE(done.ok()) << why(done);
    });
  }
  RecordRow read(std::int64_t id) {
    auto row = read_record(connection(), id);
    TW_CHECK(row.ok() && row->has_value());
    return **row;
  }
};

void expect_equal(const Record& a, const Record& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.source_id, b.source_id);
  EXPECT_EQ(a.subject, b.subject);
  EXPECT_EQ(a.site, b.site);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.code, b.code);
  EXPECT_EQ(a.system, b.system);
  EXPECT_EQ(a.value.number, b.value.number);
  EXPECT_EQ(a.value.number_text, b.value.number_text);
  EXPECT_EQ(a.value.text, b.value.text);
  EXPECT_EQ(a.value.not_done, b.value.not_done);
  EXPECT_EQ(a.unit, b.unit);
  EXPECT_EQ(a.range.low, b.range.low);
  EXPECT_EQ(a.range.high, b.range.high);
  EXPECT_EQ(a.range.low_text, b.range.low_text);
  EXPECT_EQ(a.range.high_text, b.range.high_text);
  EXPECT_EQ(a.effective, b.effective);
  EXPECT_EQ(a.device_ms, b.device_ms);
  EXPECT_EQ(a.sent_ms, b.sent_ms);
  EXPECT_EQ(a.author, b.author);
  EXPECT_EQ(a.visit, b.visit);
  EXPECT_EQ(a.baseline, b.baseline);
  EXPECT_EQ(a.serious, b.serious);
  EXPECT_EQ(a.severity, b.severity);
  EXPECT_EQ(a.attributes, b.attributes);
  EXPECT_EQ(a.amends, b.amends);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.original, b.original);
}

void expect_equal(const StoredRecord& a, const StoredRecord& b) {
  EXPECT_EQ(a.id, b.id);
  expect_equal(a.record, b.record);
  EXPECT_EQ(a.flags, b.flags);
  ASSERT_EQ(a.interval.has_value(), b.interval.has_value());
  if (a.interval) {
    EXPECT_EQ(a.interval->from_ms, b.interval->from_ms);
    EXPECT_EQ(a.interval->until_ms, b.interval->until_ms);
  }
  EXPECT_EQ(a.received_ms, b.received_ms);
  EXPECT_EQ(a.actor, b.actor);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.definition, b.definition);
  EXPECT_EQ(a.shard, b.shard);
  EXPECT_EQ(a.position, b.position);
}

TEST_F(RecordRowsTest, EveryFieldOfAFullRecordComesBack) {
  append(plain("first"));
  StoredRecord stored = plain("full");
  Record& record = stored.record;
  record.kind = model::Kind::adverse_event;
  record.system = "urn:codes";
  record.value = {.number = 34.5, .number_text = "34.50", .text = "as \"seen\"\n", .not_done = "n"};
  record.unit = "µg/L";
  record.range = {.low = 0.5, .high = 40, .low_text = "0.50", .high_text = "4e1"};
  record.effective = "2024-03";
  record.device_ms = 0;
  record.sent_ms = -86'400'000;
  record.author = "Dr. Ä";
  record.visit = "WEEK 2";
  record.baseline = true;
  record.serious = false;
  record.severity = "MILD";
  record.attributes = {{"a", ""}, {"quote\"", "line\nbreak"}, {"ü", "ß"}};
  record.amends = 1;
  record.reason = "a typing error";
  record.original = std::string("{\"x\":\0}", 8);
  stored.flags = model::kImplausible | model::kPart;  // beyond eight bits
  stored.interval = model::Interval{1709251200000, 1711929600000};
  stored.received_ms = 1'750'000'000'000;
  stored.version = 2;
  stored.definition = 3;
  stored.shard = 255;
  stored.position = writer().next_position(255);
  base::Digest content{};
  content[0] = 7;
  append(stored, {.study = 4, .previous = 1, .content = content});
  const RecordRow row = read(2);
  expect_equal(row.stored, stored);
  EXPECT_EQ(row.links.study, 4);
  EXPECT_EQ(row.links.subject, 1);
  EXPECT_EQ(row.links.previous, 1);
  EXPECT_EQ(row.links.content, content);
}

TEST_F(RecordRowsTest, EveryFieldOfAPlainRecordComesBackEmpty) {
  const StoredRecord stored = plain("plain");
  append(stored);
  const RecordRow row = read(1);
  expect_equal(row.stored, stored);
  EXPECT_EQ(row.links.previous, 0);
}

TEST_F(RecordRowsTest, EveryKindComesBack) {
  for (std::size_t kind = 0; kind < model::kKinds; ++kind) {
    StoredRecord stored = plain(std::to_string(kind));
    stored.record.kind = static_cast<model::Kind>(kind);
    append(stored);
    EXPECT_EQ(read(stored.id).stored.record.kind, stored.record.kind);
  }
}

TEST_F(RecordRowsTest, NumbersComeBackToTheBit) {
  for (const double number : {0.0, 1.0, -1.0, 0.1, 1e-300, 1.7976931348623157e308, 5e-324,
                              9007199254740993.0, -9.223372036854775808e18}) {
    StoredRecord stored = plain(std::to_string(writer().next_id(Table::records)));
    stored.record.value.number = number;
    append(stored);
    EXPECT_EQ(read(stored.id).stored.record.value.number, number);
  }
}

// What SQLite makes of a number must not look like a change of it (P8).
TEST_F(RecordRowsTest, P8TheHashHoldsForTheRowAsItIsReadBack) {
  for (const double number : {-0.0, 0.0, 3.0, 2.5, 1e18, 1e19}) {
    StoredRecord stored = plain(std::to_string(writer().next_id(Table::records)));
    stored.record.value.number = number;
    const std::int64_t seq = writer().last_seq();
    base::Digest previous{};
    if (seq > 0) {
      auto before = connection().query("SELECT hash FROM audit WHERE seq = $1", {seq});
      ASSERT_TRUE(before.ok() && before->next().value());
      std::copy(before->blob(0).begin(), before->blob(0).end(), previous.begin());
    }
    append(stored);
    auto row = connection().query(info(Table::records).select, {stored.id});
    ASSERT_TRUE(row.ok() && row->next().value());
    std::vector<SqlValue> values;
    for (int i = 0; i < row->columns(); ++i) values.push_back(row->value(i));
    const AuditEntry entry{.seq = seq + 1,
                           .position = stored.position,
                           .actor = "feed",
                           .action = "record.stored",
                           .object_table = "records",
                           .object = stored.id};
    auto audit = connection().query("SELECT hash FROM audit WHERE seq = $1", {seq + 1});
    ASSERT_TRUE(audit.ok() && audit->next().value());
    EXPECT_EQ(audit->blob(0), base::as_bytes(chain(previous, entry, values))) << number;
  }
}

TEST_F(RecordRowsTest, P2ASourceIdIsTakenOnceAStudy) {
  append(plain("1"));
  ASSERT_TRUE(writer().begin().ok());
  EXPECT_EQ(try_append(plain("1"), {}).error().code, Errc::conflict);
  begin_anew_on_postgres();
  EXPECT_TRUE(try_append(plain("1"), {.study = 2}).ok());
  StoredRecord other = plain("1");
  other.record.source = "ward";
  EXPECT_TRUE(try_append(other, {}).ok());
  ASSERT_TRUE(writer().commit().ok());
}

TEST_F(RecordRowsTest, ARecordIsAmendedOnce) {
  append(plain("1"));
  EXPECT_EQ(amended_by(connection(), 1).value(), 0);
  StoredRecord amends = plain("2");
  amends.record.amends = 1;
  append(amends);
  EXPECT_EQ(amended_by(connection(), 1).value(), 2);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE action = 'record.corrected'"), 1);
  ASSERT_TRUE(writer().begin().ok());
  StoredRecord again = plain("3");
  again.record.amends = 1;
  EXPECT_EQ(try_append(again, {}).error().code, Errc::conflict);
  writer().rollback();
}

TEST_F(RecordRowsTest, TheFirstVersionIsFoundFromAny) {
  append(plain("1"));
  append(plain("2"));
  for (const std::int64_t amended : {1, 3, 4}) {
    StoredRecord amends = plain("of " + std::to_string(amended));
    amends.record.amends = amended;
    append(amends);
  }
  EXPECT_EQ(first_version(connection(), 1).value(), 1);
  EXPECT_EQ(first_version(connection(), 2).value(), 2);
  EXPECT_EQ(first_version(connection(), 3).value(), 1);
  EXPECT_EQ(first_version(connection(), 5).value(), 1);
  EXPECT_EQ(first_version(connection(), 6).error().code, Errc::not_found);
  // A chain that was made to lead in a circle ends all the same.
  ASSERT_TRUE(connection().execute("UPDATE records SET amends = 5 WHERE id = 1").ok());
  EXPECT_EQ(first_version(connection(), 5).value(), 1);
}

TEST_F(RecordRowsTest, AKnownRecordIsFoundByItsSendersName) {
  base::Digest content{};
  content.fill(9);
  append(plain("1"), {.content = content});
  const auto known = find_record(connection(), 1, "lab", "1");
  ASSERT_TRUE(known.ok() && known->has_value());
  EXPECT_EQ((*known)->id, 1);
  EXPECT_EQ((*known)->content, content);
  EXPECT_FALSE(find_record(connection(), 2, "lab", "1").value().has_value());
  EXPECT_FALSE(find_record(connection(), 1, "ward", "1").value().has_value());
  EXPECT_FALSE(find_record(connection(), 1, "lab", "2").value().has_value());
  EXPECT_FALSE(read_record(connection(), 2).value().has_value());
}

std::vector<std::int64_t> ids(const base::Result<std::vector<RecordRow>>& rows) {
  EXPECT_TRUE(rows.ok()) << why(rows);
  std::vector<std::int64_t> all;
  if (!rows) return all;
  for (const RecordRow& row : *rows) all.push_back(row.stored.id);
  return all;
}
using Ids = std::vector<std::int64_t>;

TEST_F(RecordRowsTest, AChainIsASubjectsRecordsNewestFirst) {
  append(plain("1"));
  append(plain("2", 2), {.subject = 2});
  append(plain("3"), {.previous = 1});
  append(plain("4"), {.previous = 3});
  EXPECT_EQ(ids(read_chain(connection(), 4, 10)), (Ids{4, 3, 1}));
  EXPECT_EQ(ids(read_chain(connection(), 4, 2)), (Ids{4, 3}));
  EXPECT_EQ(ids(read_chain(connection(), 2, 10)), (Ids{2}));
  EXPECT_EQ(ids(read_chain(connection(), 0, 10)), Ids{});
  EXPECT_EQ(ids(read_chain(connection(), 4, 0)), Ids{});
  EXPECT_EQ(read_chain(connection(), 9, 10).error().code, Errc::corrupt);
  EXPECT_EQ(*chain_ids(connection(), 4, 0).value(), (Ids{4, 3, 1}));
  EXPECT_EQ(*chain_ids(connection(), 4, 1).value(), (Ids{4, 3}));
  EXPECT_EQ(*chain_ids(connection(), 4, 4).value(), Ids{});
  EXPECT_EQ(*chain_ids(connection(), 0, 0).value(), Ids{});
  EXPECT_FALSE(chain_ids(connection(), 4, 2).value()) << "it is another subject's";
  EXPECT_FALSE(chain_ids(connection(), 3, 4).value());
  EXPECT_FALSE(chain_ids(connection(), 9, 0).value());
}

TEST_F(RecordRowsTest, PagesGoThroughAStudyAsOfARecord) {
  append(plain("b"));
  append(plain("a", 2), {.subject = 2});
  append(plain("x"), {.study = 2});
  append(plain("c"));
  StoredRecord other = plain("a");
  other.record.source = "ward";
  append(other);
  append(plain("d"));
  EXPECT_EQ(last_record(connection()).value(), 6);

  const auto page = [&](const RecordPage& asked) { return ids(read_page(connection(), asked)); };
  EXPECT_EQ(page({.study = 1, .until_id = 5}), (Ids{1, 2, 4, 5}));
  EXPECT_EQ(page({.study = 1, .until_id = 6, .limit = 2}), (Ids{1, 2}));
  EXPECT_EQ(page({.study = 1, .after_id = 2, .until_id = 6, .limit = 2}), (Ids{4, 5}));
  EXPECT_EQ(page({.study = 2, .until_id = 6}), (Ids{3}));
  EXPECT_EQ(page({.study = 1, .source = "lab", .until_id = 6}), (Ids{2, 1, 4, 6}));
  EXPECT_EQ(page({.study = 1, .source = "lab", .after_source_id = "b", .until_id = 5}), (Ids{4}));
  EXPECT_EQ(page({.study = 1, .source = "none", .until_id = 6}), Ids{});
  const auto named = read_page(connection(), {.study = 1, .until_id = 2});
  EXPECT_EQ((*named)[0].stored.record.subject, "P-1");
  EXPECT_EQ((*named)[1].stored.record.subject, "P-2");
}

TEST_F(RecordRowsTest, PagesSayWhatReplacedARecordAsOfTheirTime) {
  append(plain("1"));
  append(plain("2"), {.previous = 1});
  StoredRecord amends = plain("3");
  amends.record.amends = 1;
  append(amends, {.previous = 2});
  const auto marks = [](const base::Result<std::vector<RecordRow>>& rows) {
    EXPECT_TRUE(rows.ok()) << why(rows);
    Ids all;
    for (const RecordRow& row : *rows) all.push_back(row.stored.amended_by);
    return all;
  };
  EXPECT_EQ(marks(read_page(connection(), {.study = 1, .until_id = 3})), (Ids{3, 0, 0}));
  EXPECT_EQ(marks(read_page(connection(), {.study = 1, .source = "lab", .until_id = 3})),
            (Ids{3, 0, 0}));
  EXPECT_EQ(marks(read_page(connection(), {.study = 1, .until_id = 2})), (Ids{0, 0}));
  EXPECT_EQ(marks(read_chain(connection(), 3, 10)), (Ids{0, 0, 3}));
}

TEST_F(RecordRowsTest, DamagedAttributesAreSaid) {
  append(plain("1"));
  for (const char* damaged : {"{", "[]", "{\"a\":1}", "text"}) {
    ASSERT_TRUE(connection().execute("UPDATE records SET attributes = $1", {damaged}).ok());
    const auto row = read_record(connection(), 1);
    ASSERT_FALSE(row.ok()) << damaged;
    EXPECT_EQ(row.error().code, Errc::corrupt);
    EXPECT_TRUE(row.error().message.starts_with("record 1: ")) << why(row);
  }
}

TEST_F(RecordRowsTest, AHistoryIsReadInPagesWithoutWhatIsLong) {
  std::int64_t previous = 0;
  for (int i = 0; i < 5; ++i) {
    StoredRecord stored = plain("r" + std::to_string(i));
    stored.record.kind = i == 0 ? model::Kind::demographics : model::Kind::questionnaire;
    stored.record.code = "C" + std::to_string(i);
    stored.record.visit = "WEEK 2";
    stored.record.effective = "2014-01-16";
    stored.interval = model::Interval{1, 2};
    stored.record.attributes = {{"sex", "F"}};
    stored.record.original = std::string(1000, 'x');
    stored.received_ms = 7;
    if (i == 3) stored.record.amends = previous;
    if (i == 3) stored.record.reason = "why";
    append(stored, {.previous = previous});
    previous = stored.id;
  }
  const auto first = read_history(connection(), previous, 3);
  ASSERT_TRUE(first.ok()) << why(first);
  ASSERT_EQ(first->records.size(), 3u);
  EXPECT_EQ(first->records[0].record.code, "C4");
  EXPECT_EQ(first->records[0].record.visit, "WEEK 2");
  EXPECT_EQ(first->records[0].record.effective, "2014-01-16");
  EXPECT_EQ(first->records[0].interval, (model::Interval{1, 2}));
  EXPECT_EQ(first->records[0].received_ms, 7);
  EXPECT_EQ(first->records[1].record.amends, first->records[2].id);
  EXPECT_TRUE(first->records[0].record.attributes.empty());
  const auto rest = read_history(connection(), first->next, 3);
  ASSERT_TRUE(rest.ok()) << why(rest);
  ASSERT_EQ(rest->records.size(), 2u);
  EXPECT_EQ(rest->next, 0);
  EXPECT_EQ(*rest->records[1].record.attribute("sex"), "F");
  EXPECT_TRUE(rest->records[1].record.original.empty());

  const auto none = read_history(connection(), previous + 1, 3);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace trialward::store
