#include "store/schema.h"

#include "store/sqlite.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class SchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteConnection::open(folder_.file("s.db"), SqliteMode::writer);
    ASSERT_TRUE(opened.ok()) << why(opened);
    connection_ = std::move(*opened);
  }
  std::string store_id() {
    auto rows = connection_->query("SELECT value FROM meta WHERE key = 'store_id'");
    TW_CHECK(rows.ok() && rows->next().value());
    return std::string(rows->text(0));
  }

  TemporaryFolder folder_;
  std::unique_ptr<SqliteConnection> connection_;
};

TEST_F(SchemaTest, ANewStoreGetsItsTablesItsIdAndItsVersion) {
  const auto done = migrate(*connection_, "abc");
  ASSERT_TRUE(done.ok()) << why(done);
  EXPECT_EQ(store_id(), "abc");
  EXPECT_EQ(connection_->integer("PRAGMA user_version").value(), kSchemaVersion);
  EXPECT_EQ(connection_->integer("PRAGMA application_id").value(), 0x54725764);
  for (const Table table : all_tables()) {
    EXPECT_EQ(connection_->integer("SELECT count(*) FROM " + std::string(info(table).name)).value(),
              0);
  }
}

TEST_F(SchemaTest, AStoreOfTheFirstVersionKeepsItsWatches) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  ASSERT_TRUE(connection_
                  ->script("DROP TABLE appointments; DROP TABLE schedule_sync; "
                           "DROP TABLE schedule_sync_marks; DROP INDEX records_unfit; "
                           "DROP INDEX records_demographics; "
                           "DROP TABLE alert_details; DROP TABLE alert_states; "
                           "DROP TABLE alert_storms; DROP TABLE boots; DROP INDEX alerts_rule; "
                           "DROP INDEX alerts_subject; "
                           "DROP TABLE subject_passes; DROP TABLE subject_dues; "
                           "DROP INDEX alert_causes_ended; "
                           "DROP TABLE open_alerts; CREATE TABLE open_alerts ("
                           "subject INTEGER NOT NULL, rule TEXT NOT NULL, "
                           "join_group TEXT NOT NULL, alert INTEGER NOT NULL, "
                           "PRIMARY KEY (subject, rule, join_group)) STRICT, WITHOUT ROWID; "
                           "ALTER TABLE alert_causes DROP COLUMN ended; "
                           "DROP TABLE subject_watches; "
                           "ALTER TABLE subject_states ADD COLUMN rules TEXT; "
                           "ALTER TABLE subject_states ADD COLUMN watch BLOB; "
                           "INSERT INTO subject_states VALUES (1, 7, 'h', x'6162'); "
                           "INSERT INTO subject_states VALUES (2, 8, NULL, NULL); "
                           "DROP TABLE outbox; DROP TABLE outbox_attempts; "
                           "DROP TABLE outbox_counts; "
                           "DROP TABLE delivery_outcomes; DROP TABLE subscriptions; "
                           "DROP TABLE subscription_states; DROP TABLE subscription_marks; "
                           "PRAGMA user_version = 1")
                  .ok());
  const auto done = migrate(*connection_, "abc");
  ASSERT_TRUE(done.ok()) << why(done);
  const std::string watches = "SELECT count(*) FROM subject_watches WHERE ";
  EXPECT_EQ(connection_->integer(watches + "subject = 1 AND as_of = 7 AND rules = 'h' AND "
                                           "watch = x'6162'").value(), 1);
  EXPECT_EQ(connection_->integer(watches + "subject = 2 AND as_of = 8 AND watch = x''").value(), 1);
  EXPECT_EQ(connection_->integer("SELECT sum(last_record) FROM subject_states").value(), 15);
}

TEST_F(SchemaTest, AlertsOfTheSecondVersionGetTheirStates) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  ASSERT_TRUE(connection_
                  ->script("DROP TABLE appointments; DROP TABLE schedule_sync; "
                           "DROP TABLE schedule_sync_marks; DROP INDEX records_unfit; "
                           "DROP INDEX records_demographics; "
                           "DROP TABLE alert_details; DROP TABLE alert_states; "
                           "DROP TABLE alert_storms; DROP TABLE boots; DROP INDEX alerts_rule; "
                           "DROP INDEX alerts_subject; "
                           "DROP TABLE subject_passes; DROP TABLE subject_dues; "
                           "DROP INDEX alert_causes_ended; "
                           "DROP TABLE open_alerts; CREATE TABLE open_alerts ("
                           "subject INTEGER NOT NULL, rule TEXT NOT NULL, "
                           "join_group TEXT NOT NULL, alert INTEGER NOT NULL, "
                           "PRIMARY KEY (subject, rule, join_group)) STRICT, WITHOUT ROWID; "
                           "ALTER TABLE alert_causes DROP COLUMN ended; "
                           "DROP TABLE outbox; DROP TABLE outbox_attempts; "
                           "DROP TABLE outbox_counts; "
                           "DROP TABLE delivery_outcomes; DROP TABLE subscriptions; "
                           "DROP TABLE subscription_states; DROP TABLE subscription_marks; "
                           "INSERT INTO alerts VALUES "
                           "(1, 1, 4, 'A', 'r', 1, 't', '', 'info', 1, 9); "
                           "INSERT INTO alerts VALUES "
                           "(2, 1, 4, 'A', 'r', 1, 't', '', 'info', 1, 10); "
                           "INSERT INTO open_alerts VALUES (4, 'r', '', 2); "
                           "PRAGMA user_version = 2")
                  .ok());
  const auto done = migrate(*connection_, "abc");
  ASSERT_TRUE(done.ok()) << why(done);
  const std::string states = "SELECT count(*) FROM alert_states WHERE study = 1 AND tier = 0 AND "
                             "severity = 'info' AND holds = 1 AND historical = 0 AND ";
  EXPECT_EQ(connection_->integer(states + "alert = 1 AND state = 'acknowledged' AND waits = 0 AND "
                                          "takes_causes = 0 AND since_utc_ms = 9").value(), 1);
  EXPECT_EQ(connection_->integer(states + "alert = 2 AND state = 'raised' AND waits = 1 AND "
                                          "takes_causes = 1 AND since_utc_ms = 10").value(), 1);
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM open_alerts WHERE subject = 4 AND "
                                 "rule = 'r' AND historical = 0 AND alert = 2").value(), 1);
}

TEST_F(SchemaTest, AgainItChangesNothing) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  ASSERT_TRUE(connection_->script("INSERT INTO studies VALUES (1, 's')").ok());
  ASSERT_TRUE(migrate(*connection_, "other").ok());
  EXPECT_EQ(store_id(), "abc");
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM studies").value(), 1);
}

TEST_F(SchemaTest, ANewStoreHasTheSchemaThatIsExpected) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  const auto found = read_schema(*connection_);
  const auto own = own_schema(*connection_);
  ASSERT_TRUE(found.ok() && own.ok()) << why(found) << why(own);
  ASSERT_EQ(found->size(), own->size());
  EXPECT_GT(own->size(), 15u);
  for (std::size_t i = 0; i < own->size(); ++i) {
    EXPECT_EQ((*found)[i].name, (*own)[i].name);
    EXPECT_EQ((*found)[i].sql, (*own)[i].sql);
  }
}

TEST_F(SchemaTest, AStoreOfANewerProgramIsLeftAlone) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  ASSERT_TRUE(connection_->script("PRAGMA user_version = 99").ok());
  const auto done = migrate(*connection_, "abc");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::invalid);
  EXPECT_EQ(done.error().message, "the store has schema version 99; this trialward knows up to " +
                                      std::to_string(kSchemaVersion));
}

TEST_F(SchemaTest, AFileOfSomethingElseIsLeftAlone) {
  ASSERT_TRUE(connection_->script("CREATE TABLE recipes (id INTEGER)").ok());
  const auto done = migrate(*connection_, "abc");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM sqlite_master").value(), 1);
}

TEST_F(SchemaTest, AMigrationThatFailsLeavesNothingOfItself) {
  ASSERT_TRUE(connection_->script("PRAGMA max_page_count = 5").ok());
  const auto done = migrate(*connection_, "abc");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM sqlite_master").value(), 0);
  ASSERT_TRUE(connection_->script("PRAGMA max_page_count = 100000").ok());
  EXPECT_TRUE(migrate(*connection_, "abc").ok());
}

// TableInfo is what the audit's hash covers: every column that the table has, in its order.
TEST_F(SchemaTest, TableInfoNamesEveryColumn) {
  ASSERT_TRUE(migrate(*connection_, "abc").ok());
  for (const Table table : all_tables()) {
    const TableInfo& known = info(table);
    auto columns = connection_->query("PRAGMA table_info(" + std::string(known.name) + ")");
    ASSERT_TRUE(columns.ok());
    std::string names;
    int count = 0;
    while (columns->next().value()) {
      names += (names.empty() ? "" : ", ") + std::string(columns->text(1));
      ++count;
    }
    EXPECT_EQ(names, known.columns);
    EXPECT_EQ(count, known.column_count);
    EXPECT_TRUE(known.columns.starts_with("id, "));
    EXPECT_TRUE(connection_->query(known.select, {std::int64_t{1}}).ok()) << known.select;
  }
}

}  // namespace
}  // namespace trialward::store
