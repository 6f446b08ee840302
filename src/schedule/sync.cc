#include "schedule/sync.h"

#include <algorithm>

#include "base/log.h"
#include "store/stopped_by.h"

namespace trialward::schedule {

using base::Status;

namespace {

// Of one cycle; it has deadlines for all that it waits for, so this is for what nobody thought of.
constexpr base::Duration kCycleDeadline = std::chrono::hours(12);
constexpr base::Duration kFirstPause = std::chrono::seconds(15);  // after a cycle that failed
constexpr base::Duration kHangSlack = std::chrono::seconds(1);
constexpr base::Duration kBreakerPause = std::chrono::milliseconds(500);
constexpr base::Duration kBreakerPauseMax = std::chrono::seconds(10);
constexpr int kProbesOfPatience = 4;  // at least
// Beside that at the start, and when the list turns out to have left something out.
constexpr base::Duration kWholeListEvery = std::chrono::hours(24);

runtime::RemoteOptions remote_options(const Partner& partner) {
  runtime::RemoteOptions options{.in_flight_max = partner.in_flight_max};
  // Calm: a partner that fails in most of its calls is used all the same, as far as it goes.
  options.breaker = {.window = 50, .calls_min = 20, .failures_max = 0.9};
  // A call ends by its own deadline; one that does not is what the breaker must see.
  options.breaker.hang_after = partner.timeout + kHangSlack;
  // One that answers again is used again at once, faults and all. A cycle's patience must be long
  // enough for several probes.
  options.breaker.probes_needed = 1;
  const base::Duration longest =
      std::min<base::Duration>(kBreakerPauseMax, partner.patience / kProbesOfPatience);
  options.breaker.pause = {std::min<base::Duration>(kBreakerPause, longest), longest};
  options.budget = {.per_success = 2, .per_second = 4, .saved_max = 200};
  return options;
}

runtime::PeriodicOptions task_options(const Partner& partner, const std::string& study) {
  return {.name = "schedule-sync." + study,
          .interval = partner.every,
          .deadline = kCycleDeadline,
          .backoff = {.initial = std::min(kFirstPause, partner.every), .max = partner.every}};
}

}  // namespace

Sync::Sync(Parts parts, Partner partner, CycleOptions options,
           std::unique_ptr<store::Connection> reader)
    : parts_(parts),
      partner_(std::move(partner)),
      options_(std::move(options)),
      reader_(std::move(reader)),
      clock_(parts.tasks.clock()),
      remote_(remote_options(partner_), clock_, parts.random),
      task_(
          task_options(partner_, options_.study),
          [this](const runtime::Cancel& cancel) { return run(cancel); }, parts.random,
          parts.tasks) {}

void Sync::run_now() {
  cycle_wanted_ = true;
  task_.run_now();
}

void Sync::dry_run() {
  dry_wanted_ = true;
  task_.run_now();
}

void Sync::catch_up() {
  {
    const std::lock_guard lock(mutex_);
    if (started_ && clock_.now() < *started_ + partner_.every) return;
  }
  run_now();
}

Status Sync::run(const runtime::Cancel& cancel) {
  if (options_.on_duty && !options_.on_duty()) return {};
  const bool wanted = cycle_wanted_.exchange(false);
  if (dry_wanted_.exchange(false)) {
    (void)run_cycle(true, cancel);  // its report says what came of it
    if (!wanted && clock_.now() < cycle_due_) {
      task_.run_by(cycle_due_);
      return {};
    }
  }
  const base::TimePoint began = clock_.now();
  Status done = run_cycle(false, cancel);
  cycle_due_ = done ? began + partner_.every : base::TimePoint{};
  return done;
}

Status Sync::run_cycle(bool dry, const runtime::Cancel& cancel) {
  CycleOptions options = options_;
  options.dry = dry;
  const base::TimePoint began = clock_.now();
  options.number = number_;
  options.list_whole = !whole_listed_ || began - *whole_listed_ >= kWholeListEvery;
  Cycle cycle({.outbound = parts_.outbound,
               .ledger = parts_.ledger,
               .planner = parts_.planner,
               .reader = *reader_,
               .remote = remote_,
               .clock = clock_,
               .random = parts_.random},
              partner_, std::move(options));
  {
    const std::lock_guard lock(mutex_);
    cycle_ = &cycle;
    if (!dry) started_ = clock_.now();
  }
  CycleReport report;
  {
    const store::StoppedBy stopping(cancel, *reader_);
    report = cycle.run(cancel);
  }
  if (!dry) {
    ++number_;
    if (report.whole && report.listed_whole) whole_listed_ = began;
    if (report.unlisted) whole_listed_.reset();
  }
  const std::string error = report.error;
  {
    const std::lock_guard lock(mutex_);
    cycle_ = nullptr;
    (dry ? dry_ : last_) = std::move(report);
  }
  if (error.empty()) return {};
  if (!cancel.fired()) {
    base::log_warning("schedule: '" + options_.study + "' with '" + partner_.name + "': " + error);
  }
  return base::Error{base::Errc::unavailable, error};
}

SyncReport Sync::report() {
  SyncReport report{.partner = partner_.name,
                    .task = task_.report(),
                    .remote = remote_.report(),
                    .every = partner_.every,
                    .on_duty = !options_.on_duty || options_.on_duty()};
  const std::lock_guard lock(mutex_);
  if (cycle_ != nullptr) report.running = cycle_->progress();
  report.last = last_;
  report.dry = dry_;
  if (started_ && report.on_duty) {
    report.lag = std::max(base::Duration::zero(), clock_.now() - (*started_ + partner_.every));
  }
  return report;
}

}  // namespace trialward::schedule
