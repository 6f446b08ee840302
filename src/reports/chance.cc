#include "reports/chance.h"

#include <math.h>  // lgammal_r: lgamma keeps a sign for all threads

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace trialward::reports {
namespace {

constexpr long double kNegligible = 1e-20L;  // of a sum: what follows is less and less

long double log_factorial(std::int64_t n) {
  int sign = 0;
  return lgammal_r(static_cast<long double>(n) + 1, &sign);
}

class Distribution {
 public:
  explicit Distribution(const Chance& chance)
      : mean_(chance.mean),
        of_(chance.of),
        share_(of_ ? mean_ / static_cast<long double>(*of_) : 0) {
    TW_CHECK(chance.mean >= 0 && (!of_ || chance.mean <= static_cast<double>(*of_)));
  }

  // Whether there is but one count.
  bool certain() const { return !(mean_ > 0) || (of_ && !(share_ < 1)); }
  std::int64_t certain_count() const { return mean_ > 0 ? *of_ : 0; }
  bool possible(std::int64_t count) const { return count >= 0 && (!of_ || count <= *of_); }

  // Of counts from here down, and up. The mode lies on the other side.
  long double sum_down(std::int64_t count) const {
    long double term = probability(count), sum = term;
    while (count > 0 && term > sum * kNegligible) {
      term /= step(count);
      sum += term;
      --count;
    }
    return sum;
  }
  long double sum_up(std::int64_t count) const {
    long double term = probability(count), sum = term;
    while (possible(count + 1) && term > sum * kNegligible) {
      ++count;
      term *= step(count);
      sum += term;
    }
    return sum;
  }

 private:
  long double probability(std::int64_t count) const {
    const auto k = static_cast<long double>(count);
    if (!of_) return std::exp(k * std::log(mean_) - mean_ - log_factorial(count));
    const auto rest = static_cast<long double>(*of_ - count);
    return std::exp(log_factorial(*of_) - log_factorial(count) - log_factorial(*of_ - count) +
                    k * std::log(share_) + rest * std::log1p(-share_));
  }

  // How many times as likely a count is as the one below.
  long double step(std::int64_t count) const {
    const auto k = static_cast<long double>(count);
    if (!of_) return mean_ / k;
    return static_cast<long double>(*of_ - count + 1) / k * share_ / (1 - share_);
  }

  const long double mean_;
  const std::optional<std::int64_t> of_;
  const long double share_;
};

double bounded(long double probability) {
  return static_cast<double>(std::clamp(probability, 0.0L, 1.0L));
}

}  // namespace

double at_most(const Chance& chance, std::int64_t count) {
  const Distribution distribution(chance);
  if (count < 0) return 0;
  if (distribution.certain()) return count >= distribution.certain_count() ? 1 : 0;
  if (!distribution.possible(count + 1)) return 1;
  const bool below = static_cast<double>(count) <= chance.mean;
  return bounded(below ? distribution.sum_down(count) : 1 - distribution.sum_up(count + 1));
}

double at_least(const Chance& chance, std::int64_t count) {
  const Distribution distribution(chance);
  if (count <= 0) return 1;
  if (distribution.certain()) return count <= distribution.certain_count() ? 1 : 0;
  if (!distribution.possible(count)) return 0;
  const bool above = static_cast<double>(count) >= chance.mean;
  return bounded(above ? distribution.sum_up(count) : 1 - distribution.sum_down(count - 1));
}

std::int64_t lower_limit(const Chance& chance, double alpha) {
  TW_CHECK(alpha > 0 && alpha < 0.5);
  std::int64_t out = -1, in = static_cast<std::int64_t>(std::ceil(chance.mean));
  while (in - out > 1) {
    const std::int64_t middle = out + (in - out) / 2;
    (at_most(chance, middle) > alpha ? in : out) = middle;
  }
  return in;
}

std::int64_t upper_limit(const Chance& chance, double alpha) {
  TW_CHECK(alpha > 0 && alpha < 0.5);
  std::int64_t in = static_cast<std::int64_t>(std::floor(chance.mean)), out = in + 1;
  while (at_least(chance, out) > alpha) {
    in = out;
    out += out - static_cast<std::int64_t>(std::floor(chance.mean));
  }
  while (out - in > 1) {
    const std::int64_t middle = in + (out - in) / 2;
    (at_least(chance, middle) > alpha ? in : out) = middle;
  }
  return in;
}

}  // namespace trialward::reports
