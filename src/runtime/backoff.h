// Backoff: how long to pause after the n-th failure in a row. Doubles from `initial` to `max`; the
// pause is drawn from its upper half, so that those who failed together do not come back together.
// Not thread-safe.
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace trialward::runtime {

struct BackoffOptions {
  base::Duration initial = std::chrono::milliseconds(100);  // more than zero
  base::Duration max = std::chrono::seconds(60);            // at least `initial`
};

class Backoff {
 public:
  Backoff(BackoffOptions options, base::Random& random);
  // A failure more: the pause before the next try, in [step / 2, step].
  base::Duration next();
  // A success.
  void reset() { step_ = options_.initial; }

 private:
  const BackoffOptions options_;
  base::Random& random_;
  base::Duration step_;
};

}  // namespace trialward::runtime
