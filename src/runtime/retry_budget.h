// RetryBudget: how many calls to a remote may be repetitions. A budget is saved up to `saved_max`;
// each repetition takes one from it, each call that succeeds adds `per_success`, and time adds
// `per_second`. So a remote that fails is asked again seldom, however many wait for it, and one
// that is well again pays with its successes for what was left behind. It begins full.
//
// Any thread may call anything. Nothing here fails or waits.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace trialward::runtime {

struct RetryBudgetOptions {
  double per_success = 2;
  double per_second = 1;  // more than zero: nobody waits for ever
  double saved_max = 20;  // at least 1
};

class RetryBudget {
 public:
  RetryBudget(RetryBudgetOptions options, const base::Clock& clock);

  // A call has succeeded, a first one or a repetition.
  void succeeded();
  // Takes leave for one repetition; false when the budget does not have it.
  bool take();
  // When take() will have it, if no call succeeds before.
  base::TimePoint next() const;

  double saved() const;
  std::uint64_t refused() const;

 private:
  double saved_at(base::TimePoint now) const;

  const RetryBudgetOptions options_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  double saved_;
  base::TimePoint as_of_;
  std::uint64_t refused_ = 0;
};

}  // namespace trialward::runtime
