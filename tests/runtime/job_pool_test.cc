#include "runtime/job_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/gate.h"

namespace trialward::runtime {
namespace {

using base::Errc;
using base::Status;
using std::chrono::hours;
using std::chrono::seconds;

Status fine(const Cancel&) { return {}; }

class JobPoolTest : public testing::Test {
 protected:
  JobPool& make(std::size_t threads, std::size_t queued_max) {
    return pool_.emplace(
        JobPoolOptions{.name = "jobs", .threads = threads, .queued_max = queued_max}, tasks_);
  }
  JobPool::Handle submit(std::string name, JobPool::Body body) {
    auto handle = pool_->submit(std::move(name), clock_.now() + seconds(60), std::move(body));
    TW_CHECK(handle.ok());
    return *handle;
  }
  // A job that listens to nothing until release_ is counted down. Returns once it runs.
  JobPool::Handle submit_stubborn() {
    auto handle = submit("stubborn", [this](const Cancel&) -> Status {
      running_.count_down();
      release_.wait();
      return {};
    });
    running_.wait();
    return handle;
  }
  const TaskInfo task(std::string_view name) const {
    for (const TaskInfo& one : tasks_.snapshot()) {
      if (one.name == name) return one;
    }
    return {};
  }

  base::FakeClock clock_;
  TaskList tasks_{clock_};
  std::latch running_{1};
  std::latch release_{1};
  std::optional<JobPool> pool_;
};

TEST_F(JobPoolTest, AnswersWithWhatTheJobAnswers) {
  make(2, 10);
  EXPECT_TRUE(submit("good", fine).wait().ok());
  const auto bad = submit("bad", [](const Cancel&) -> Status {
    return base::Error{Errc::conflict, "seen before"};
  });
  EXPECT_EQ(bad.wait().error().code, Errc::conflict);
  EXPECT_EQ(bad.wait().error().message, "seen before");
  EXPECT_TRUE(bad.done());
  EXPECT_EQ(pool_->stats().completed, 2u);
  EXPECT_EQ(task("good").name, "");
}

TEST_F(JobPoolTest, P3RefusesWhenItsQueueIsFull) {
  make(1, 1);
  submit_stubborn();
  submit("queued", fine);
  EXPECT_EQ(task("queued").where, "queued");
  EXPECT_EQ(task("stubborn").where, "runs");
  EXPECT_EQ(pool_->submit("one too many", clock_.now(), fine).error(), Refusal::items_full);
  EXPECT_EQ(pool_->stats().refused, 1u);
  EXPECT_EQ(pool_->stats().queued, 1u);
  EXPECT_EQ(pool_->stats().running, 1u);
  release_.count_down();
}

TEST_F(JobPoolTest, KnownFaultNestedSubmitDeadlock) {
  make(1, 10);
  std::atomic<bool> inner_ran = false;
  std::optional<Status> inner_answer;
  const auto outer = submit("outer", [&](const Cancel&) -> Status {
    const auto inner = submit("inner", [&](const Cancel&) -> Status {
      inner_ran = true;
      return {};
    });
    inner_answer = inner.wait();
    return {};
  });
  EXPECT_TRUE(outer.wait().ok());
  ASSERT_TRUE(inner_answer.has_value());
  EXPECT_EQ(inner_answer->error().code, Errc::refused);
  // Submitted without waiting it is an ordinary job.
  EXPECT_TRUE(submit("after", fine).wait().ok());
  EXPECT_TRUE(inner_ran);
}

TEST_F(JobPoolTest, KnownFaultDeadlockOnAFullQueueWhileStopping) {
  make(1, 3);
  const auto blocked = submit("blocked", [this](const Cancel& cancel) -> Status {
    running_.count_down();
    cancel.wait_until(clock_, kForever);
    return base::Error{Errc::cancelled, std::string(to_string(cancel.reason()))};
  });
  running_.wait();
  std::vector<JobPool::Handle> queued;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 3; ++i) {
    queued.push_back(submit("queued", [&](const Cancel&) -> Status {
      ++ran;
      return {};
    }));
  }
  ASSERT_FALSE(pool_->submit("full", clock_.now() + seconds(1), fine).ok());
  pool_->stop();
  EXPECT_EQ(blocked.wait().error().message, "shutdown");
  for (const auto& one : queued) EXPECT_EQ(one.wait().error().code, Errc::cancelled);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(pool_->stats().dropped, 3u);
  EXPECT_EQ(pool_->submit("late", clock_.now() + seconds(1), fine).error(), Refusal::closed);
  EXPECT_EQ(tasks_.count(), 0u);
}

TEST_F(JobPoolTest, KnownFaultWaitersLeftBehindWhenAJobThrows) {
  make(1, 10);
  const auto threw =
      submit("threw", [](const Cancel&) -> Status { throw std::runtime_error("oops"); });
  std::vector<std::jthread> waiters;
  std::atomic<int> told = 0;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] {
      if (threw.wait().error().code == Errc::unavailable) ++told;
    });
  }
  waiters.clear();
  EXPECT_EQ(told, 3);
  EXPECT_EQ(threw.wait().error().message, "job threw: threw: oops");
  EXPECT_EQ(submit("odd", [](const Cancel&) -> Status { throw 1; }).wait().error().code,
            Errc::unavailable);
  EXPECT_EQ(pool_->stats().threw, 2u);
  EXPECT_TRUE(submit("next", fine).wait().ok());
}

TEST_F(JobPoolTest, KnownFaultAJobThatIgnoresItsTimeout) {
  make(1, 10);
  const auto stubborn = submit_stubborn();
  std::optional<Status> answer;
  std::jthread waiter([&] { answer = stubborn.wait(); });
  clock_.advance(seconds(60));
  pool_->expire();
  waiter.join();
  EXPECT_EQ(answer->error().code, Errc::deadline);
  // It still has its thread, and everybody can see that it is late.
  EXPECT_EQ(pool_->stats().running, 1u);
  EXPECT_TRUE(task("stubborn").overdue);
  const auto next = submit("next", fine);
  EXPECT_FALSE(next.done());
  release_.count_down();
  EXPECT_TRUE(next.wait().ok());
  EXPECT_EQ(stubborn.wait().error().code, Errc::deadline);
  EXPECT_EQ(task("stubborn").name, "");
}

TEST_F(JobPoolTest, AJobThatEndsLateGivesEveryWaiterTheSameAnswer) {
  make(1, 10);
  const auto late = submit("late", [this](const Cancel&) -> Status {
    running_.count_down();
    clock_.advance(seconds(60));
    return {};
  });
  running_.wait();
  pool_->stop();  // returns when it has ended
  const Status answer = late.wait();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::deadline);
}

TEST_F(JobPoolTest, KnownFaultASlotFreedBeforeTheServerSideHasStopped) {
  Gate gate({.classes = {{"reports", 1, 1}}, .total = 1, .waiters_max = 1}, clock_);
  make(1, 10);
  const auto holder = submit("holder", [&](const Cancel& cancel) -> Status {
    const auto slot = gate.acquire(0, clock_.now() + hours(1), cancel);
    running_.count_down();
    release_.wait();  // the statement does not stop when it is told to
    return {};
  });
  running_.wait();
  clock_.advance(seconds(60));
  pool_->expire();
  EXPECT_EQ(holder.wait().error().code, Errc::deadline);
  EXPECT_EQ(gate.in_use(), 1u);
  bool granted = false;
  gate.acquire_async(0, kForever, [&](Gate::Answer slot) { granted = slot.ok(); });
  EXPECT_FALSE(granted);
  release_.count_down();
  pool_->stop();
  EXPECT_TRUE(granted);
}

TEST_F(JobPoolTest, TheWatchdogFiresWithoutBeingDriven) {
  make(1, 10);
  CancelReason seen = CancelReason::none;
  const auto job = submit("job", [&](const Cancel& cancel) -> Status {
    running_.count_down();
    cancel.wait_until(clock_, kForever);
    seen = cancel.reason();
    release_.count_down();
    return {};
  });
  running_.wait();
  clock_.advance(seconds(60));
  // The watchdog's thread cannot see a FakeClock move; an earlier deadline makes it look.
  const auto late = pool_->submit("late", clock_.now() - seconds(1), fine);
  release_.wait();
  EXPECT_EQ(seen, CancelReason::deadline);
  EXPECT_EQ(job.wait().error().code, Errc::deadline);
  EXPECT_EQ(late->wait().error().code, Errc::deadline);
}

TEST_F(JobPoolTest, AQueuedJobPastItsDeadlineNeverRunsAndItsWaiterNeedsNoWatchdog) {
  make(1, 10);
  submit_stubborn();
  std::atomic<bool> ran = false;
  const auto late = pool_->submit("late", clock_.now() + hours(24), [&](const Cancel&) -> Status {
    ran = true;
    return {};
  });
  clock_.advance(hours(24));
  EXPECT_EQ(late->wait().error().code, Errc::deadline);
  release_.count_down();
  EXPECT_TRUE(submit("next", fine).wait().ok());
  EXPECT_FALSE(ran);
  EXPECT_EQ(pool_->stats().dropped, 1u);
}

TEST_F(JobPoolTest, AQueuedJobIsCancelledAtOnceByItsHandleOrItsParent) {
  make(1, 10);
  submit_stubborn();
  const Cancel request;
  std::atomic<int> ran = 0;
  const auto count = [&](const Cancel&) -> Status {
    ++ran;
    return {};
  };
  const auto by_handle = submit("one", count);
  const auto by_parent = pool_->submit("two", clock_.now() + seconds(9), count, request);
  by_handle.cancel();
  request.fire(CancelReason::disconnected);
  EXPECT_EQ(by_handle.wait().error().code, Errc::cancelled);
  EXPECT_EQ(by_parent->wait().error().message, "job two: disconnected");
  release_.count_down();
  EXPECT_TRUE(submit("next", fine).wait().ok());
  EXPECT_EQ(ran, 0);
}

TEST_F(JobPoolTest, ARunningJobThatIsCancelledGivesItsOwnAnswer) {
  make(1, 10);
  const auto job = submit("job", [this](const Cancel& cancel) -> Status {
    running_.count_down();
    cancel.wait_until(clock_, kForever);
    return {};  // it was as good as done
  });
  running_.wait();
  job.cancel();
  EXPECT_TRUE(job.wait().ok());
}

TEST_F(JobPoolTest, WhatAJobOwnsIsGoneWhenItsWaiterIsTold) {
  make(1, 10);
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = owned;
  const auto job =
      submit("owner", [owned = std::move(owned)](const Cancel&) -> Status { return {}; });
  EXPECT_TRUE(job.wait().ok());
  EXPECT_TRUE(seen.expired());
}

TEST_F(JobPoolTest, AHandleOutlivesThePool) {
  make(1, 10);
  const auto job = submit("job", fine);
  EXPECT_TRUE(job.wait().ok());
  pool_.reset();
  EXPECT_TRUE(job.wait().ok());
  job.cancel();
}

// For the thread sanitizer: whoever submits while it stops gets an answer all the same.
TEST_F(JobPoolTest, StoppingUnderFireAnswersEverybody) {
  for (int round = 0; round < 30; ++round) {
    JobPool& pool = make(2, 4);
    std::latch start(3);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (int n = 0; n < 50; ++n) {
          const auto job = pool.submit("job", clock_.now() + seconds(60), fine);
          if (job.ok()) {
            const Status answer = job->wait();
            EXPECT_TRUE(answer.ok() || answer.error().code == Errc::cancelled);
          }
        }
      });
    }
    start.arrive_and_wait();
    pool.stop();
    threads.clear();
    const JobPoolStats stats = pool.stats();
    EXPECT_EQ(stats.running + stats.queued, 0u);
    EXPECT_EQ(tasks_.count(), 0u);
  }
}

}  // namespace
}  // namespace trialward::runtime
