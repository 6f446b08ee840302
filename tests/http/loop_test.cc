#include "http/loop.h"

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

struct RunningLoop {
  base::SystemClock clock;
  runtime::TaskList tasks{clock};
  std::shared_ptr<Loop> loop = std::make_shared<Loop>();
  std::unique_ptr<runtime::WorkerPool> threads = run_loops("test", {loop}, tasks);
};

// A worker that answers a whole batch wakes the I/O thread once, not once per answer.
TEST(Loop, ManyTasksCostOneWakeUp) {
  RunningLoop running;
  Channel<int> entered;
  Channel<int> go_on;
  running.loop->post([&] {
    entered.put(1);
    go_on.take();
  });
  entered.take();
  const std::uint64_t before = running.loop->wakeups();
  std::string order;
  Channel<int> done;
  for (int i = 0; i < 64; ++i) {
    running.loop->post([&order, i] { order.push_back(static_cast<char>(i)); });
  }
  running.loop->post([&] { done.put(1); });
  go_on.put(1);
  done.take();
  EXPECT_EQ(running.loop->wakeups() - before, 1U);
  ASSERT_EQ(order.size(), 64U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Loop, ATaskThatThrowsDoesNotStopTheOthers) {
  RunningLoop running;
  Channel<int> done;
  running.loop->post([] { throw std::runtime_error("broken"); });
  running.loop->post([&] { done.put(7); });
  EXPECT_EQ(done.take(), 7);
}

TEST(Loop, WhatWasTakenIsDoneAndNothingIsTakenAfterStop) {
  RunningLoop running;
  std::atomic<int> ran = 0;
  int taken = 0;
  running.loop->post([&] { running.loop->stop(); });
  while (running.loop->post([&ran] { ++ran; })) ++taken;
  running.threads->stop();
  EXPECT_EQ(ran, taken);
  EXPECT_EQ(running.tasks.count(), 0U);
}

TEST(Loop, RepeatsUntilItStops) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  const auto loop = std::make_shared<Loop>();
  Channel<int> ticks;
  loop->every(std::chrono::milliseconds(1), [&] { ticks.put(1); });
  const auto threads = run_loops("test", {loop}, tasks);
  for (int i = 0; i < 3; ++i) ticks.take();
}

TEST(Loop, RepeatsAfterAsLongAsTheTaskSays) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  const auto loop = std::make_shared<Loop>();
  Channel<int> ticks;
  int tick = 0;
  loop->repeat(std::chrono::milliseconds(1), [&]() -> base::Duration {
    ticks.put(++tick);
    if (tick == 3) return std::chrono::hours(1);
    return std::chrono::milliseconds(1);
  });
  Channel<int> beside;
  loop->every(std::chrono::milliseconds(1), [&] { beside.put(1); });
  const auto threads = run_loops("test", {loop}, tasks);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(ticks.take(), i);
  while (beside.size() > 0) beside.take();
  for (int i = 0; i < 10; ++i) beside.take();
  EXPECT_EQ(ticks.size(), 0U);
}

}  // namespace
}  // namespace trialward::http
