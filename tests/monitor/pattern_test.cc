#include "monitor/pattern.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/milliseconds.h"

namespace trialward::monitor {
namespace {

using base::kDayMs;

std::vector<TimedValue> daily(const std::vector<double>& numbers) {
  std::vector<TimedValue> values;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    values.push_back({1'577'836'800'000 + static_cast<std::int64_t>(i) * kDayMs, numbers[i]});
  }
  return values;
}

// The least squares' slopes were computed by hand: sum of (t - mean t)(y - mean y) over that of
// (t - mean t)^2.
TEST(Slope, IsThatOfTheLineAskedFor) {
  const struct {
    std::vector<double> numbers;
    double least_squares, ends;  // a day
  } cases[] = {
      {{1, 2}, 1, 1},
      {{1, 2, 3, 4}, 1, 1},
      {{0, 0, 3}, 1.5, 1.5},
      {{0, 3, 3}, 1.5, 1.5},
      {{0, 6, 0, 6}, 1.2, 2},
      {{5, 5, 5}, 0, 0},
      {{0.1, 0.2, 0.3}, 0.1, 0.1},
      {{10, 4, 1}, -4.5, -4.5},
  };
  for (const auto& one : cases) {
    const auto values = daily(one.numbers);
    for (const bool ends : {false, true}) {
      const double slope = ends ? one.ends : one.least_squares;
      Slope test{.per_ms = slope / kDayMs, .over_ms = 9 * kDayMs, .points_min = 2, .ends = ends};
      for (const Op op : {Op::at_least, Op::at_most}) {
        test.op = op;
        EXPECT_TRUE(holds(test, values)) << slope;
      }
      for (const Op op : {Op::above, Op::below}) {
        test.op = op;
        EXPECT_FALSE(holds(test, values)) << slope;
      }
      test.op = Op::at_least;
      test.per_ms = (slope + 0.01) / kDayMs;
      EXPECT_FALSE(holds(test, values)) << slope;
    }
  }
}

TEST(Slope, NeedsItsPointsAndTwoInstants) {
  const Slope test{.op = Op::at_least, .per_ms = -1, .over_ms = kDayMs, .points_min = 3};
  EXPECT_FALSE(holds(test, daily({1, 2})));
  EXPECT_TRUE(holds(test, daily({1, 2, 3})));
  EXPECT_FALSE(holds(test, std::vector<TimedValue>{{5, 1}, {5, 2}, {5, 3}}));
  EXPECT_FALSE(holds(test, {}));
  const double huge = std::numeric_limits<double>::max();
  EXPECT_FALSE(holds(test, daily({-huge, huge, huge})));
}

TEST(Ratio, IsOfTwoNumbersAndNotByNothing) {
  const Ratio ratio{.op = Op::at_least, .limit = 5};
  EXPECT_TRUE(ratio.holds(10, 2));
  EXPECT_TRUE(ratio.holds(0.5, 0.1));  // not exact in binary
  EXPECT_FALSE(ratio.holds(9.9, 2));
  EXPECT_FALSE(ratio.holds(10, 0));
  EXPECT_FALSE(ratio.holds(10, -2));
}

}  // namespace
}  // namespace trialward::monitor
