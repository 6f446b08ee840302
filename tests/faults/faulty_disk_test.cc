#include "tests/faults/faulty_disk.h"

#include <gtest/gtest.h>

#include "store/sqlite.h"
#include "tests/store/store_bench.h"

namespace trialward::faults {
namespace {

using base::Errc;
using store::SqliteConnection;
using store::SqliteMode;

class FaultyDiskTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override {
    connection_.reset();
    disk_.crash(random_, 0);  // takes the faults back
  }

  void open() {
    auto opened = SqliteConnection::open(folder_.file("s.db"), SqliteMode::writer);
    ASSERT_TRUE(opened.ok()) << store::why(opened);
    connection_ = std::move(*opened);
    ASSERT_TRUE(connection_->script("CREATE TABLE IF NOT EXISTS t (n INTEGER, filling BLOB)").ok());
  }
  base::Status insert(std::int64_t n) {
    return connection_->execute("INSERT INTO t VALUES ($1, randomblob(3000))", {n});
  }
  void crash(unsigned survives_percent = 0) {
    disk_.power_off();
    connection_.reset();
    disk_.crash(random_, survives_percent);
    open();
  }
  std::int64_t count() {
    auto n = connection_->integer("SELECT count(*) FROM t");
    EXPECT_TRUE(n.ok()) << store::why(n);
    return n ? *n : -1;
  }

  void expect_sound() {
    auto check = connection_->query("PRAGMA integrity_check");
    ASSERT_TRUE(check.ok()) << store::why(check);
    ASSERT_TRUE(check->next().ok());
    EXPECT_EQ(check->text(0), "ok");
  }

  FaultyDisk& disk_ = FaultyDisk::install();
  base::SeededRandom random_{7};
  TemporaryFolder folder_;
  std::unique_ptr<SqliteConnection> connection_;
};

TEST_F(FaultyDiskTest, WhatWasSyncedSurvivesAPowerCut) {
  ASSERT_TRUE(insert(1).ok());
  ASSERT_TRUE(insert(2).ok());
  crash();
  EXPECT_EQ(count(), 2);
}

TEST_F(FaultyDiskTest, WhatWasNotSyncedDoesNot) {
  ASSERT_TRUE(insert(1).ok());
  ASSERT_TRUE(connection_->script("PRAGMA synchronous=OFF").ok());
  ASSERT_TRUE(insert(2).ok());
  EXPECT_EQ(count(), 2);  // as every connection reads it until then
  crash();
  EXPECT_EQ(count(), 1);
}

TEST_F(FaultyDiskTest, ASyncThatFailedIsNotMadeUpForByALaterOne) {
  ASSERT_TRUE(insert(1).ok());
  disk_.set_faults({.fail_sync = true});
  const auto failed = insert(2);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::unavailable);
  EXPECT_GT(disk_.counts().failed, 0);
  disk_.set_faults({});
  crash(100);
  EXPECT_EQ(count(), 1);
}

TEST_F(FaultyDiskTest, NothingGrowsOnAFullDisk) {
  ASSERT_TRUE(insert(1).ok());
  disk_.set_faults({.full = true});
  EXPECT_FALSE(insert(2).ok());
  disk_.set_faults({});
  ASSERT_TRUE(insert(3).ok());
  EXPECT_EQ(count(), 2);
}

TEST_F(FaultyDiskTest, WritesFailWhenTheyShall) {
  disk_.set_faults({.fail_write_after = 1});
  EXPECT_FALSE(insert(1).ok());
  disk_.set_faults({});
  crash(50);
  EXPECT_EQ(count(), 0);
}

TEST_F(FaultyDiskTest, WhatWasWrittenOutlivesItsProcessIfNotThePower) {
  ASSERT_TRUE(connection_->script("PRAGMA synchronous=OFF").ok());
  ASSERT_TRUE(insert(1).ok());
  disk_.power_off();
  EXPECT_FALSE(insert(2).ok());
  connection_.reset();
  disk_.restart();
  {  // a writer would make it durable
    auto reader = SqliteConnection::open(folder_.file("s.db"), SqliteMode::reader);
    ASSERT_TRUE(reader.ok()) << store::why(reader);
    auto there = (*reader)->integer("SELECT count(*) FROM t");
    ASSERT_TRUE(there.ok()) << store::why(there);
    EXPECT_EQ(*there, 1);
  }
  crash();
  EXPECT_EQ(count(), 0);
}

// The second process reads the commit that failed, as the cache has it, and must not build on it
// what outlives the power.
TEST_F(FaultyDiskTest, P9AFailedSyncARestartAndAPowerCutLeaveTheFileSound) {
  for (int n = 0; n < 5; ++n) ASSERT_TRUE(insert(n).ok());
  disk_.set_faults({.fail_sync = true});
  EXPECT_FALSE(connection_->script("UPDATE t SET filling = randomblob(9000)").ok());
  disk_.power_off();
  connection_.reset();
  disk_.restart();
  open();
  ASSERT_TRUE(connection_->checkpoint(true).ok());
  crash();
  expect_sound();
  EXPECT_EQ(count(), 5);
}

TEST_F(FaultyDiskTest, ReadsFailWhenTheyShall) {
  ASSERT_TRUE(insert(1).ok());
  connection_.reset();
  open();
  disk_.set_faults({.fail_read = true});
  EXPECT_FALSE(connection_->integer("SELECT count(*) FROM t").ok());
  EXPECT_TRUE(connection_->disk_failed());
  disk_.set_faults({});
  EXPECT_EQ(count(), 1);
}

// Whatever part of the last, unsynced writes survives: the file is sound and ends at a commit.
TEST_F(FaultyDiskTest, SomeSectorsSurvive) {
  std::int64_t stored = 0;
  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(insert(1).ok());
    ++stored;
    if (round % 3 == 0) {
      ASSERT_TRUE(connection_->checkpoint(true).ok());
    }
    ASSERT_TRUE(connection_->script("BEGIN; INSERT INTO t VALUES (2, randomblob(200000));").ok());
    if (round % 2 == 0) {
      disk_.set_faults({.fail_write_after = static_cast<std::int64_t>(random_.below(40))});
      (void)connection_->script("COMMIT");
    }
    crash(static_cast<unsigned>(random_.below(101)));
    expect_sound();
    const std::int64_t now = count();
    ASSERT_TRUE(now == stored || now == stored + 1) << round;
    stored = now;
  }
}

TEST_F(FaultyDiskTest, EqualSeedsGiveEqualRandomNumbers) {
  std::int64_t drawn[3];
  for (int i = 0; i < 3; ++i) {
    disk_.seed(i == 1 ? 8 : 7);
    auto number = connection_->integer("SELECT random() + " + std::to_string(i) + " - " +
                                       std::to_string(i));
    ASSERT_TRUE(number.ok()) << store::why(number);
    drawn[i] = *number;
  }
  EXPECT_EQ(drawn[0], drawn[2]);
  EXPECT_NE(drawn[0], drawn[1]);
}

TEST_F(FaultyDiskTest, CallsBackInEachSync) {
  int called = 0;
  disk_.on_sync([&] { ++called; });
  ASSERT_TRUE(insert(1).ok());
  disk_.on_sync({});
  EXPECT_GE(called, 1);
}

}  // namespace
}  // namespace trialward::faults
