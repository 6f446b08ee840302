// Times: all durations of a measurement, in milliseconds, kept whole so that percentiles are exact.
// 8 bytes each; for measurements of minutes, not for servers. Not thread-safe, nothing here fails.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace trialward::bench {

using SteadyClock = std::chrono::steady_clock;

inline double ms_since(SteadyClock::time_point begun) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begun).count();
}

class Times {
 public:
  void add(double ms) { all_ms_.push_back(ms); }
  void add(const Times& more) {
    all_ms_.insert(all_ms_.end(), more.all_ms_.begin(), more.all_ms_.end());
  }
  std::size_t count() const { return all_ms_.size(); }

  // What a share of them does not exceed; 0 when there are none. Sorts.
  double quantile(double share) {
    if (all_ms_.empty()) return 0;
    if (!std::is_sorted(all_ms_.begin(), all_ms_.end())) {
      std::sort(all_ms_.begin(), all_ms_.end());
    }
    const double rank = std::ceil(share * static_cast<double>(all_ms_.size()));
    return all_ms_[std::max<std::size_t>(1, static_cast<std::size_t>(rank)) - 1];
  }

  void write(base::JsonWriter& json, std::string_view name) {
    json.key(name)
        .begin_object()
        .member("count", static_cast<std::uint64_t>(all_ms_.size()))
        .member("p50", quantile(0.5))
        .member("p99", quantile(0.99))
        .member("p99_9", quantile(0.999))
        .member("max", quantile(1))
        .end_object();
  }

 private:
  std::vector<double> all_ms_;
};

}  // namespace trialward::bench
