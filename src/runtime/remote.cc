#include "runtime/remote.h"

#include <algorithm>
#include <charconv>

namespace trialward::runtime {
namespace {

constexpr std::string_view kRetryAfter = "retry-after";

bool is_retry_after(std::string_view name) {
  return std::equal(name.begin(), name.end(), kRetryAfter.begin(), kRetryAfter.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

Remote::Remote(RemoteOptions options, const base::Clock& clock, base::Random& random)
    : options_(options),
      clock_(clock),
      breaker_(options.breaker, clock, random),
      budget_(options.budget, clock) {
  TW_CHECK(options.in_flight_max > 0);
}

base::Result<Breaker::Call, base::TimePoint> Remote::admit(bool repeats) {
  {
    const std::lock_guard lock(mutex_);
    if (clock_.now() < paused_until_) return paused_until_;
  }
  if (breaker_.stats().in_flight >= options_.in_flight_max) return base::TimePoint::max();
  auto call = breaker_.admit();
  if (!call || !repeats || budget_.take()) return call;
  call->abandoned();
  return budget_.next();
}

void Remote::succeeded(Breaker::Call& call) {
  call.succeeded();
  budget_.succeeded();
}

void Remote::heed(const base::OutboundAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (!is_retry_after(name)) continue;
    std::int64_t seconds = 0;
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, seconds);
    if (error != std::errc() || at != end || seconds <= 0) return;
    constexpr std::int64_t kDayS = 86'400;  // more would not fit
    const base::Duration pause = std::min<base::Duration>(
        std::chrono::seconds(std::min(seconds, kDayS)), options_.retry_after_max);
    const std::lock_guard lock(mutex_);
    paused_until_ = std::max(paused_until_, clock_.now() + pause);
    return;
  }
}

RemoteReport Remote::report() {
  RemoteReport report{.in_flight_max = options_.in_flight_max,
                      .breaker = breaker_.stats(),
                      .budget = budget_.saved()};
  const std::lock_guard lock(mutex_);
  report.paused = std::max(base::Duration::zero(), paused_until_ - clock_.now());
  return report;
}

}  // namespace trialward::runtime
