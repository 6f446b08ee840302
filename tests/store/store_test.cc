#include "store/store.h"

#include <fstream>

#include "store/sqlite.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class StoreTest : public StoreBench {};

TEST_F(StoreTest, HasOneWriterAlways) {
  TRIALWARD_SQLITE_ONLY();
  const auto second = Store::open(path(), random_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::refused);
  store_.reset();
  EXPECT_TRUE(Store::open(path(), random_).ok());
}

TEST_F(StoreTest, HasOneWriterByWhateverPath) {
  TRIALWARD_SQLITE_ONLY();
  std::filesystem::create_symlink("s.db", folder_.file("link.db"));
  std::filesystem::create_directory_symlink(".", folder_.file("here"));
  for (const char* other : {"link.db", "here/s.db", "here/here/link.db"}) {
    const auto second = Store::open(folder_.file(other), random_);
    ASSERT_FALSE(second.ok()) << other;
    EXPECT_EQ(second.error().code, Errc::refused) << other;
    EXPECT_TRUE(second.error().message.starts_with(path() + " is in use")) << why(second);
  }
  store_.reset();
  const auto by_link = Store::open(folder_.file("link.db"), random_);
  ASSERT_TRUE(by_link.ok()) << why(by_link);
  EXPECT_EQ((*by_link)->path(), path());
}

TEST_F(StoreTest, IsNotOpenedAgainAfterItWasMoved) {
  TRIALWARD_SQLITE_ONLY();
  std::filesystem::rename(path(), folder_.file("moved.db"));
  const auto second = Store::open(folder_.file("moved.db"), random_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::refused);
  std::filesystem::rename(folder_.file("moved.db"), path());
}

TEST_F(StoreTest, OfTwoNamesIsRefused) {
  TRIALWARD_SQLITE_ONLY();
  store_.reset();
  std::filesystem::create_hard_link(path(), folder_.file("other.db"));
  for (const char* name : {"s.db", "other.db"}) {
    const auto opened = Store::open(folder_.file(name), random_);
    ASSERT_FALSE(opened.ok()) << name;
    EXPECT_EQ(opened.error().code, Errc::invalid);
    EXPECT_NE(opened.error().message.find("hard link"), std::string::npos) << why(opened);
  }
  std::filesystem::remove(folder_.file("other.db"));
  EXPECT_TRUE(Store::open(path(), random_).ok());
}

TEST_F(StoreTest, IsForItsOwnerOnly) {
  TRIALWARD_SQLITE_ONLY();
  for (const char* end : {"", "-wal", "-shm", ".lock"}) {
    const auto status = std::filesystem::status(path() + end);
    ASSERT_TRUE(std::filesystem::exists(status)) << end;
    EXPECT_EQ(status.permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << end;
  }
}

TEST_F(StoreTest, KeepsTheIdThatItWasMadeWith) {
  TRIALWARD_SQLITE_ONLY();
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
  TRIALWARD_SQLITE_ONLY();
  std::ofstream(folder_.file("t.db")) << std::string(5000, 'x');
  for (int i = 0; i < 2; ++i) {
    const auto opened = Store::open(folder_.file("t.db"), random_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::corrupt);
  }
}

TEST_F(StoreTest, ClosedItIsInOneFile) {
  TRIALWARD_SQLITE_ONLY();
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
  TRIALWARD_SQLITE_ONLY();
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
