// LatencyHistogram: how long things took, in fixed memory (16 KiB) however many there are. Its
// buckets are log-linear: 64 for each power of two of microseconds, so a quantile is overstated by
// less than 1/64 and never understated. What takes longer than 19 hours counts as 19 hours; max()
// is exact. Not thread-safe. Nothing here fails.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace trialward::cli {

class LatencyHistogram {
 public:
  LatencyHistogram();

  void record(base::Duration took);  // below zero counts as zero
  std::uint64_t count() const { return count_; }
  // What a share (over 0, up to 1) of all that was recorded does not exceed; 0 when there is none.
  base::Duration quantile(double share) const;
  base::Duration max() const { return max_; }

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  base::Duration max_{};
};

}  // namespace trialward::cli
