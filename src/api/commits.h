// What became of the commits of late: how many there were, and whether the store takes what it is
// given. Of a database that answers and refuses (its disk is full) nothing else tells. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "intake/intake.h"

namespace trialward::api {

class Commits {
 public:
  // After so long without another, what was refused says nothing any more: somebody has to try.
  static constexpr base::Duration kRefusalLasts = std::chrono::seconds(10);

  void observe(const intake::BatchReport& report, base::TimePoint now) {
    ++count_;
    const auto of = [&](intake::Verdict one) {
      return report.verdicts[static_cast<std::size_t>(one)];
    };
    if (of(intake::Verdict::unavailable) > 0) {
      refused_until_ = now + kRefusalLasts;
    } else if (of(intake::Verdict::stored) > 0) {
      refused_until_ = base::TimePoint{};
    }
  }
  std::uint64_t count() const { return count_.load(); }
  bool refused(base::TimePoint now) const { return now < refused_until_.load(); }

 private:
  std::atomic<std::uint64_t> count_ = 0;
  std::atomic<base::TimePoint> refused_until_{};
};

}  // namespace trialward::api
