#include "runtime/retry_budget.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace trialward::runtime {
namespace {

using Seconds = std::chrono::duration<double>;

// What is lost when a saved amount is computed as a double; far less than a repetition.
constexpr double kRounding = 1e-9;

}  // namespace

RetryBudget::RetryBudget(RetryBudgetOptions options, const base::Clock& clock)
    : options_(options), clock_(clock), saved_(options.saved_max), as_of_(clock.now()) {
  TW_CHECK(options_.per_success >= 0 && options_.per_second > 0 && options_.saved_max >= 1);
}

double RetryBudget::saved_at(base::TimePoint now) const {
  return std::min(options_.saved_max,
                  saved_ + Seconds(now - as_of_).count() * options_.per_second);
}

void RetryBudget::succeeded() {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  saved_ = std::min(options_.saved_max, saved_at(now) + options_.per_success);
  as_of_ = now;
}

bool RetryBudget::take() {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  const double saved = saved_at(now);
  if (saved + kRounding < 1) {
    ++refused_;
    return false;
  }
  saved_ = std::max(0.0, saved - 1);
  as_of_ = now;
  return true;
}

base::TimePoint RetryBudget::next() const {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  const double missing = std::max(0.0, 1 - saved_at(now));
  return now + std::chrono::ceil<base::Duration>(Seconds(missing / options_.per_second));
}

double RetryBudget::saved() const {
  const std::lock_guard lock(mutex_);
  return saved_at(clock_.now());
}

std::uint64_t RetryBudget::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace trialward::runtime
