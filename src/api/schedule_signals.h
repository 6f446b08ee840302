// Raises the alerts of schedule.toml: finds the subjects of whom an occurrence has become late or
// missed, or is so no longer, and submits that to Intake, a submission for a subject. The commit
// looks again at what there is already, so nothing is raised twice, however often it is submitted.
//
// Where a study has no such alerts any more, those that hold are taken back.
//
// An alert is of a subject, an activity and an occurrence. Nothing is raised of what was due before
// the first definition of the study that has this alert was loaded; what was due before the subject
// came into the store is about the past (docs/decisions/017).
//
// In memory is only when to look at each subject next: when one of its occurrences becomes late or
// missed, kAgain after a record came that may change its plan, and once a day; a start looks at all
// of them. Of what is to be looked at now, what becomes late or missed goes first. A run looks at
// kPlansMax subjects at most, for kRunTime, and as long as fewer than kUnderWayMax submissions are
// under way. While records wait for their commit, which go first, it does much less, and rests
// kBusyRests times as long as it ran, at most kBusyRestMax: one look reads a subject's whole
// history. One whose plan cannot be worked out is passed over for kFaultPause, as the log says.
//
// run() belongs to one thread at a time: that of the task, once start() was called. start() and
// stop() belong to one thread. Errors: those of the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/route.h"
#include "base/steady_utc.h"
#include "epro/subject_plan.h"
#include "intake/intake.h"
#include "runtime/periodic.h"

namespace trialward::api {

class ScheduleSignals {
 public:
  static constexpr base::Duration kInterval = std::chrono::milliseconds(250);
  static constexpr base::Duration kRunTime = std::chrono::milliseconds(100);
  static constexpr base::Duration kBusyRunTime = std::chrono::milliseconds(5);
  static constexpr int kBusyRests = 19;
  static constexpr base::Duration kBusyRestMax = std::chrono::seconds(5);
  static constexpr std::size_t kPlansMax = 50;         // of a run
  static constexpr std::size_t kSubjectsMax = 500;     // found by a run after a start
  static constexpr std::int64_t kRecordsMax = 20'000;  // looked through by a run
  static constexpr std::int64_t kBusyRecordsMax = 500;
  static constexpr std::size_t kSignalsMax = 10;       // of a submission
  static constexpr std::size_t kUnderWayMax = 64;      // submissions
  static constexpr std::size_t kDefinitionsMax = 100;  // older ones of a study that are read
  static constexpr std::int64_t kAgainMs = 5'000;      // between two looks at a subject
  static constexpr std::int64_t kFaultPauseMs = 600'000;
  static constexpr std::int64_t kTroublePauseMs = 30'000;  // after an error of the store

  struct Parts {
    const Studies& studies;
    intake::Intake& intake;
    std::unique_ptr<store::Connection> reader;  // for run() alone
    std::function<bool()> on_duty;
    base::Random& random;
    runtime::TaskList& tasks;
  };
  explicit ScheduleSignals(Parts parts);
  ~ScheduleSignals();

  void start();  // does nothing when no study has such alerts, or has had
  void stop() { task_.stop(); }

  base::Status run(const runtime::Cancel& cancel);
  // Of run()'s thread: looks that came to no plan; the record up to which changes were found.
  std::uint64_t faults() const { return faults_; }
  std::int64_t last_record() const { return last_record_; }

 private:
  using Key = std::pair<std::size_t, std::int64_t>;  // study (its place here), subject's row
  struct Watched;
  struct UnderWay;

  // When to look at whom, in UTC.
  class Looks {
   public:
    void put(const Key& key, std::int64_t at_ms);  // then, if not before
    void erase(const Key& key);
    const Key* ready(std::int64_t now_ms) const;  // null: none now

   private:
    std::map<Key, std::int64_t> at_;
    std::set<std::pair<std::int64_t, Key>> order_;
  };

  base::Status begin(Watched& watched);
  base::Status find_subjects(std::size_t study);
  bool holds_some(std::int64_t study) const;
  base::Status find_changed();
  bool busy() const;
  base::Status look(const Key& key, std::int64_t now_ms);
  base::Result<intake::SignalSchedule> compare(const Watched& watched,
                                               const store::SubjectPlace& place,
                                               const epro::SubjectPlan& plan);
  bool has_place() const;
  void submit(const Key& key, intake::SignalSchedule signals);

  intake::Intake& intake_;
  const base::Clock& clock_;
  base::SteadyUtc utc_;
  const std::unique_ptr<store::Connection> reader_;
  const std::function<bool()> on_duty_;
  std::vector<Watched> studies_;
  base::TimePoint rests_until_{};  // while records wait
  std::int64_t last_record_ = -1;                   // up to which changes were found; -1: not begun
  Looks due_, found_subjects_;  // what becomes late or missed; what was found or has changed
  std::map<Key, std::int64_t> not_before_;  // of who was looked at: when a change is looked at
  std::uint64_t faults_ = 0;
  const std::shared_ptr<UnderWay> under_way_;  // shared: answers may come when this is gone
  runtime::Periodic task_;                     // last: it uses the others
};

}  // namespace trialward::api
