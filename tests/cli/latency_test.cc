#include "cli/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace trialward::cli {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(LatencyHistogram, IsEmptyAtFirst) {
  const LatencyHistogram times;
  EXPECT_EQ(times.count(), 0U);
  EXPECT_EQ(times.quantile(0.5), base::Duration::zero());
  EXPECT_EQ(times.max(), base::Duration::zero());
}

TEST(LatencyHistogram, SmallTimesAreExact) {
  LatencyHistogram times;
  for (int us = 1; us <= 100; ++us) times.record(microseconds(us));
  EXPECT_EQ(times.quantile(0.01), microseconds(1));
  EXPECT_EQ(times.quantile(0.5), microseconds(50));
  EXPECT_EQ(times.quantile(0.505), microseconds(51));
  EXPECT_EQ(times.quantile(0.99), microseconds(99));
  EXPECT_EQ(times.quantile(0.999), microseconds(100));
  EXPECT_EQ(times.quantile(1), microseconds(100));
}

TEST(LatencyHistogram, NothingIsUnderstated) {
  LatencyHistogram times;
  times.record(nanoseconds(1));
  times.record(nanoseconds(1001));
  times.record(milliseconds(1));
  EXPECT_GE(times.quantile(0.3), nanoseconds(1));
  EXPECT_EQ(times.quantile(0.6), microseconds(2));
}

TEST(LatencyHistogram, WhatIsBelowZeroOrBeyondTheScaleStillCounts) {
  LatencyHistogram times;
  times.record(milliseconds(-5));
  EXPECT_EQ(times.quantile(1), base::Duration::zero());
  times.record(hours(100));
  times.record(hours(1000));
  EXPECT_EQ(times.count(), 3U);
  EXPECT_EQ(times.max(), hours(1000));
  EXPECT_GE(times.quantile(1), hours(19));
}

// Against the quantiles of the sorted values themselves, over all magnitudes.
TEST(LatencyHistogram, QuantilesAreWithinOnePartIn64) {
  base::SeededRandom random(7);
  LatencyHistogram times;
  std::vector<std::int64_t> sorted;
  for (int i = 0; i < 20000; ++i) {
    const auto us = static_cast<std::int64_t>(random.below(std::uint64_t{1} << random.below(36)));
    sorted.push_back(us);
    times.record(microseconds(us));
  }
  std::sort(sorted.begin(), sorted.end());
  for (int per_mille = 1; per_mille <= 1000; ++per_mille) {
    const std::int64_t exact = sorted[static_cast<std::size_t>(per_mille * 20 - 1)];
    const auto got = std::chrono::duration_cast<microseconds>(times.quantile(per_mille / 1000.0));
    EXPECT_GE(got.count(), exact) << per_mille;
    EXPECT_LE(got.count(), exact + exact / 64) << per_mille;
  }
}

TEST(LatencyCurve, HasAPointForEachWindowInWhichSomethingEnded) {
  LatencyCurve curve;
  EXPECT_TRUE(curve.points().empty());
  for (int i = 1; i <= 100; ++i) curve.record(milliseconds(100), microseconds(i));
  curve.record(milliseconds(249), microseconds(100));
  curve.record(milliseconds(750), milliseconds(700));
  const auto points = curve.points();
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].at, milliseconds(0));
  EXPECT_EQ(points[0].count, 101U);
  EXPECT_EQ(points[0].p99, microseconds(100));
  EXPECT_EQ(points[1].at, milliseconds(750));
  EXPECT_EQ(points[1].count, 1U);
  EXPECT_EQ(points[1].p99, milliseconds(700));
}

TEST(LatencyCurve, IsBounded) {
  LatencyCurve curve;
  for (std::size_t i = 0; i < LatencyCurve::kWindowsMax + 10; ++i) {
    curve.record(i * LatencyCurve::kWindow, milliseconds(1));
  }
  EXPECT_EQ(curve.points().size(), LatencyCurve::kWindowsMax);
  EXPECT_EQ(curve.points().back().at, (LatencyCurve::kWindowsMax - 1) * LatencyCurve::kWindow);
}

}  // namespace
}  // namespace trialward::cli
