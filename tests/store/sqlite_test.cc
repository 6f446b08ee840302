#include "store/sqlite.h"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteConnection::open(path(), SqliteMode::writer);
    ASSERT_TRUE(opened.ok()) << why(opened);
    writer_ = std::move(*opened);
    script("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL UNIQUE)");
  }

  void script(const std::string& sql) {
    const auto done = writer_->script(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << why(done);
  }
  std::unique_ptr<SqliteConnection> open_reader() {
    auto opened = SqliteConnection::open(path(), SqliteMode::reader);
    TW_CHECK(opened.ok());
    return std::move(*opened);
  }
  static std::int64_t count(Connection& connection) {
    return connection.integer("SELECT count(*) FROM t").value();
  }
  std::string path() const { return folder_.file("s.db"); }

  TemporaryFolder folder_;
  std::unique_ptr<SqliteConnection> writer_;
};

TEST_F(SqliteTest, P1AWriterCommitsDurably) {
  EXPECT_EQ(writer_->integer("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(writer_->integer("PRAGMA wal_autocheckpoint").value(), 0);
}

TEST_F(SqliteTest, ValuesComeBackAsTheyWere) {
  script("CREATE TABLE x (v ANY) STRICT");
  const std::string long_text(100'000, 'y');
  const SqlValue values[] = {
      sql_null(),
      std::int64_t{0},
      std::numeric_limits<std::int64_t>::min(),
      std::numeric_limits<std::int64_t>::max(),
      0.1,
      -1e300,
      std::numeric_limits<double>::infinity(),
      std::string_view(""),
      std::string_view(),
      std::string_view("a\0b", 3),
      std::string_view(long_text),
      Blob{""},
      Blob{},
      Blob{std::string_view("\0\xff", 2)},
  };
  for (const SqlValue& value : values) {
    ASSERT_TRUE(writer_->execute("DELETE FROM x").ok());
    ASSERT_TRUE(writer_->execute("INSERT INTO x VALUES ($1)", {value}).ok());
    auto query = writer_->query("SELECT v FROM x");
    ASSERT_TRUE(query.ok() && query->next().value());
    const SqlValue back = query->value(0);
    ASSERT_EQ(back.index(), value.index());
    if (const auto* blob = std::get_if<Blob>(&value)) {
      EXPECT_EQ(std::get<Blob>(back).bytes, blob->bytes);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      EXPECT_EQ(std::get<std::string_view>(back), *text);
    } else if (const auto* real = std::get_if<double>(&value)) {
      EXPECT_EQ(std::get<double>(back), *real);
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      EXPECT_EQ(std::get<std::int64_t>(back), *number);
    }
  }
}

TEST_F(SqliteTest, ErrorsSayWhatKindTheyAre) {
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  const struct {
    const char* sql;
    Errc code;
    const char* words;
  } cases[] = {
      {"INSERT INTO t VALUES (2, 'a')", Errc::conflict, "UNIQUE constraint failed: t.v"},
      {"INSERT INTO t VALUES (1, 'b')", Errc::conflict, "UNIQUE constraint failed: t.id"},
      {"INSERT INTO t VALUES (3, NULL)", Errc::conflict, "NOT NULL constraint failed: t.v"},
      {"SELECT missing FROM t", Errc::unavailable, "no such column: missing"},
      {"SELEC 1", Errc::unavailable, "syntax error"},
      {"SELECT * FROM none", Errc::unavailable, "no such table: none"},
  };
  for (const auto& expected : cases) {
    const auto done = writer_->execute(expected.sql);
    ASSERT_FALSE(done.ok()) << expected.sql;
    EXPECT_EQ(done.error().code, expected.code) << expected.sql;
    EXPECT_NE(done.error().message.find(expected.words), std::string::npos) << why(done);
  }
  EXPECT_EQ(count(*writer_), 1);
}

TEST_F(SqliteTest, AScriptThatFailsSaysWhy) {
  const auto done = writer_->script("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b')");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::conflict);
}

TEST_F(SqliteTest, AStatementIsUsedAgainAfterItsEndItsAbandonAndItsFailure) {
  constexpr std::string_view kInsert = "INSERT INTO t VALUES ($1, $2)";
  for (std::int64_t id = 1; id <= 3; ++id) {
    const std::string text = "row " + std::to_string(id);
    ASSERT_TRUE(writer_->execute(kInsert, {id, std::string_view(text)}).ok());
    EXPECT_EQ(writer_->execute(kInsert, {id, std::string_view("x")}).error().code, Errc::conflict);
  }
  for (int i = 0; i < 2; ++i) {  // left after its first row
    auto query = writer_->query("SELECT id FROM t ORDER BY id");
    ASSERT_TRUE(query.ok() && query->next().value());
    EXPECT_EQ(query->integer(0), 1);
  }
}

TEST_F(SqliteTest, AQueryMovesWithItsStatement) {
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  auto query = writer_->query("SELECT v FROM t");
  ASSERT_TRUE(query.ok());
  {
    Query moved = std::move(*query);
    ASSERT_TRUE(moved.next().value());
    EXPECT_EQ(moved.text(0), "a");
  }
  EXPECT_TRUE(writer_->query("SELECT v FROM t").ok());
}

TEST_F(SqliteTest, OneStatementDoesNotRunTwiceAtOnce) {
  auto query = writer_->query("SELECT v FROM t");
  ASSERT_TRUE(query.ok());
  EXPECT_DEATH((void)writer_->query("SELECT v FROM t"), "in_use");
}

TEST_F(SqliteTest, AColumnOfAnotherTypeReadsAsNothing) {
  auto query = writer_->query("SELECT 'text', 5, NULL, 1.5, x'41'");
  ASSERT_TRUE(query.ok() && query->next().value());
  EXPECT_EQ(query->columns(), 5);
  EXPECT_EQ(query->integer(0), 0);
  EXPECT_EQ(query->text(1), "");
  EXPECT_TRUE(query->null(2));
  EXPECT_EQ(query->integer(3), 0);
  EXPECT_EQ(query->real(3), 1.5);
  EXPECT_EQ(query->text(4), "");
  EXPECT_EQ(query->blob(4), "A");
}

TEST_F(SqliteTest, IntegerOfNoRowIsNotFound) {
  EXPECT_EQ(writer_->integer("SELECT id FROM t").error().code, Errc::not_found);
}

TEST_F(SqliteTest, AReaderSeesTheLastCommitAndBlocksNobody) {
  const auto reader = open_reader();
  ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").ok());
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  EXPECT_EQ(count(*reader), 0);
  ASSERT_TRUE(writer_->execute("COMMIT").ok());
  EXPECT_EQ(count(*reader), 1);

  ASSERT_TRUE(reader->execute("BEGIN").ok());
  EXPECT_EQ(count(*reader), 1);
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (2, 'b')").ok());
  EXPECT_EQ(count(*reader), 1);  // its transaction has one state
  ASSERT_TRUE(reader->execute("COMMIT").ok());
  EXPECT_EQ(count(*reader), 2);
}

TEST_F(SqliteTest, AReaderCannotWrite) {
  const auto reader = open_reader();
  EXPECT_EQ(reader->execute("INSERT INTO t VALUES (1, 'a')").error().code, Errc::unavailable);
  EXPECT_EQ(count(*writer_), 0);
}

TEST_F(SqliteTest, ASecondWriterIsToldThatItIsLocked) {
  auto second = SqliteConnection::open(path(), SqliteMode::writer);
  ASSERT_TRUE(second.ok()) << why(second);
  ASSERT_TRUE((*second)->script("PRAGMA busy_timeout=0").ok());
  ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").ok());
  const auto begun = (*second)->execute("BEGIN IMMEDIATE");
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().code, Errc::unavailable);
  EXPECT_EQ(begun.error().message, "database is locked");
}

TEST_F(SqliteTest, P5AnInterruptStopsTheStatementThatRuns) {
  constexpr std::string_view kEndless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  {
    auto query = writer_->query(kEndless);
    ASSERT_TRUE(query.ok() && query->next().value());
    writer_->interrupt();
    const auto next = query->next();
    ASSERT_FALSE(next.ok());
    EXPECT_EQ(next.error().code, Errc::cancelled);
  }
  auto again = writer_->query(kEndless);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->next().ok());
}

TEST_F(SqliteTest, OnlyCheckpointMovesTheWalIntoTheFile) {
  const auto size = [&] { return std::filesystem::file_size(path()); };
  ASSERT_TRUE(writer_->checkpoint(true).ok());
  const auto before = size();
  script("CREATE TABLE filler (b BLOB)");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(writer_->execute("INSERT INTO filler VALUES (zeroblob(500000))").ok());
  }
  EXPECT_GT(writer_->wal_frames(), 2000);
  EXPECT_EQ(size(), before);
  const auto state = writer_->checkpoint(false);
  ASSERT_TRUE(state.ok()) << why(state);
  EXPECT_EQ(state->frames, writer_->wal_frames());
  EXPECT_EQ(state->checkpointed, state->frames);
  EXPECT_GT(size(), before + 8'000'000);
}

TEST_F(SqliteTest, ACheckpointDoesNotWaitForAReader) {
  const auto reader = open_reader();
  ASSERT_TRUE(reader->execute("BEGIN").ok());
  EXPECT_EQ(count(*reader), 0);
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  const auto held = writer_->checkpoint(true);
  ASSERT_TRUE(held.ok()) << why(held);
  EXPECT_LT(held->checkpointed, held->frames);
  ASSERT_TRUE(reader->execute("COMMIT").ok());
  const auto freed = writer_->checkpoint(true);
  ASSERT_TRUE(freed.ok());
  EXPECT_EQ(freed->checkpointed, freed->frames);
  // Started over: the next commit begins at the WAL's start.
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (2, 'b')").ok());
  EXPECT_LT(writer_->wal_frames(), freed->frames);
}

TEST_F(SqliteTest, ClosingDoesNotCheckpoint) {
  ASSERT_TRUE(writer_->checkpoint(true).ok());
  const auto size = std::filesystem::file_size(path());
  script("CREATE TABLE filler (b BLOB); INSERT INTO filler VALUES (zeroblob(500000))");
  writer_.reset();
  EXPECT_EQ(std::filesystem::file_size(path()), size);
  EXPECT_EQ(open_reader()->integer("SELECT length(b) FROM filler").value(), 500000);
}

// Root may write everywhere, so that this process is nobody for a while.
class AsNobody {
 public:
  AsNobody() { TW_CHECK(geteuid() != 0 || seteuid(65534) == 0); }
  ~AsNobody() { TW_CHECK(getuid() != 0 || seteuid(0) == 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

TEST_F(SqliteTest, ACopyIsReadWhereNothingMayBeWritten) {
  namespace fs = std::filesystem;
  constexpr auto kReadOnly = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  constexpr auto kSearch = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  ASSERT_TRUE(writer_->checkpoint(false).ok());
  const auto in_file = fs::file_size(path());
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (2, 'b')").ok());  // in the WAL only
  ASSERT_EQ(fs::file_size(path()), in_file);
  const struct {
    std::vector<std::string> parts;
    std::int64_t rows;  // 0: cannot be read
  } cases[] = {{{""}, 1}, {{"", "-shm"}, 1}, {{"", "-wal", "-shm"}, 2}, {{"", "-wal"}, 0}};
  fs::permissions(fs::path(path()).parent_path(), kSearch, fs::perm_options::add);
  for (const auto& [parts, rows] : cases) {
    const fs::path copy = fs::path(folder_.file("copy 100%?" + std::to_string(parts.size()) +
                                                parts.back()));
    fs::create_directory(copy);
    for (const std::string& part : parts) {
      fs::copy_file(path() + part, copy / ("s.db" + part));
      fs::permissions(copy / ("s.db" + part), kReadOnly);
    }
    fs::permissions(copy, kReadOnly | kSearch);
    {
      const AsNobody nobody;
      const auto reader = SqliteConnection::open(copy / "s.db", SqliteMode::reader);
      EXPECT_EQ(reader.ok(), rows > 0) << why(reader);
      if (reader) {
        EXPECT_EQ(count(**reader), rows) << parts.size();
        EXPECT_FALSE((*reader)->execute("INSERT INTO t VALUES (3, 'c')").ok());
      } else {
        EXPECT_NE(reader.error().message.find("s.db-wal may hold what is not in the store's file"),
                  std::string::npos)
            << why(reader);
      }
      EXPECT_EQ(std::distance(fs::directory_iterator(copy), {}), std::ssize(parts));
    }
    fs::permissions(copy, fs::perms::owner_all);
  }
}

// On a faulty disk: tests/faults/.
TEST_F(SqliteTest, P9AWriterWritesALargeWalAgainAndLeavesItAsItWas) {
  script("CREATE TABLE large (v BLOB); INSERT INTO large VALUES (randomblob(3000000))");
  const auto sum = [&] { return writer_->integer("SELECT length(v) FROM large").value(); };
  const std::uint64_t size = std::filesystem::file_size(path() + "-wal");
  EXPECT_GT(size, 3'000'000u);
  for (int i = 0; i < 2; ++i) {
    writer_.reset();
    auto opened = SqliteConnection::open(path(), SqliteMode::writer);
    ASSERT_TRUE(opened.ok()) << why(opened);
    writer_ = std::move(*opened);
    EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), size);
    EXPECT_EQ(sum(), 3'000'000);
  }
  ASSERT_TRUE(writer_->checkpoint(true).ok());
  EXPECT_EQ(sum(), 3'000'000);
}

TEST_F(SqliteTest, WhatCannotBeOpenedIsSaid) {
  std::ofstream(folder_.file("text.db")) << std::string(5000, 'x');
  std::ofstream(folder_.file("empty.db"));
  const struct {
    const char* name;
    SqliteMode mode;
    Errc code;
  } cases[] = {
      {"none.db", SqliteMode::reader, Errc::not_found},
      {"none/s.db", SqliteMode::writer, Errc::unavailable},
      {"text.db", SqliteMode::reader, Errc::corrupt},
      {"text.db", SqliteMode::writer, Errc::corrupt},
      {"empty.db", SqliteMode::reader, Errc::corrupt},  // not in WAL mode
  };
  for (const auto& expected : cases) {
    const auto opened = SqliteConnection::open(folder_.file(expected.name), expected.mode);
    ASSERT_FALSE(opened.ok()) << expected.name;
    EXPECT_EQ(opened.error().code, expected.code) << expected.name << ": " << why(opened);
    EXPECT_TRUE(opened.error().message.starts_with(folder_.file(expected.name))) << why(opened);
  }
}

}  // namespace
}  // namespace trialward::store
