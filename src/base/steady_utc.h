// The time in UTC for deadlines that are instants of the wall clock: it does not jump when that one
// does. It is the wall clock as it was at first, moved on by the monotonic one; it follows small
// differences, as NTP makes them, and a jump only once that has lasted for kBelievedAfter: then
// somebody has set the clock right, or the machine stood still. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>

#include "base/clock.h"

namespace trialward::base {

class SteadyUtc {
 public:
  // What the wall clock may differ between two looks without it being a jump; look more often than
  // a clock gone wild needs to drift by as much.
  static constexpr std::chrono::milliseconds kDriftMax{500};
  static constexpr std::chrono::hours kBelievedAfter{24};

  explicit SteadyUtc(const Clock& clock);

  // Milliseconds since 1970-01-01T00:00:00Z. Never less than before, but for drift.
  std::int64_t now_ms();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t offset_ms_;  // to the monotonic clock
  std::int64_t jump_ms_ = 0;  // how far the wall clock has jumped from it
  TimePoint jumped_{};
};

}  // namespace trialward::base
