#include "reports/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace trialward::reports {

double quantile(const std::vector<double>& sorted, double p) {
  TW_CHECK(!sorted.empty());
  const double place = p * static_cast<double>(sorted.size());
  const auto before = static_cast<std::size_t>(std::floor(place));  // numbers up to the quantile
  const std::size_t last = sorted.size() - 1;
  if (place > static_cast<double>(before)) return sorted[std::min(before, last)];
  return (sorted[std::max<std::size_t>(before, 1) - 1] + sorted[std::min(before, last)]) / 2;
}

Summary summarize(std::vector<double> numbers) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Summary sum{0, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
  sum.n = std::ssize(numbers);
  if (numbers.empty()) return sum;
  std::sort(numbers.begin(), numbers.end());
  const auto n = static_cast<long double>(sum.n);
  long double total = 0;
  for (const double number : numbers) total += number;
  const long double mean = total / n;
  sum.mean = static_cast<double>(mean);
  sum.median = quantile(numbers, 0.5);
  sum.q1 = quantile(numbers, 0.25);
  sum.q3 = quantile(numbers, 0.75);
  sum.low = numbers.front();
  sum.high = numbers.back();
  if (numbers.size() < 2) return sum;
  long double squares = 0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  sum.sd = static_cast<double>(std::sqrt(squares / (n - 1)));
  return sum;
}

}  // namespace trialward::reports
