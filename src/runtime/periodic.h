// Periodic: one supervised background task that runs at an interval. However many ask it to start,
// one thread runs it, and never two runs at once. A run that fails (returns an error or throws) is
// tried again after a pause that doubles up to a bound, with jitter; the task lives on. A run past
// its deadline has its Cancel fired. stop() cancels the run and returns when it has ended.
//
// Any thread may call anything; stop() only one that is not the task's own (checked). Due times
// come from the monotonic clock: a jump of the wall clock has no effect. Without start(), step()
// drives it with no thread, under a FakeClock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/backoff.h"
#include "runtime/cancel.h"
#include "runtime/recurring.h"
#include "runtime/task_list.h"
#include "runtime/watchdog.h"
#include "runtime/worker_pool.h"

namespace trialward::runtime {

struct PeriodicOptions {
  std::string name;
  base::Duration interval{};  // from the start of a run to the start of the next
  base::Duration deadline{};  // of one run
  BackoffOptions backoff;     // after a failure
  int nice = 0;               // of its thread; see WorkerPoolOptions
};

struct PeriodicReport {
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
  bool running = false;
  // Of the last run that ended; empty before the first.
  std::optional<std::int64_t> last_started_utc_ms;
  base::Duration last_duration{};
  std::optional<base::Error> last_error;
  base::TimePoint next_due{};
};

class Periodic final : public Recurring {
 public:
  using Body = std::function<base::Status(const Cancel&)>;

  // The first run is due at once.
  Periodic(PeriodicOptions options, Body body, base::Random& random, TaskList& tasks);
  ~Periodic() override;
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

  // No effect when it was started or stopped before.
  void start();
  // Makes a run due now; while one runs, another follows it. However many ask, it is one.
  void run_now() override;
  // Makes the next run due then at the latest; for a run that runs, the one after it.
  void run_by(base::TimePoint due);
  // Runs once if a run is due; false when none is, one is running, or it was stopped.
  bool step();
  // Fires the token of a run past its deadline; the task's watchdog does so by itself once started.
  void expire() { watchdog_.expire(); }
  void stop();

  PeriodicReport report() const;
  RecurringInfo info() const override;

 private:
  class Stepper;

  bool wait(const Cancel& stop);
  base::Status run_body(const Cancel& cancel);
  void finish(base::TimePoint started, std::int64_t started_utc_ms, const base::Status& result);

  const PeriodicOptions options_;
  const Body body_;
  TaskList& tasks_;
  const base::Clock& clock_;
  const Cancel stop_;
  mutable std::mutex mutex_;  // guards all below, up to the watchdog
  std::condition_variable changed_;
  PeriodicReport report_;
  std::optional<base::TimePoint> started_;  // the last run, which may go on
  Backoff backoff_;
  std::optional<base::TimePoint> asked_;  // what was asked for while one ran
  Watchdog watchdog_;
  std::mutex start_mutex_;
  std::unique_ptr<WorkerPool> thread_;  // last: it calls back
};

}  // namespace trialward::runtime
