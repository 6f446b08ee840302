// Lets time pass: finds the subjects of whom something is overdue and submits that to Intake, a
// submission for each, which raises what is missing. The body of a Periodic: run() does not wait
// for what it submitted. What was due while no server ran is found by the first run.
//
// run() belongs to one thread at a time. Errors: those of the store. What Intake refuses is found
// again by the next run. It may end before its submissions do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/steady_utc.h"
#include "intake/intake.h"
#include "runtime/cancel.h"
#include "runtime/periodic.h"

namespace trialward::intake {

class DueSweep {
 public:
  // How late an overdue subject is found, at most, is the Periodic's interval; so is the longest
  // pause after failures.
  static constexpr base::Duration kInterval = std::chrono::milliseconds(200);
  static runtime::PeriodicOptions task() {
    return {.name = "dues",
            .interval = kInterval,
            .deadline = std::chrono::seconds(10),
            .backoff = {.initial = kInterval, .max = kInterval}};
  }
  static constexpr std::size_t kUnderWayMax = 256;  // submissions
  static constexpr base::Duration kAgainAfter = std::chrono::seconds(5);  // what was not stored

  // `reader`: for run() alone.
  DueSweep(Intake& intake, const base::Clock& clock,
           std::unique_ptr<store::Connection> reader,
           std::vector<std::shared_ptr<const ActiveStudy>> studies);

  base::Status run(const runtime::Cancel& cancel);

  std::size_t under_way() const;

 private:
  struct UnderWay;
  struct Waiting {
    std::shared_ptr<const ActiveStudy> study;
    bool all_known = false;  // every subject's rules have said what they wait for
    std::int64_t known = 0;  // subjects up to this row have, or are about to
  };

  base::Status run(Waiting& waiting);
  // False when there is no place for more.
  bool submit(const Waiting& waiting, std::string subject, std::int64_t utc_ms);

  Intake& intake_;
  const base::Clock& clock_;
  base::SteadyUtc utc_;
  const std::unique_ptr<store::Connection> reader_;
  std::vector<Waiting> waiting_;  // the studies with rules that wait
  const std::shared_ptr<UnderWay> under_way_;  // shared: answers may come when this is gone
};

}  // namespace trialward::intake
