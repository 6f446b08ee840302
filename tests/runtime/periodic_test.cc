#include "runtime/periodic.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "runtime/wait.h"

namespace trialward::runtime {
namespace {

using base::Errc;
using base::Status;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PeriodicTest : public testing::Test {
 protected:
  PeriodicOptions options() const {
    return {.name = "refresh",
            .interval = seconds(60),
            .deadline = seconds(10),
            .backoff = {.initial = seconds(2), .max = seconds(8)}};
  }

  base::FakeClock clock_;
  base::SeededRandom random_{1};
  TaskList tasks_{clock_};
};

TEST_F(PeriodicTest, RunsAtItsIntervalFromStartToStart) {
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        clock_.advance(seconds(5));
        return {};
      },
      random_, tasks_);
  const std::int64_t started = clock_.utc_ms();
  EXPECT_TRUE(task.step());
  EXPECT_FALSE(task.step());
  clock_.advance(seconds(55) - milliseconds(1));
  EXPECT_FALSE(task.step());
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(task.step());
  const PeriodicReport report = task.report();
  EXPECT_EQ(report.runs, 2u);
  EXPECT_EQ(report.failures, 0u);
  EXPECT_FALSE(report.running);
  EXPECT_EQ(report.last_started_utc_ms, started + 60'000);
  EXPECT_EQ(report.last_duration, seconds(5));
  EXPECT_FALSE(report.last_error.has_value());
}

TEST_F(PeriodicTest, ALongRunLeavesOutTheTurnsItMissed) {
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        clock_.advance(seconds(200));
        return {};
      },
      random_, tasks_);
  EXPECT_TRUE(task.step());
  EXPECT_TRUE(task.step());
  EXPECT_EQ(task.report().runs, 2u);
}

TEST_F(PeriodicTest, AJumpOfTheWallClockHasNoEffect) {
  Periodic task(
      options(), [](const Cancel&) -> Status { return {}; }, random_, tasks_);
  EXPECT_TRUE(task.step());
  clock_.jump_wall(hours(24 * 365));
  EXPECT_FALSE(task.step());
  clock_.jump_wall(-hours(24 * 730));
  clock_.advance(seconds(60));
  EXPECT_TRUE(task.step());
}

TEST_F(PeriodicTest, FailuresBackOffAndSuccessEndsIt) {
  int calls = 0;
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        ++calls;
        if (calls == 2) throw std::runtime_error("oops");
        if (calls == 3) throw 3;
        if (calls < 5) return base::Error{Errc::unavailable, "no route"};
        return {};
      },
      random_, tasks_);
  const std::vector<std::string> errors = {"no route", "threw: oops", "threw: not a std::exception",
                                           "no route"};
  const std::vector<int> pauses_s = {2, 4, 8, 8};  // upper bounds; the lower is half
  for (std::size_t i = 0; i < errors.size(); ++i) {
    ASSERT_TRUE(task.step());
    const PeriodicReport report = task.report();
    EXPECT_EQ(report.last_error->message, errors[i]);
    EXPECT_EQ(report.failures, i + 1);
    const base::Duration pause = report.next_due - clock_.now();
    EXPECT_LE(pause, seconds(pauses_s[i]));
    EXPECT_GE(pause, seconds(pauses_s[i]) / 2);
    EXPECT_FALSE(task.step());
    clock_.advance(seconds(pauses_s[i]));
  }
  EXPECT_TRUE(task.step());
  EXPECT_FALSE(task.report().last_error.has_value());
  EXPECT_EQ(task.report().next_due, clock_.now() + seconds(60));
  EXPECT_EQ(task.report().failures, 4u);
}

TEST_F(PeriodicTest, RunNowMakesOneRunDueHoweverManyAsk) {
  Periodic* self = nullptr;
  int calls = 0;
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        if (++calls == 2) {
          self->run_now();
          self->run_now();
        }
        return {};
      },
      random_, tasks_);
  self = &task;
  EXPECT_TRUE(task.step());
  task.run_now();
  task.run_now();
  EXPECT_TRUE(task.step());
  EXPECT_TRUE(task.step()) << "asked for while it ran";
  EXPECT_FALSE(task.step());
}

TEST_F(PeriodicTest, ARunPastItsDeadlineIsCancelledAndListedAsOverdue) {
  Periodic* self = nullptr;
  Periodic task(
      options(),
      [&](const Cancel& cancel) -> Status {
        EXPECT_FALSE(self->step()) << "never two at once";
        EXPECT_TRUE(self->report().running);
        clock_.advance(seconds(10));
        EXPECT_TRUE(tasks_.snapshot().at(0).overdue);
        self->expire();
        return base::Error{Errc::deadline, std::string(to_string(cancel.reason()))};
      },
      random_, tasks_);
  self = &task;
  EXPECT_TRUE(task.step());
  EXPECT_EQ(task.report().last_error->message, "deadline");
  EXPECT_EQ(tasks_.count(), 0u);
}

TEST_F(PeriodicTest, StartsOnceHoweverManyAskAndStopReturnsWhenItHasStopped) {
  std::latch running(1);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<CancelReason> seen = CancelReason::none;
  Periodic task(
      options(),
      [&](const Cancel& cancel) -> Status {
        most = std::max<int>(most, ++inside);
        running.count_down();
        cancel.wait_until(clock_, kForever);
        seen = cancel.reason();
        --inside;
        return {};
      },
      random_, tasks_);
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < 4; ++i) askers.emplace_back([&] { task.start(); });
  }
  running.wait();
  EXPECT_EQ(tasks_.count(), 3u) << "its thread, its watchdog and its run";
  task.stop();
  EXPECT_EQ(seen, CancelReason::shutdown);
  EXPECT_EQ(inside, 0);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(tasks_.count(), 0u);
  EXPECT_EQ(task.report().runs, 1u);
  task.stop();
  task.start();
  EXPECT_EQ(tasks_.count(), 0u) << "what was stopped stays stopped";
}

TEST_F(PeriodicTest, RunNowWakesTheThread) {
  std::latch first(1);
  std::latch second(2);
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        if (!first.try_wait()) first.count_down();
        second.count_down();
        return {};
      },
      random_, tasks_);
  task.start();
  first.wait();
  task.run_now();
  second.wait();
  task.stop();
  EXPECT_EQ(task.report().runs, 2u);
}

TEST_F(PeriodicTest, TheWatchdogOfAStartedTaskFiresByItself) {
  const base::SystemClock real;
  TaskList tasks(real);
  PeriodicOptions fast = options();
  fast.interval = hours(1);
  fast.deadline = milliseconds(5);
  fast.backoff = {.initial = hours(1), .max = hours(1)};
  std::latch ended(1);
  std::atomic<CancelReason> seen = CancelReason::none;
  Periodic task(
      fast,
      [&](const Cancel& cancel) -> Status {
        cancel.wait_until(real, kForever);
        seen = cancel.reason();
        ended.count_down();
        return {};
      },
      random_, tasks);
  task.start();
  ended.wait();
  task.stop();
  EXPECT_EQ(seen, CancelReason::deadline);
}

TEST_F(PeriodicTest, TheListOfTasksKnowsItAndHasItRun) {
  {
    Periodic task(
        options(),
        [&](const Cancel&) -> Status {
          clock_.advance(seconds(70));  // longer than its interval
          return base::Error{Errc::unavailable, "no"};
        },
        random_, tasks_);
    ASSERT_EQ(tasks_.recurring().size(), 1u);
    RecurringInfo info = tasks_.recurring().front();
    EXPECT_EQ(info.name, "refresh");
    EXPECT_EQ(info.interval, seconds(60));
    EXPECT_EQ(info.runs, 0u);
    EXPECT_EQ(info.lag, base::Duration::zero());
    EXPECT_TRUE(task.step());
    info = tasks_.recurring().front();
    EXPECT_EQ(info.runs, 1u);
    EXPECT_EQ(info.failures, 1u);
    EXPECT_EQ(info.last_error->message, "no");
    EXPECT_EQ(info.lag, seconds(10));
    EXPECT_FALSE(task.step());
    EXPECT_FALSE(tasks_.run_now("other"));
    EXPECT_TRUE(tasks_.run_now("refresh"));
    EXPECT_TRUE(task.step());
  }
  EXPECT_TRUE(tasks_.recurring().empty());
}

TEST_F(PeriodicTest, ARunMayBeDueEarlierThanItsIntervalSays) {
  Periodic* self = nullptr;
  std::optional<base::TimePoint> by;
  Periodic task(
      options(),
      [&](const Cancel&) -> Status {
        if (by) self->run_by(*by);
        return {};
      },
      random_, tasks_);
  self = &task;
  by = clock_.now() + seconds(10);
  EXPECT_TRUE(task.step());
  by.reset();
  clock_.advance(seconds(10) - milliseconds(1));
  EXPECT_FALSE(task.step());
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(task.step());
  task.run_by(clock_.now() + hours(1));
  EXPECT_EQ(task.report().next_due, clock_.now() + seconds(60)) << "never later";
  task.run_by(clock_.now() + seconds(1));
  clock_.advance(seconds(1));
  EXPECT_TRUE(task.step());
}

}  // namespace
}  // namespace trialward::runtime
