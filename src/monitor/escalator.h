// Escalation: when nobody acknowledges an alert (or a storm) in the time that its tier has, the
// next tier is told (model/escalation.h). What waits, and since when, is in the store
// (store/alert_waits.h); here is only a look-out: a Periodic that asks for what is due and hands it
// to whoever commits. The commit checks again, so that an acknowledgement that came just before
// wins, and an escalation that is handed over twice happens once.
//
// Exact to a second: it looks five times a second at a clock that no jump of the wall clock
// touches. What fell due while the program was down is due at once when it starts, and its event
// says how late it is; one tier at a time, for each shall have its time to answer.
//
// At most kInFlightMax are on their way at a time; the rest stays due in the store. changed() and
// what `hand_over` calls back may come on any thread; step() and the task's thread are one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/steady_utc.h"
#include "model/study.h"
#include "runtime/periodic.h"
#include "store/alert_waits.h"
#include "store/connection.h"

namespace trialward::monitor {

class Escalator {
 public:
  struct Study {
    std::int64_t row = 0;
    std::shared_ptr<const model::Study> study;
  };
  // Brings it to the commit, and calls `done` once when that is over, however it ended. False when
  // there is no place now: it is tried again.
  using Done = std::function<void()>;
  using HandOver = std::function<bool(std::int64_t study, const store::Wait& wait, Done done)>;

  // Studies without escalation are left out. All that was handed over must be done before it goes.
  Escalator(std::unique_ptr<store::Connection> reader, std::vector<Study> studies,
            HandOver hand_over, base::Random& random, runtime::TaskList& tasks);

  // Before start(): it looks only while this holds. Whoever makes it hold calls changed().
  void only_while(std::function<bool()> on_duty) { on_duty_ = std::move(on_duty); }
  void start() { task_.start(); }
  void stop() { task_.stop(); }
  // Looks once, without a thread, if it is time to.
  bool step() { return task_.step(); }
  // Something happened to an alert.
  void changed();

  std::size_t in_flight() const;
  // What waits for somebody to acknowledge it, when it last looked.
  struct Waiting {
    std::int64_t alerts = 0;  // by themselves
    std::int64_t storms = 0;
  };
  Waiting waiting() const;
  runtime::PeriodicReport report() const { return task_.report(); }

  static constexpr std::size_t kInFlightMax = 64;

 private:
  using Key = std::pair<std::int64_t, bool>;  // alert, storm

  base::Status look(const runtime::Cancel& cancel);
  base::Status look_at(const Study& study, const store::WaitClass& of, std::int64_t now_ms);
  base::Status count();
  bool hand_over(std::int64_t study, const store::Wait& wait);

  const std::unique_ptr<store::Connection> reader_;
  const std::vector<Study> studies_;
  const HandOver hand_over_;
  std::function<bool()> on_duty_;  // null: always
  const base::Clock& clock_;
  base::SteadyUtc utc_;
  std::int64_t next_due_ms_ = 0;  // the task's
  mutable std::mutex mutex_;      // guards the three below
  bool changed_ = true;
  Waiting waiting_;
  std::set<Key> in_flight_;
  runtime::Periodic task_;  // last: it calls back
};

}  // namespace trialward::monitor
