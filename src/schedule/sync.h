// Sync: keeps one study in step with its partner: a periodic task that runs a Cycle. Cycles never
// overlap; one that takes longer than the period is followed by the next at once, and by how much
// it is late is the lag. A cycle that fails is tried again sooner, with a pause that doubles up to
// the period. The first cycle since the start lists all that the partner has, as does one a day.
//
// Any thread may call anything. stop() takes back what is out and returns when nothing is; the
// destructor calls it. Everything given must outlive it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "runtime/periodic.h"
#include "schedule/cycle.h"

namespace trialward::schedule {

struct SyncReport {
  std::string partner;
  runtime::PeriodicReport task;
  runtime::RemoteReport remote;
  base::Duration every{}, lag{};
  bool on_duty = true;
  std::optional<CycleReport> running, last, dry;  // last: since the start
};

using SyncReports = std::vector<std::pair<std::string, SyncReport>>;  // by study

class Sync {
 public:
  struct Parts {
    base::Outbound& outbound;
    Ledger& ledger;
    Planner& planner;
    base::Random& random;
    runtime::TaskList& tasks;
  };
  Sync(Parts parts, Partner partner, CycleOptions options,
       std::unique_ptr<store::Connection> reader);
  ~Sync() { stop(); }
  Sync(const Sync&) = delete;
  Sync& operator=(const Sync&) = delete;

  void start() { task_.start(); }
  void run_now();
  // The node has come on duty, perhaps: what another one would have begun by now is begun.
  void catch_up();
  // A run that looks and changes nothing; its report is `dry`. Cycles are due as before.
  void dry_run();
  // Without start(), one run on the caller's thread; false when none is due.
  bool step() { return task_.step(); }
  void stop() { task_.stop(); }

  const Partner& partner() const { return partner_; }
  SyncReport report();

 private:
  base::Status run(const runtime::Cancel& cancel);
  base::Status run_cycle(bool dry, const runtime::Cancel& cancel);

  const Parts parts_;
  const Partner partner_;
  const CycleOptions options_;
  const std::unique_ptr<store::Connection> reader_;  // the task's
  const base::Clock& clock_;
  runtime::Remote remote_;
  std::atomic<bool> dry_wanted_ = false, cycle_wanted_ = false;
  // The task's: cycles so far, and when all CarePlans were listed last.
  std::int64_t number_ = 0;
  std::optional<base::TimePoint> whole_listed_;
  base::TimePoint cycle_due_{};  // the next that is no dry run, unless somebody asks for one
  std::mutex mutex_;                          // guards all below, up to the task
  const Cycle* cycle_ = nullptr;              // that runs
  std::optional<base::TimePoint> started_;    // the last cycle that was no dry run
  std::optional<CycleReport> last_, dry_;
  runtime::Periodic task_;  // last: it calls back
};

}  // namespace trialward::schedule
