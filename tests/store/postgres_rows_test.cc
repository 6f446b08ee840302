#include "store/chain.h"
#include "tests/store/postgres_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using PostgresRowsTest = PostgresTest;

TEST_F(PostgresRowsTest, RowsThatArePutAreThereForWhatNamesTheirTable) {
  static constexpr RowShape kShape{.table = "t", .columns = "id, v", .sql = ""};
  static constexpr RowShape kLatest{.table = "u", .columns = "id, v", .keys = 1, .sql = ""};
  script("CREATE TABLE u (id bigint PRIMARY KEY, v text)");
  ASSERT_TRUE(writer_->execute("BEGIN").ok());
  for (std::int64_t id = 1; id <= 5000; ++id) {
    const std::string text = "row " + std::to_string(id);
    const std::string_view view = text;
    auto put = static_cast<Connection&>(*writer_).put(kShape, {id, view});
    ASSERT_TRUE(put.ok()) << why(put);
    put = static_cast<Connection&>(*writer_).put(
        kLatest, {id % 7, id % 2 == 0 ? SqlValue(view) : sql_null()});
    ASSERT_TRUE(put.ok()) << why(put);
  }
  EXPECT_EQ(count(*writer_), 5000);
  EXPECT_EQ(writer_->integer("SELECT count(*) FROM u").value(), 7);
  EXPECT_EQ(writer_->integer("SELECT count(*) FROM u WHERE v = 'row 5000'").value(), 1);
  // Also by its view.
  const std::string heads = pack_heads({{{5, base::sha256("x")}}}, 0);
  static constexpr RowShape kEnds{
      .table = "chain_ends", .columns = "part, heads", .keys = 1, .sql = ""};
  ASSERT_TRUE(static_cast<Connection&>(*writer_).put(kEnds, {std::int64_t{0}, Blob{heads}}).ok());
  EXPECT_EQ(writer_->integer("SELECT position FROM shards").value(), 5);
  // And not once they are taken back.
  ASSERT_TRUE(static_cast<Connection&>(*writer_)
                  .put(kShape, {std::int64_t{6000}, std::string_view("x")})
                  .ok());
  ASSERT_TRUE(writer_->execute("ROLLBACK").ok());
  EXPECT_EQ(count(*writer_), 0);
}

TEST_F(PostgresRowsTest, RowsTakeThePlaceOfThoseWithTheirKeyAndOthersAreAdded) {
  static constexpr RowShape kShape{.table = "u", .columns = "one, two, v", .keys = 2, .sql = ""};
  script("CREATE TABLE u (one bigint, two text, v bigint, PRIMARY KEY (one, two))");
  const auto write = [&](std::int64_t from, std::int64_t until, std::int64_t value) {
    ASSERT_TRUE(writer_->execute("BEGIN").ok());
    for (std::int64_t i = from; i < until; ++i) {
      const std::string_view two = i % 2 == 0 ? "even" : "odd";
      const auto put = static_cast<Connection&>(*writer_).put(kShape, {i / 2, two, value});
      ASSERT_TRUE(put.ok()) << why(put);
    }
    bool unknown = false;
    const auto done = writer_->commit(unknown);
    ASSERT_TRUE(done.ok()) << why(done);
  };
  const auto have = [&](std::int64_t value) {
    return writer_->integer("SELECT count(*) FROM u WHERE v = $1", {value}).value();
  };
  write(0, 9, 1);  // none is there
  EXPECT_EQ(have(1), 9);
  write(0, 9, 2);  // all are
  EXPECT_EQ(have(2), 9);
  write(5, 15, 3);  // some are
  EXPECT_EQ(have(2), 5);
  EXPECT_EQ(have(3), 10);
  EXPECT_EQ(writer_->integer("SELECT count(*) FROM u").value(), 15);
}

// Few go with the COMMIT, many before. What a shape does not name has its default.
TEST_F(PostgresRowsTest, RowsThatArePutAreAsTheyWere) {
  static constexpr RowShape kShape{
      .table = "w", .columns = "id, number, text, bytes, nothing", .sql = ""};
  script(
      "CREATE TABLE w (bytes bytea, gone bigint, more bigint NOT NULL DEFAULT 7, number double "
      "precision, text text, nothing text, id bigint PRIMARY KEY); ALTER TABLE w DROP COLUMN gone");
  constexpr std::string_view kBytes("\0\xff\n\\", 4);
  std::int64_t last = 0;
  for (const std::int64_t rows : {3, 5000}) {
    SCOPED_TRACE(rows);
    ASSERT_TRUE(writer_->execute("BEGIN").ok());
    for (std::int64_t i = 0; i < rows; ++i) {
      auto put = static_cast<Connection&>(*writer_).put(
          kShape, {++last, -0.5, i == 1 ? std::string_view() : std::string_view("\\N\tü"),
                   Blob{kBytes}, sql_null()});
      ASSERT_TRUE(put.ok()) << why(put);
    }
    bool unknown = false;
    const auto done = writer_->commit(unknown);
    ASSERT_TRUE(done.ok()) << why(done);
    auto row = writer_->query("SELECT number, text, bytes, nothing FROM w WHERE id = $1", {last});
    ASSERT_TRUE(row.ok() && row->next().value());
    EXPECT_EQ(row->real(0), -0.5);
    EXPECT_EQ(row->text(1), "\\N\tü");
    EXPECT_EQ(row->blob(2), kBytes);
    EXPECT_TRUE(row->null(3));
  }
  EXPECT_EQ(writer_->integer("SELECT sum(more) FROM w").value(), 7 * last);
  EXPECT_EQ(writer_->integer("SELECT count(*) FROM w WHERE text = ''").value(), 2);
}

// What fails for that is no fault of its rows: the next transaction knows the table.
TEST_F(PostgresRowsTest, ATableThatSomebodyChangedIsAskedForAnew) {
  static constexpr RowShape kShape{.table = "t", .columns = "id, v", .sql = ""};
  const auto write = [&](std::int64_t id) -> base::Status {
    bool unknown = false;
    const std::string text = std::to_string(id);
    if (auto turn = writer_->begin_turn(); !turn) return turn.error();
    base::Status done =
        static_cast<Connection&>(*writer_).put(kShape, {id, std::string_view(text)});
    if (done) done = writer_->commit(unknown);
    if (writer_->in_transaction()) (void)writer_->execute("ROLLBACK");
    return done;
  };
  ASSERT_TRUE(write(1).ok());
  script("ALTER TABLE t ADD COLUMN more bigint");
  EXPECT_FALSE(write(2).ok());
  const auto again = write(2);
  EXPECT_TRUE(again.ok()) << why(again);
  script("DROP TABLE t; CREATE TABLE t (v text, id bigint PRIMARY KEY)");
  terminate(*writer_);
  EXPECT_FALSE(write(3).ok());
  ASSERT_TRUE(writer_->recover().ok());
  EXPECT_TRUE(write(3).ok());
  EXPECT_EQ(count(*writer_), 1);
  script("ALTER TABLE t ALTER v TYPE varchar");
  EXPECT_FALSE(write(4).ok());
  const base::Status done = write(4);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_EQ(done.error().message, "the table t is not as it was made");
}

TEST_F(PostgresRowsTest, P5RowsThatGoWithACommitDoNotWaitForALockForEver) {
  static constexpr RowShape kShape{.table = "t", .columns = "id, v", .sql = ""};
  auto hasty = open_writer({.statement_max = std::chrono::milliseconds(200)});
  bool unknown = true;
  const auto write = [&](std::int64_t id) {
    EXPECT_TRUE(hasty->begin_turn().ok());
    EXPECT_TRUE(static_cast<Connection&>(*hasty).put(kShape, {id, std::string_view("x")}).ok());
    return hasty->commit(unknown);
  };
  // To prepare the statement would wait as well, and be cancelled.
  ASSERT_TRUE(write(1).ok());
  script("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const auto done = write(2);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::retry) << why(done);
  EXPECT_FALSE(unknown);
}

TEST_F(PostgresRowsTest, ARowThatIsThereAlreadyIsAConflictHoweverItIsWritten) {
  static constexpr RowShape kShape{.table = "t", .columns = "id, v", .sql = ""};
  for (const std::int64_t rows : {3, 5000}) {
    SCOPED_TRACE(rows);
    ASSERT_TRUE(writer_->execute("BEGIN").ok());
    for (std::int64_t id = 1; id <= rows; ++id) {
      const std::string text = "row " + std::to_string(id % (rows - 1));
      const std::string_view view = text;
      ASSERT_TRUE(static_cast<Connection&>(*writer_).put(kShape, {id, view}).ok());
    }
    auto counted = writer_->integer("SELECT count(*) FROM t");
    ASSERT_FALSE(counted.ok());
    EXPECT_EQ(counted.error().code, Errc::conflict);
    ASSERT_TRUE(writer_->execute("ROLLBACK").ok());
    EXPECT_EQ(count(*writer_), 0);
  }
}

}  // namespace
}  // namespace trialward::store
