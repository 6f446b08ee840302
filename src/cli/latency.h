// LatencyHistogram: how long things took, in fixed memory (16 KiB) however many there are. Its
// buckets are log-linear: 64 for each power of two of microseconds, so a quantile is overstated by
// less than 1/64 and never understated. What takes longer than 19 hours counts as 19 hours; max()
// is exact.
// LatencyCurve: their p99 in each quarter of a second, for kWindowsMax of them: an hour.
// Not thread-safe. Nothing here fails but for want of memory.
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

class LatencyCurve {
 public:
  static constexpr std::chrono::milliseconds kWindow{250};
  static constexpr std::size_t kWindowsMax = 4 * 3600;

  struct Point {
    base::Duration at{};  // when the window began, from the start
    std::uint64_t count = 0;
    base::Duration p99{};
  };

  // What took so long ended at `at` from the start, which never goes back.
  void record(base::Duration at, base::Duration took);
  // Of the windows in which something ended, in order.
  std::vector<Point> points() const;

 private:
  Point point() const { return {window_ * kWindow, times_.count(), times_.quantile(0.99)}; }

  std::vector<Point> ended_;
  std::int64_t window_ = 0;
  LatencyHistogram times_;  // of that window
};

}  // namespace trialward::cli
