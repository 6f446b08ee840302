// Remote: what goes to one machine elsewhere, from whoever calls it: how many calls at once,
// whether any may be made (its breaker), how many may be repetitions (its budget), and until when
// it asked to be left alone (Retry-After).
//
// Any thread may call anything. It outlives its calls. Nothing here fails or waits.
#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>

#include "base/outbound.h"
#include "runtime/breaker.h"
#include "runtime/retry_budget.h"

namespace trialward::runtime {

struct RemoteOptions {
  std::size_t in_flight_max = 32;
  BreakerOptions breaker;
  RetryBudgetOptions budget;
  base::Duration retry_after_max = std::chrono::seconds(30);  // it is asked again after that
};

struct RemoteReport {
  std::size_t in_flight_max = 0;
  BreakerStats breaker;
  double budget = 0;
  base::Duration paused{};  // for so long it has asked to be left alone
};

class Remote {
 public:
  Remote(RemoteOptions options, const base::Clock& clock, base::Random& random);

  // Leave to make a call, a first one or a repetition; else the moment to ask again, unless a call
  // that is out ends before.
  base::Result<Breaker::Call, base::TimePoint> admit(bool repeats);
  // A call that succeeds pays for repetitions.
  void succeeded(Breaker::Call& call);
  // It asked to be left alone, with the answer's Retry-After (seconds; a date is not taken: whoever
  // sends one has a clock of its own).
  void heed(const base::OutboundAnswer& answer);

  RemoteReport report();

 private:
  const RemoteOptions options_;
  const base::Clock& clock_;
  Breaker breaker_;
  RetryBudget budget_;
  std::mutex mutex_;
  base::TimePoint paused_until_{};  // guarded by mutex_
};

}  // namespace trialward::runtime
