#include "reports/group_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trialward::reports {
namespace {

constexpr int kTermsMax = 10'000;
constexpr double kEnough = 1e-16;
constexpr double kTiny = 1e-300;  // in place of a denominator of 0

double not_zero(double x) { return std::fabs(x) < kTiny ? kTiny : x; }

// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated from its front
// by Lentz's method.
double beta_fraction(double a, double b, double x) {
  double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m < kTermsMax; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / not_zero(1 + even * d);
    c = not_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / not_zero(1 + odd * d);
    c = not_zero(1 + odd / c);
    value *= d * c;
    if (std::fabs(d * c - 1) < kEnough) break;
  }
  return value;
}

// The regularised incomplete beta function.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

// The regularised lower incomplete gamma function by its series (DLMF 8.11.4): for x < a + 1.
double gamma_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int i = 1; i < kTermsMax && term > sum * kEnough; ++i) {
    term *= x / (a + i);
    sum += term;
  }
  return sum * std::exp(a * std::log(x) - x - std::lgamma(a));
}

// The upper one by its continued fraction (DLMF 8.9.2): for larger x.
double gamma_fraction(double a, double x) {
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / not_zero(b), value = d;
  for (int i = 1; i < kTermsMax; ++i) {
    const double numerator = -i * (i - a);
    b += 2;
    d = 1 / not_zero(numerator * d + b);
    c = not_zero(b + numerator / c);
    value *= d * c;
    if (std::fabs(d * c - 1) < kEnough) break;
  }
  return value * std::exp(a * std::log(x) - x - std::lgamma(a));
}

}  // namespace

double f_tail(double x, double freedom_1, double freedom_2) {
  return incomplete_beta(freedom_2 / 2, freedom_1 / 2, freedom_2 / (freedom_2 + freedom_1 * x));
}

double chi_square_tail(double x, double freedom) {
  const double a = freedom / 2, half = x / 2;
  if (half <= 0) return 1;
  return half < a + 1 ? 1 - gamma_series(a, half) : gamma_fraction(a, half);
}

std::optional<double> anova_p(const std::vector<std::vector<double>>& groups) {
  long double total = 0, count = 0;
  int filled = 0;
  for (const auto& group : groups) {
    filled += !group.empty();
    for (const double number : group) total += number;
    count += static_cast<long double>(group.size());
  }
  if (filled < 2 || count <= filled) return std::nullopt;
  const long double mean = total / count;
  long double between = 0, within = 0;
  for (const auto& group : groups) {
    if (group.empty()) continue;
    long double sum = 0;
    for (const double number : group) sum += number;
    const auto size = static_cast<long double>(group.size());
    const long double own = sum / size;
    between += size * (own - mean) * (own - mean);
    for (const double number : group) within += (number - own) * (number - own);
  }
  if (!(within > 0)) return std::nullopt;
  const double freedom_1 = filled - 1, freedom_2 = static_cast<double>(count) - filled;
  const auto f = static_cast<double>((between / freedom_1) / (within / freedom_2));
  return f_tail(f, freedom_1, freedom_2);
}

std::optional<double> chi_square_p(const std::vector<std::vector<std::int64_t>>& counts) {
  if (counts.empty()) return std::nullopt;
  std::vector<double> rows(counts.size()), columns(counts.front().size());
  double all = 0;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto count = static_cast<double>(counts[r][c]);
      rows[r] += count;
      columns[c] += count;
      all += count;
    }
  }
  const auto filled = [](const std::vector<double>& sums) {
    return std::count_if(sums.begin(), sums.end(), [](double sum) { return sum > 0; });
  };
  const auto freedom = static_cast<double>((filled(rows) - 1) * (filled(columns) - 1));
  if (!(freedom > 0)) return std::nullopt;
  double x = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double expected = rows[r] * columns[c] / all;
      if (expected > 0) x += std::pow(static_cast<double>(counts[r][c]) - expected, 2) / expected;
    }
  }
  return chi_square_tail(x, freedom);
}

}  // namespace trialward::reports
