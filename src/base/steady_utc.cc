#include "base/steady_utc.h"

#include <cstdlib>
#include <string>

#include "base/log.h"

namespace trialward::base {
namespace {

std::int64_t steady_ms(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.now().time_since_epoch())
      .count();
}

}  // namespace

SteadyUtc::SteadyUtc(const Clock& clock)
    : clock_(clock), offset_ms_(clock.utc_ms() - steady_ms(clock)) {}

std::int64_t SteadyUtc::now_ms() {
  const std::lock_guard lock(mutex_);
  const std::int64_t steady = steady_ms(clock_);
  const std::int64_t difference_ms = clock_.utc_ms() - steady - offset_ms_;
  const std::int64_t drift_ms = difference_ms - jump_ms_;
  if (std::abs(drift_ms) <= kDriftMax.count()) {
    offset_ms_ += drift_ms;
  } else {
    jump_ms_ = difference_ms;
    jumped_ = clock_.now();
    log_warning("the wall clock has jumped; it is now " + std::to_string(jump_ms_) +
                " ms off what is waited by");
  }
  if (jump_ms_ != 0 && clock_.now() - jumped_ >= kBelievedAfter) {
    offset_ms_ += jump_ms_;
    jump_ms_ = 0;
    log_warning("the wall clock has not jumped back and is believed");
  }
  return steady + offset_ms_;
}

}  // namespace trialward::base
