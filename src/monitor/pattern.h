// What a rule asks of several values: of two codes at about the same time, or of one over time.
// Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "monitor/condition.h"

namespace trialward::monitor {

// Of a value divided by another code's. Both in multiples of their upper limits of normal, or each
// in its code's own unit.
struct Ratio {
  Op op = Op::at_least;
  double limit = 0;
  bool of_uln = false;
  std::string divisor;       // a code of the same kind
  std::int64_t apart_ms = 0;  // how far the two may be apart

  // False for a divisor that is not above 0.
  bool holds(double value, double divided_by) const;
};

inline constexpr std::size_t kSlopePointsMax = 240;

// Of the slope of a code's values over the time that ends with one of them.
struct Slope {
  Op op = Op::at_least;
  double per_ms = 0;  // the code's own unit
  std::int64_t over_ms = 0;
  std::size_t points_min = 2;
  bool ends = false;  // of the line through the first and the last; else the least squares' line
};

struct TimedValue {
  std::int64_t at_ms = 0;
  double number = 0;
};

// Whether it holds of these values, which are in the order of their instants. Fewer than
// points_min, or all at one instant, have no slope.
bool holds(const Slope& slope, std::span<const TimedValue> values);

}  // namespace trialward::monitor
