#include "runtime/breaker.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace trialward::runtime {

std::string_view to_string(BreakerState state) {
  static constexpr std::array<std::string_view, 3> kNames = {"closed", "open", "half_open"};
  return kNames[static_cast<std::size_t>(state)];
}

Breaker::Breaker(BreakerOptions options, const base::Clock& clock, base::Random& random)
    : options_(options), clock_(clock), pause_(options.pause, random) {
  TW_CHECK(options_.calls_min > 0 && options_.calls_min <= options_.window);
  TW_CHECK(options_.failures_max > 0 && options_.failures_max <= 1);
  TW_CHECK(options_.probes_max > 0 && options_.probes_needed > 0);
  TW_CHECK(options_.hang_after > base::Duration::zero());
}

Breaker::~Breaker() { TW_CHECK(out_.empty()); }

base::Result<Breaker::Call, base::TimePoint> Breaker::admit() {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  count_hanging(now);
  if (stats_.state == BreakerState::open && now >= open_until_) change(BreakerState::half_open);
  if (stats_.state == BreakerState::open) {
    ++stats_.refused;
    return open_until_;
  }
  if (stats_.state == BreakerState::half_open && probes_out() >= options_.probes_max) {
    ++stats_.refused;
    // The oldest probe has ended by then, or counts as failed.
    const auto oldest = std::find_if(out_.begin(), out_.end(), [this](const auto& one) {
      return one.second.generation == generation_;
    });
    return oldest->second.since + options_.hang_after;
  }
  const std::uint64_t id = next_id_++;
  out_.emplace(id, Out{.since = now, .generation = generation_});
  return Call(*this, id);
}

BreakerStats Breaker::stats() {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  count_hanging(now);
  BreakerStats stats = stats_;
  stats.in_flight = out_.size();
  stats.hanging = static_cast<std::size_t>(
      std::count_if(out_.begin(), out_.end(), [](const auto& one) { return one.second.hung; }));
  return stats;
}

void Breaker::end(std::uint64_t id, Outcome outcome) {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  // First what hangs, this call perhaps: what it says now comes too late.
  count_hanging(now);
  const auto node = out_.extract(id);
  TW_CHECK(!node.empty());
  const Out& call = node.mapped();
  if (call.hung || outcome == Outcome::abandoned) return;
  const bool success = outcome == Outcome::succeeded;
  ++(success ? stats_.succeeded : stats_.failed);
  if (call.generation == generation_) judge(success, now);
}

void Breaker::count_hanging(base::TimePoint now) {
  for (auto& [id, call] : out_) {
    if (now - call.since < options_.hang_after) break;
    if (call.hung) continue;
    call.hung = true;
    ++stats_.hung;
    if (call.generation == generation_) judge(false, now);
  }
}

void Breaker::judge(bool success, base::TimePoint now) {
  if (stats_.state == BreakerState::half_open) {
    if (!success) return open(now);
    if (++probes_succeeded_ < options_.probes_needed) return;
    pause_.reset();
    return change(BreakerState::closed);
  }
  window_.push_back(!success);
  failures_ += success ? 0 : 1;
  if (window_.size() > options_.window) {
    failures_ -= window_.front() ? 1 : 0;
    window_.pop_front();
  }
  const auto of = static_cast<double>(window_.size());
  if (window_.size() < options_.calls_min) return;
  if (static_cast<double>(failures_) >= options_.failures_max * of) open(now);
}

void Breaker::change(BreakerState state) {
  stats_.state = state;
  ++generation_;
  window_.clear();
  failures_ = 0;
  probes_succeeded_ = 0;
}

void Breaker::open(base::TimePoint now) {
  change(BreakerState::open);
  ++stats_.opened;
  open_until_ = now + pause_.next();
}

std::size_t Breaker::probes_out() const {
  return static_cast<std::size_t>(std::count_if(out_.begin(), out_.end(), [this](const auto& one) {
    return one.second.generation == generation_;
  }));
}

Breaker::Call& Breaker::Call::operator=(Call&& other) noexcept {
  if (this == &other) return *this;
  end(Outcome::failed);
  breaker_ = std::exchange(other.breaker_, nullptr);
  id_ = other.id_;
  return *this;
}

void Breaker::Call::end(Outcome outcome) {
  Breaker* breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->end(id_, outcome);
}

}  // namespace trialward::runtime
