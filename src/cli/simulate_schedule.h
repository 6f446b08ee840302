// Schedule: when the requests of an open-loop load are due. Request n is due at n / rate after the
// start whatever became of the ones before it; latency is counted from that moment, so a server
// that stalls is charged for every request that its stall kept waiting (no coordinated omission).
// A value: pure, any thread; only parse_rate() fails.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/result.h"

namespace trialward::cli {

// Records per second as people write them: "500", "0.5/s"; none for "max". Errc::invalid names the
// text and what was expected.
base::Result<std::optional<double>> parse_rate(std::string_view text);

class Schedule {
 public:
  Schedule(double per_second, double seconds) : per_second_(per_second), seconds_(seconds) {
    TW_CHECK(per_second > 0 && seconds > 0);
  }

  // How many requests there are; one at least.
  std::uint64_t total() const { return count_until(seconds_); }
  base::Duration due(std::uint64_t n) const {
    const std::chrono::duration<double> after(static_cast<double>(n) / per_second_);
    return std::chrono::duration_cast<base::Duration>(after);
  }
  // How many were due when this time had passed.
  std::uint64_t due_after(base::Duration passed) const {
    const double seconds = std::chrono::duration<double>(passed).count();
    return seconds < 0 ? 0 : std::min(total(), count_until(seconds));
  }

 private:
  // Those due in [0, seconds); the first is due at 0. Rounding must not add one.
  std::uint64_t count_until(double seconds) const {
    const double exact = seconds * per_second_;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(exact - 1e-6)));
  }

  double per_second_;
  double seconds_;
};

}  // namespace trialward::cli
