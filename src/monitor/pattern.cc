#include "monitor/pattern.h"

#include <algorithm>
#include <cmath>

namespace trialward::monitor {
namespace {

// Of the least squares' line, by what lies off the means: instants are large, their spread is not.
double least_squares(std::span<const TimedValue> values) {
  const auto count = static_cast<double>(values.size());
  const std::int64_t origin_ms = values.front().at_ms;
  const auto since = [&](const TimedValue& one) {
    return static_cast<double>(one.at_ms - origin_ms);
  };
  double time_mean = 0, mean = 0;
  for (const TimedValue& one : values) {
    time_mean += since(one) / count;
    mean += one.number / count;
  }
  double both = 0, squares = 0;
  for (const TimedValue& one : values) {
    const double off = since(one) - time_mean;
    both += off * (one.number - mean);
    squares += off * off;
  }
  return both / squares;
}

}  // namespace

bool Ratio::holds(double value, double divided_by) const {
  return divided_by > 0 && compare(value, op, limit * divided_by, 0);
}

bool holds(const Slope& slope, std::span<const TimedValue> values) {
  if (values.size() < std::max<std::size_t>(slope.points_min, 2)) return false;
  const TimedValue& first = values.front();
  const TimedValue& last = values.back();
  if (first.at_ms == last.at_ms) return false;
  const auto took_ms = static_cast<double>(last.at_ms - first.at_ms);
  const double found =
      slope.ends ? (last.number - first.number) / took_ms : least_squares(values);
  double largest = 0;
  for (const TimedValue& one : values) largest = std::max(largest, std::abs(one.number));
  return std::isfinite(found) && compare(found, slope.op, slope.per_ms, largest / took_ms);
}

}  // namespace trialward::monitor
