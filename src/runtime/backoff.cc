#include "runtime/backoff.h"

#include <algorithm>

#include "base/check.h"

namespace trialward::runtime {

Backoff::Backoff(BackoffOptions options, base::Random& random)
    : options_(options), random_(random), step_(options.initial) {
  TW_CHECK(options_.initial > base::Duration::zero() && options_.initial <= options_.max);
}

base::Duration Backoff::next() {
  const base::Duration step = step_;
  step_ = step > options_.max / 2 ? options_.max : step * 2;
  const base::Duration half = step / 2;
  const auto jitter = random_.below(static_cast<std::uint64_t>((step - half).count()) + 1);
  return half + base::Duration(static_cast<base::Duration::rep>(jitter));
}

}  // namespace trialward::runtime
