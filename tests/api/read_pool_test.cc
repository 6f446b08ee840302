#include "api/read_pool.h"

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

#include "tests/store_place.h"

namespace trialward::api {
namespace {

using namespace std::chrono_literals;
using base::Errc;

constexpr std::size_t kIntake = 0;

class ReadPoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TRIALWARD_NEEDS_STORE();
    auto store = store::Store::open(place_.store(), random_);
    ASSERT_TRUE(store.ok());
    store_ = std::move(*store);
  }
  void TearDown() override {
    release_ = true;
    release_.notify_all();
    pool_.reset();
  }
  void open(const ReadPoolOptions& options) {
    auto opened = ReadPool::open(*store_, options, tasks_, random_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    pool_ = std::move(*opened);
  }
  // Work that has its connection until the test's end; it is counted once it has it, or refused.
  void hold(ReadClass cls, int times = 1) {
    for (int i = 0; i < times; ++i) {
      pool_->run(
          cls, "held", {},
          [this](store::Connection& connection) {
            const auto five = connection.integer("SELECT 5");
            // Who has waited until the test's end may be stopped as soon as it has its turn.
            if (!five && five.error().code == Errc::cancelled) return;
            EXPECT_EQ(five.value(), 5);
            ++working_;
            release_.wait(false);
          },
          [this](std::string_view reason) {
            const std::lock_guard lock(mutex_);
            reason_ = reason;
            ++refused_;
          });
    }
  }
  std::string reason() {
    const std::lock_guard lock(mutex_);
    return reason_;
  }
  runtime::GateClassStats stats(std::size_t cls) { return pool_->stats()[cls]; }
  std::size_t held(ReadClass cls) { return stats(static_cast<std::size_t>(cls)).in_use; }
  static void wait_for(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::yield();
    }
  }

  StorePlace place_;
  base::SeededRandom random_{1};
  base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  std::unique_ptr<store::Store> store_;
  std::atomic<bool> release_ = false;
  std::atomic<int> working_ = 0, refused_ = 0;
  std::mutex mutex_;  // several workers may refuse at the same time
  std::string reason_;
  std::unique_ptr<ReadPool> pool_;
};

TEST_F(ReadPoolTest, P7EachClassHasItsShareWhateverTheOthersAskFor) {
  open({});
  EXPECT_EQ(stats(kIntake).in_use, 1u) << "the writer's, from the beginning on";
  for (const ReadClass cls : {ReadClass::reports, ReadClass::exports}) hold(cls, 20);
  wait_for([&] { return working_ == 4; });
  EXPECT_EQ(held(ReadClass::reports), 2u);
  EXPECT_EQ(held(ReadClass::exports), 2u);
  hold(ReadClass::view, 20);
  wait_for([&] { return working_ == 6; });
  EXPECT_EQ(held(ReadClass::view), 2u);
  EXPECT_EQ(pool_->background()->integer("SELECT 5").value(), 5);
  EXPECT_EQ(stats(static_cast<std::size_t>(ReadClass::view)).waiting, 18u);
  EXPECT_EQ(stats(kIntake).in_use, 1u);
}

TEST_F(ReadPoolTest, P7WhatIsSpareMayBeBorrowed) {
  open({.connections = 12});
  hold(ReadClass::view, 20);
  // All but the writer's, and what the background does not lend.
  wait_for([&] { return working_ == 10; });
  EXPECT_EQ(held(ReadClass::view), 10u);
  EXPECT_EQ(pool_->background()->integer("SELECT 5").value(), 5);
}

TEST_F(ReadPoolTest, WithoutBudgetsOneClassMayHaveThemAll) {
  open({.connections = 8, .reports_max = 50, .deadline = 1s, .budgets = false});
  hold(ReadClass::reports, 20);
  wait_for([&] { return working_ == 7; });
  EXPECT_EQ(stats(kIntake).in_use, 1u);
  EXPECT_EQ(pool_->background()->integer("SELECT 5").error().code, Errc::unavailable);
}

TEST_F(ReadPoolTest, FewerThanAreGuaranteedAreRefused) {
  const auto opened = ReadPool::open(*store_, {.connections = 5}, tasks_, random_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_NE(opened.error().message.find("5 database connections are fewer than the 6"),
            std::string::npos)
      << opened.error().message;
}

TEST_F(ReadPoolTest, AWaiterIsRefusedAtItsDeadline) {
  open({.deadline = 1s});
  hold(ReadClass::reports, 2);
  wait_for([&] { return working_ == 2; });
  hold(ReadClass::reports);
  wait_for([&] { return refused_ == 1; });
  EXPECT_EQ(reason(), "it waited for a database connection past its deadline");
  EXPECT_EQ(stats(static_cast<std::size_t>(ReadClass::reports)).refused, 1u);
  const auto lease = pool_->lease(ReadClass::reports, {});
  ASSERT_FALSE(lease.ok());
  EXPECT_EQ(lease.error().message, "no database connection: deadline");
}

TEST_F(ReadPoolTest, P4MoreThanMayWaitAreRefusedAtOnce) {
  open({.waiting_max = 3});
  hold(ReadClass::reports, 2);
  wait_for([&] { return working_ == 2; });
  hold(ReadClass::reports, 4);
  EXPECT_EQ(refused_, 1);
  EXPECT_EQ(reason(), "too many requests wait for a database connection");
}

TEST_F(ReadPoolTest, P5WhoIsToldToStopBetweenTwoStatementsDoes) {
  open({});
  const runtime::Cancel cancel;
  auto lease = pool_->lease(ReadClass::reports, cancel);
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(lease->connection().integer("SELECT 5").value(), 5);
  cancel.fire(runtime::CancelReason::requested);
  EXPECT_EQ(lease->connection().integer("SELECT 5").error().code, Errc::cancelled);
  { const auto ended = std::move(*lease); }
  // And not who has the connection after him.
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(pool_->background()->integer("SELECT 5").value(), 5);
  }
}

TEST_F(ReadPoolTest, P7WhoHasAConnectionAndWantsASecondStopsTheProgram) {
  open({});
  const auto wants_another = [&] {
    EXPECT_DEATH((void)pool_->lease(ReadClass::reports, {}), "nested");
    EXPECT_DEATH((void)pool_->background()->integer("SELECT 5"), "nested");
  };
  {
    const auto lease = pool_->lease(ReadClass::reports, {});
    wants_another();
  }
  std::latch done(1);
  pool_->run(
      ReadClass::view, "view", {},
      [&](store::Connection&) {
        wants_another();
        done.count_down();
      },
      [](std::string_view reason) { FAIL() << reason; });
  done.wait();
}

// Their server may hang: sessions that were with it are not used again.
TEST_F(ReadPoolTest, AfterItIsSuspectedADatabaseIsAskedInNewSessions) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  open({});
  const auto task = pool_->background();
  const auto session = [&] { return task->integer("SELECT pg_backend_pid()").value(); };
  const std::int64_t before = session();
  EXPECT_EQ(session(), before);
  pool_->suspect();
  const std::int64_t after = session();
  EXPECT_NE(after, before);
  EXPECT_EQ(session(), after);
}

TEST_F(ReadPoolTest, ABackgroundTaskHasAConnectionOnlyWhileItAsks) {
  open({});
  const auto task = pool_->background();
  EXPECT_EQ(task->is_postgres(), on_postgres());
  {
    auto outer = task->query("SELECT x.a FROM (SELECT 1 AS a UNION ALL SELECT 2) x ORDER BY 1");
    ASSERT_TRUE(outer.ok());
    for (std::int64_t i = 1; i <= 2; ++i) {
      ASSERT_TRUE(outer->next().value());
      EXPECT_EQ(outer->integer(0), i);
      EXPECT_EQ(task->integer("SELECT $1 + 0", {i}).value(), i);
      EXPECT_EQ(held(ReadClass::background), 1u) << "one connection, also for two statements";
    }
    EXPECT_FALSE(outer->next().value());
  }
  EXPECT_EQ(held(ReadClass::background), 0u);
  EXPECT_EQ(task->execute("BEGIN").error().code, Errc::invalid);
  EXPECT_FALSE(task->integer("SELECT nothing FROM nowhere").ok());
  EXPECT_EQ(held(ReadClass::background), 0u);
}

TEST_F(ReadPoolTest, P5ABackgroundTaskThatWaitsForAConnectionCanBeStopped) {
  open({.deadline = 60s});
  hold(ReadClass::background, 2);
  wait_for([&] { return working_ == 2; });
  const auto task = pool_->background();
  std::thread stops([&] {
    wait_for([&] { return stats(static_cast<std::size_t>(ReadClass::background)).waiting == 1; });
    task->interrupt();
  });
  EXPECT_EQ(task->integer("SELECT 5").error().code, Errc::cancelled);
  stops.join();
}

}  // namespace
}  // namespace trialward::api
