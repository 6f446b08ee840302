#include "store/writer.h"

#include <sys/resource.h>

#include <csignal>

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using base::Status;

class WriterTest : public StoreBench {
 protected:
  Status append(const std::string& study, int shard = 3, std::int64_t skip = 0) {
    const std::vector<SqlValue> row = {writer().next_id(Table::studies) + skip,
                                       std::string_view(study)};
    return writer().append(Table::studies, shard,
                           {.actor = "me", .action = "study.added", .reason = "r", .at_ms = 5},
                           row);
  }
  void expect_append(const std::string& study, int shard = 3) {
    const auto done = append(study, shard);
    EXPECT_TRUE(done.ok()) << why(done);
  }
  struct Counters {
    std::int64_t id, position, seq;
    bool operator==(const Counters&) const = default;
  };
  Counters counters() {
    return {writer().next_id(Table::studies), writer().next_position(3), writer().last_seq()};
  }
};

TEST_F(WriterTest, P8ARowIsAppendedWithItsAuditEntry) {
  commit([&] {
    expect_append("one");
    expect_append("two", 4);
    expect_append("three");
  });
  EXPECT_EQ(counters().id, 4);
  EXPECT_EQ(counters().position, 3);
  EXPECT_EQ(counters().seq, 3);
  auto rows = connection().query("SELECT * FROM audit WHERE seq = 3");
  ASSERT_TRUE(rows.ok() && rows->next().value());
  const AuditEntry entry{.seq = 3,
                         .shard = 3,
                         .position = 2,
                         .at_ms = 5,
                         .actor = "me",
                         .action = "study.added",
                         .object_table = "studies",
                         .object = 3,
                         .reason = "r"};
  EXPECT_EQ(rows->integer(1), entry.shard);
  EXPECT_EQ(rows->integer(2), entry.position);
  EXPECT_EQ(rows->integer(3), entry.at_ms);
  EXPECT_EQ(rows->text(4), entry.actor);
  EXPECT_EQ(rows->text(5), entry.action);
  EXPECT_EQ(rows->text(6), entry.object_table);
  EXPECT_EQ(rows->integer(7), entry.object);
  EXPECT_EQ(rows->text(8), entry.reason);
  auto first = connection().query("SELECT hash FROM audit WHERE seq = 1");
  ASSERT_TRUE(first.ok() && first->next().value());
  base::Digest previous{};
  std::copy(first->blob(0).begin(), first->blob(0).end(), previous.begin());
  const std::vector<SqlValue> row = {std::int64_t{3}, std::string_view("three")};
  EXPECT_EQ(rows->blob(9), base::as_bytes(chain(previous, entry, row)));
}

TEST_F(WriterTest, P8TheHeadsAreWrittenWithTheCommit) {
  commit([&] {
    expect_append("one");
    EXPECT_EQ(count("SELECT count(*) FROM shards"), 0);
    expect_append("two");
    expect_append("three", 255);
  });
  EXPECT_EQ(count("SELECT count(*) FROM shards"), 2);
  EXPECT_EQ(count("SELECT position FROM shards WHERE shard = 3"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM shards s JOIN audit a ON a.shard = s.shard AND "
                  "a.position = s.position AND a.hash = s.hash"),
            2);
}

TEST_F(WriterTest, ARollbackTakesBackRowsAndCounters) {
  commit([&] { expect_append("one"); });
  const auto before = counters();
  ASSERT_TRUE(writer().begin().ok());
  expect_append("two");
  EXPECT_EQ(writer().take_event_number(1).value(), 1);
  EXPECT_FALSE(counters() == before);
  writer().rollback();
  EXPECT_TRUE(counters() == before);
  EXPECT_EQ(count("SELECT count(*) FROM studies"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM audit"), 1);
  EXPECT_FALSE(writer().in_transaction());
  // What follows continues the chain as if nothing had been.
  commit([&] {
    expect_append("two");
    EXPECT_EQ(writer().take_event_number(1).value(), 1);
  });
  EXPECT_EQ(count("SELECT position FROM shards WHERE shard = 3"), 2);
}

TEST_F(WriterTest, APartIsTakenBackAlone) {
  commit([&] {
    expect_append("one");
    EXPECT_EQ(writer().take_event_number(1).value(), 1);
    const auto before = counters();
    ASSERT_TRUE(writer().begin_part().ok());
    expect_append("two");
    expect_append("three", 9);
    EXPECT_EQ(writer().take_event_number(1).value(), 2);
    ASSERT_TRUE(writer().rollback_part().ok());
    EXPECT_TRUE(counters() == before);
    EXPECT_EQ(writer().take_event_number(1).value(), 2);
    ASSERT_TRUE(writer().begin_part().ok());
    expect_append("four");
    ASSERT_TRUE(writer().end_part().ok());
  });
  EXPECT_EQ(count("SELECT count(*) FROM studies WHERE study IN ('one', 'four')"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM studies"), 2);
  EXPECT_EQ(count("SELECT number FROM alert_heads WHERE study = 1"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM shards"), 1);
}

TEST_F(WriterTest, AConflictIsOfItsContentAndTheWriterLivesOn) {
  commit([&] { expect_append("one"); });
  ASSERT_TRUE(writer().begin().ok());
  const auto before = counters();
  Status done = append("one");
  if (on_postgres()) done = writer().commit();  // where it is written with others
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_TRUE(counters() == before);
  EXPECT_FALSE(writer().failed());
  if (writer().in_transaction()) writer().rollback();
  commit([&] { expect_append("two"); });
}

TEST_F(WriterTest, ItGoesOnWhereTheLastOneEnded) {
  commit([&] {
    expect_append("one");
    EXPECT_EQ(writer().take_event_number(7).value(), 1);
  });
  const auto before = counters();
  const auto head = count("SELECT count(*) FROM shards WHERE position = 1");
  reopen();
  EXPECT_TRUE(counters() == before);
  EXPECT_EQ(head, 1);
  commit([&] {
    expect_append("two");
    EXPECT_EQ(writer().take_event_number(7).value(), 2);
    EXPECT_EQ(writer().take_event_number(8).value(), 1);
  });
  EXPECT_EQ(count("SELECT position FROM shards WHERE shard = 3"), 2);
}

TEST_F(WriterTest, ADamagedHeadIsNotContinued) {
  TRIALWARD_SQLITE_ONLY();
  for (const char* damage : {"UPDATE shards SET hash = x'00'", "UPDATE shards SET shard = 256",
                             "UPDATE shards SET position = 9", "DELETE FROM shards"}) {
    commit([&] { expect_append(damage); });
    const std::string undo = folder_.file("undo.db");
    ASSERT_TRUE(writer().checkpoint(Writer::Checkpoint::always).ok());
    std::filesystem::copy_file(path(), undo);
    ASSERT_TRUE(connection().script(damage).ok());
    store_.reset();
    const auto opened = Store::open(path(), random_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::corrupt);
    EXPECT_NE(opened.error().message.find("audit chain"), std::string::npos) << why(opened);
    for (const char* file : {"", "-wal", "-shm"}) std::filesystem::remove(path() + file);
    std::filesystem::rename(undo, path());
    reopen();
  }
}

using WriterDeathTest = WriterTest;

TEST_F(WriterDeathTest, WrongUseStopsTheProcess) {
  EXPECT_DEATH((void)append("outside"), "in_transaction_");
  EXPECT_DEATH((void)writer().commit(), "in_transaction_");
  ASSERT_TRUE(writer().begin().ok());
  EXPECT_DEATH((void)append("skipped", 3, 1), "next_id");
  EXPECT_DEATH((void)writer().begin(), "in_transaction_");
  EXPECT_DEATH((void)writer().checkpoint(Writer::Checkpoint::soon), "in_transaction_");
  const std::vector<SqlValue> row = {std::int64_t{1}};
  EXPECT_DEATH((void)writer().append(Table::studies, 0, {}, row), "column_count");
  writer().rollback();
}

TEST_F(WriterTest, ACheckpointWaitsUntilItIsWorthIt) {
  TRIALWARD_SQLITE_ONLY();
  commit([&] { expect_append("one"); });
  const auto before = std::filesystem::file_size(path());
  ASSERT_TRUE(connection().script("CREATE TABLE filler (b BLOB)").ok());
  ASSERT_TRUE(connection().script("INSERT INTO filler VALUES (zeroblob(1000000))").ok());
  ASSERT_TRUE(writer().checkpoint(Writer::Checkpoint::soon).ok());
  EXPECT_EQ(std::filesystem::file_size(path()), before);
  ASSERT_TRUE(writer().checkpoint(Writer::Checkpoint::always).ok());
  const auto after = std::filesystem::file_size(path());
  EXPECT_GT(after, before + 900'000);
  // More than kCheckpointFrames of 4 KiB, and less than kLateFrames.
  ASSERT_TRUE(connection().script("INSERT INTO filler VALUES (zeroblob(20000000))").ok());
  const auto late = writer().checkpoint(Writer::Checkpoint::late);
  ASSERT_TRUE(late.ok());
  EXPECT_FALSE(*late);
  ASSERT_TRUE(writer().checkpoint(Writer::Checkpoint::soon).ok());
  EXPECT_GT(std::filesystem::file_size(path()), after + 19'000'000);
}

// While it lives, a write behind the first kilobyte of a file fails.
class FullDisk {
 public:
  FullDisk() : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    TW_CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{.rlim_cur = 1024, .rlim_max = before_.rlim_max};
    TW_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() {
    TW_CHECK(setrlimit(RLIMIT_FSIZE, &before_) == 0);
    std::signal(SIGXFSZ, old_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*old_handler_)(int);
  rlimit before_{};
};

TEST_F(WriterTest, P9ACommitThatFailsStopsTheWriterForGood) {
  TRIALWARD_SQLITE_ONLY();
  commit([&] { expect_append("one"); });
  const auto reader = store_->open_reader();
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(writer().begin().ok());
  expect_append("two");
  {
    const FullDisk full;
    const Status done = writer().commit();
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::unavailable);
  }
  // There is room again, but nobody knows what is on the disk.
  EXPECT_TRUE(writer().failed());
  EXPECT_FALSE(writer().in_transaction());
  EXPECT_EQ(writer().begin().error().code, Errc::unavailable);
  EXPECT_EQ((*reader)->integer("SELECT count(*) FROM studies").value(), 1);

  reopen();
  EXPECT_EQ(count("SELECT count(*) FROM studies"), 1);
  commit([&] { expect_append("two"); });
  EXPECT_EQ(counters().id, 3);
}

TEST_F(WriterTest, P9AFullDatabaseStopsTheWriterForGood) {
  TRIALWARD_SQLITE_ONLY();
  ASSERT_TRUE(connection().script("PRAGMA max_page_count = 1").ok());  // what it has already
  ASSERT_TRUE(writer().begin().ok());
  Status done;
  while (done) done = append(std::string(3000, 'x') + std::to_string(counters().id));
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_EQ(done.error().message, "database or disk is full");
  EXPECT_TRUE(writer().failed());
  writer().rollback();
  EXPECT_EQ(count("SELECT count(*) FROM studies"), 0);
}

}  // namespace
}  // namespace trialward::store
