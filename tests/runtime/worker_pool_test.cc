#include "runtime/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/bounded_queue.h"
#include "tests/runtime/yield.h"

namespace trialward::runtime {
namespace {

// Calls `body`, and when that says false waits for the stop.
class FunctionWorker final : public Worker {
 public:
  FunctionWorker(const base::Clock& clock, std::function<bool(const Cancel&)> body)
      : clock_(clock), body_(std::move(body)) {}
  bool run_once(const Cancel& stop) override { return body_(stop); }
  bool wait(const Cancel& stop) override { return !stop.wait_until(clock_, kForever); }

 private:
  const base::Clock& clock_;
  std::function<bool(const Cancel&)> body_;
};

class WorkerPoolTest : public testing::Test {
 protected:
  std::vector<std::unique_ptr<Worker>> workers(std::size_t count,
                                               std::function<bool(const Cancel&)> body) {
    std::vector<std::unique_ptr<Worker>> made;
    for (std::size_t i = 0; i < count; ++i) {
      made.push_back(std::make_unique<FunctionWorker>(clock_, body));
    }
    return made;
  }

  base::SystemClock clock_;
  TaskList tasks_{clock_};
};

TEST_F(WorkerPoolTest, RunsOneNamedAndListedThreadForEachWorker) {
  std::latch running(3);
  std::mutex mutex;
  std::vector<std::string> names;
  const auto body = [&](const Cancel&) {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    {
      const std::lock_guard lock(mutex);
      names.emplace_back(name.data());
    }
    running.count_down();
    return false;
  };
  {
    WorkerPool pool({.name = "commit"}, tasks_, workers(3, body));
    running.wait();
    EXPECT_EQ(pool.threads(), 3u);
    EXPECT_EQ(tasks_.count(), 3u);
    EXPECT_EQ(tasks_.snapshot().at(0).owner, "commit");
    pool.stop();
    pool.stop();
    EXPECT_EQ(tasks_.count(), 0u);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"commit-0", "commit-1", "commit-2"}));
}

TEST_F(WorkerPoolTest, ABodyThatThrowsIsCountedAndTheWorkerLivesOn) {
  std::latch recovered(1);
  int calls = 0;
  const auto body = [&](const Cancel&) {
    ++calls;
    if (calls == 1) throw std::runtime_error("first");
    if (calls == 2) throw 2;
    recovered.count_down();
    return false;
  };
  WorkerPool pool({.name = "t", .backoff_initial = std::chrono::microseconds(1)}, tasks_,
                  workers(1, body));
  recovered.wait();
  pool.stop();
  EXPECT_EQ(pool.failures(), 2u);
  EXPECT_EQ(calls, 3);
}

TEST_F(WorkerPoolTest, ABodyThatAlwaysThrowsPausesAndThePauseEndsWithStop) {
  std::latch thrown(1);
  int calls = 0;
  const auto body = [&](const Cancel&) -> bool {
    if (++calls == 1) thrown.count_down();
    throw std::runtime_error("always");
  };
  WorkerPool pool({.name = "t",
                   .backoff_initial = std::chrono::hours(24),
                   .backoff_max = std::chrono::hours(24)},
                  tasks_, workers(1, body));
  thrown.wait();
  yield_often();
  pool.stop();
  EXPECT_EQ(calls, 1);
}

TEST_F(WorkerPoolTest, StopReachesTheWorkThatRuns) {
  std::latch running(1);
  CancelReason seen = CancelReason::none;
  const auto body = [&](const Cancel& stop) {
    running.count_down();
    stop.wait_until(clock_, kForever);
    seen = stop.reason();
    return true;
  };
  WorkerPool pool({.name = "t"}, tasks_, workers(1, body));
  running.wait();
  pool.stop();
  EXPECT_EQ(seen, CancelReason::shutdown);
}

TEST_F(WorkerPoolTest, KnowsItsOwnThreads) {
  std::latch asked(1);
  WorkerPool* self = nullptr;
  std::latch made(1);
  bool own = false;
  const auto body = [&](const Cancel&) {
    made.wait();
    own = self->on_own_thread();
    asked.count_down();
    return false;
  };
  WorkerPool pool({.name = "t"}, tasks_, workers(1, body));
  self = &pool;
  made.count_down();
  asked.wait();
  EXPECT_TRUE(own);
  EXPECT_FALSE(pool.on_own_thread());
}

// What feeds on a queue: how intake/ uses the pool.
class QueueWorker final : public Worker {
 public:
  QueueWorker(BoundedQueue<int>& queue, std::vector<int>& out) : queue_(queue), out_(out) {}
  bool run_once(const Cancel&) override {
    const auto batch = queue_.pop_batch({.items_max = 4, .bytes_max = 100});
    out_.insert(out_.end(), batch.items.begin(), batch.items.end());
    return !batch.empty();
  }
  bool wait(const Cancel& stop) override { return queue_.wait(stop) || !queue_.drained(); }

 private:
  BoundedQueue<int>& queue_;
  std::vector<int>& out_;
};

QueueOptions one_lane() {
  return {.lanes = {{.name = "live", .items_max = 100, .bytes_max = 100}},
          .aging = std::chrono::hours(1)};
}

TEST_F(WorkerPoolTest, AWorkerIsDrivenWithoutThreads) {
  BoundedQueue<int> queue(one_lane(), clock_);
  std::vector<int> out;
  QueueWorker worker(queue, out);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.try_push(0, 1, i, 0, kForever), std::nullopt);
  const Cancel stop;
  EXPECT_TRUE(worker.run_once(stop));
  EXPECT_EQ(out.size(), 4u);
  EXPECT_TRUE(worker.run_once(stop));
  EXPECT_FALSE(worker.run_once(stop));
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(WorkerPoolTest, JoinReturnsWhenTheQueueIsDrained) {
  BoundedQueue<int> queue(one_lane(), clock_);
  std::vector<int> out;
  std::vector<std::unique_ptr<Worker>> made;
  made.push_back(std::make_unique<QueueWorker>(queue, out));
  WorkerPool pool({.name = "t"}, tasks_, std::move(made));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(queue.try_push(0, 1, i, 0, kForever), std::nullopt);
  queue.close();
  pool.join();
  EXPECT_EQ(out.size(), 50u);
  EXPECT_TRUE(queue.drained());
}

using WorkerPoolDeathTest = WorkerPoolTest;

TEST_F(WorkerPoolDeathTest, StoppingAPoolFromItsOwnThreadStopsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        WorkerPool* self = nullptr;
        std::latch made(1);
        WorkerPool pool({.name = "t"}, tasks_, workers(1, [&](const Cancel&) {
                          made.wait();
                          self->stop();
                          return false;
                        }));
        self = &pool;
        made.count_down();
        pool.join();
      },
      "on_own_thread");
}

}  // namespace
}  // namespace trialward::runtime
