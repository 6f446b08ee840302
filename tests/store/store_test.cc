#include "store/store.h"

#include <fstream>

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class StoreTest : public StoreBench {};

TEST(ParseStoreUrl, TakesThePathOfSqlite) {
  EXPECT_EQ(parse_store_url("sqlite:/var/lib/s.db").value(), "/var/lib/s.db");
  EXPECT_EQ(parse_store_url("sqlite:a:b").value(), "a:b");
  for (const char* url : {"", "sqlite:", "sqlite", "/var/lib/s.db", "postgres://x", "Sqlite:x"}) {
    const auto path = parse_store_url(url);
    ASSERT_FALSE(path.ok()) << url;
    EXPECT_EQ(path.error().code, Errc::invalid);
    EXPECT_EQ(path.error().message,
              "'" + std::string(url) + "' is not a store; expected sqlite:PATH");
  }
}

TEST_F(StoreTest, HasOneWriterAlways) {
  const auto second = Store::open(path(), random_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::refused);
  store_.reset();
  EXPECT_TRUE(Store::open(path(), random_).ok());
}

TEST_F(StoreTest, KeepsTheIdThatItWasMadeWith) {
  const auto id = [&] {
    auto rows = connection().query("SELECT value FROM meta");
    TW_CHECK(rows.ok() && rows->next().value());
    return std::string(rows->text(0));
  };
  const std::string made = id();
  EXPECT_EQ(made.size(), 32u);
  reopen();
  EXPECT_EQ(id(), made);
  auto other = Store::open(folder_.file("t.db"), random_);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)
                ->writer()
                .connection()
                .integer("SELECT count(*) FROM meta WHERE value = $1", {std::string_view(made)})
                .value(),
            0);
}

TEST_F(StoreTest, AFailedOpenHoldsNothing) {
  std::ofstream(folder_.file("t.db")) << std::string(5000, 'x');
  for (int i = 0; i < 2; ++i) {
    const auto opened = Store::open(folder_.file("t.db"), random_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::corrupt);
  }
}

TEST_F(StoreTest, ClosedItIsInOneFile) {
  commit([&] {
    const std::vector<SqlValue> row = {std::int64_t{1}, std::string_view("s")};
    ASSERT_TRUE(writer().append(Table::studies, 0, {.actor = "a", .action = "b"}, row).ok());
  });
  store_.reset();
  std::filesystem::copy_file(path(), folder_.file("copy.db"));
  auto copy = SqliteConnection::open(folder_.file("copy.db"), SqliteMode::reader);
  ASSERT_TRUE(copy.ok()) << why(copy);
  EXPECT_EQ((*copy)->integer("SELECT count(*) FROM studies").value(), 1);
}

TEST_F(StoreTest, WhatAKilledProcessLeftInTheWalIsThere) {
  commit([&] {
    const std::vector<SqlValue> row = {std::int64_t{1}, std::string_view("s")};
    ASSERT_TRUE(writer().append(Table::studies, 0, {.actor = "a", .action = "b"}, row).ok());
  });
  // Files as they are while the first process lives.
  for (const char* file : {"", "-wal"}) {
    std::filesystem::copy_file(path() + file, folder_.file("killed.db") + file);
  }
  auto again = Store::open(folder_.file("killed.db"), random_);
  ASSERT_TRUE(again.ok()) << why(again);
  EXPECT_EQ((*again)->writer().next_id(Table::studies), 2);
  EXPECT_EQ((*again)->writer().last_seq(), 1);
}

}  // namespace
}  // namespace trialward::store
