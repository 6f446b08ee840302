#include "runtime/periodic.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/wait.h"

namespace trialward::runtime {
namespace {

// The task whose run this thread is in.
thread_local const Periodic* current_task = nullptr;

}  // namespace

// What the thread runs.
class Periodic::Stepper final : public Worker {
 public:
  explicit Stepper(Periodic& task) : task_(task) {}
  bool run_once(const Cancel&) override { return task_.step(); }
  bool wait(const Cancel& stop) override { return task_.wait(stop); }

 private:
  Periodic& task_;
};

Periodic::Periodic(PeriodicOptions options, Body body, base::Random& random, TaskList& tasks)
    : options_(std::move(options)),
      body_(std::move(body)),
      tasks_(tasks),
      clock_(tasks.clock()),
      backoff_(options_.backoff, random),
      watchdog_(options_.name + "-dog", tasks) {
  TW_CHECK(options_.interval > base::Duration::zero());
  TW_CHECK(options_.deadline > base::Duration::zero());
  report_.next_due = clock_.now();
  tasks_.add(*this);
}

Periodic::~Periodic() {
  tasks_.remove(*this);
  stop();
}

void Periodic::start() {
  const std::lock_guard lock(start_mutex_);
  if (thread_ != nullptr || stop_.fired()) return;
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(std::make_unique<Stepper>(*this));
  watchdog_.start();
  WorkerPoolOptions pool{.name = options_.name, .nice = options_.nice};
  thread_ = std::make_unique<WorkerPool>(std::move(pool), tasks_, std::move(workers));
}

void Periodic::run_now() { run_by(clock_.now()); }

void Periodic::run_by(base::TimePoint due) {
  const std::lock_guard lock(mutex_);
  if (report_.running) {
    asked_ = std::min(asked_.value_or(due), due);
  } else {
    report_.next_due = std::min(report_.next_due, due);
  }
  changed_.notify_all();
}

bool Periodic::step() {
  const base::TimePoint started = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (stop_.fired() || report_.running || started < report_.next_due) return false;
    report_.running = true;
    started_ = started;
  }
  const std::int64_t started_utc_ms = clock_.utc_ms();
  const base::TimePoint deadline = started + options_.deadline;
  const Cancel cancel = stop_.child();
  TaskList::Task task = tasks_.add(options_.name, "periodic", deadline);
  Watchdog::Watch watch = watchdog_.watch(deadline, cancel);
  current_task = this;
  base::Status result = run_body(cancel);
  current_task = nullptr;
  watch.reset();
  task.reset();
  finish(started, started_utc_ms, result);
  return true;
}

base::Status Periodic::run_body(const Cancel& cancel) {
  try {
    return body_(cancel);
  } catch (const std::exception& error) {
    return base::Error{base::Errc::unavailable, std::string("threw: ") + error.what()};
  } catch (...) {
    return base::Error{base::Errc::unavailable, "threw: not a std::exception"};
  }
}

void Periodic::finish(base::TimePoint started, std::int64_t started_utc_ms,
                      const base::Status& result) {
  const std::lock_guard lock(mutex_);
  const base::TimePoint now = clock_.now();
  report_.running = false;
  ++report_.runs;
  report_.last_started_utc_ms = started_utc_ms;
  report_.last_duration = now - started;
  report_.last_error.reset();
  if (result) {
    backoff_.reset();
    report_.next_due = started + options_.interval;  // turns missed by a long run are left out
  } else {
    ++report_.failures;
    report_.last_error = result.error();
    report_.next_due = now + backoff_.next();
  }
  if (asked_) report_.next_due = std::min(report_.next_due, *std::exchange(asked_, std::nullopt));
  changed_.notify_all();
}

bool Periodic::wait(const Cancel& stop) {
  const Cancel::Registration wake = stop.on_fire([this](CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  // While somebody else steps it, its end is what is waited for.
  const auto due = [this] { return report_.running ? kForever : report_.next_due; };
  const base::TimePoint first = due();
  wait_until(changed_, lock, clock_, first, [&] { return stop.fired() || due() != first; });
  return true;
}

void Periodic::stop() {
  TW_CHECK(current_task != this);
  WorkerPool* thread = nullptr;
  {
    // Not held while waiting: the run that is waited for may call start().
    const std::lock_guard lock(start_mutex_);
    stop_.fire(CancelReason::shutdown);
    thread = thread_.get();
  }
  if (thread != nullptr) thread->stop();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !report_.running; });
  }
  watchdog_.stop();
}

PeriodicReport Periodic::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

RecurringInfo Periodic::info() const {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  RecurringInfo info{.name = options_.name,
                     .interval = options_.interval,
                     .runs = report_.runs,
                     .failures = report_.failures,
                     .running = report_.running,
                     .last_started_utc_ms = report_.last_started_utc_ms,
                     .last_duration = report_.last_duration,
                     .last_error = report_.last_error,
                     .next_due = report_.next_due};
  if (!started_) return info;
  info.lag = std::max(base::Duration::zero(), now - (*started_ + options_.interval));
  return info;
}

}  // namespace trialward::runtime
