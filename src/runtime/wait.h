// How everything in runtime/ waits for a moment: for the time that the Clock says is left. Under a
// FakeClock such a wait lasts until it is woken, or until real time has passed as long and the
// clock says so too; tests of deadlines therefore drive expire() or step() instead.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace trialward::runtime {

// No deadline at all; for waits that something else is sure to end.
inline constexpr base::TimePoint kForever = base::TimePoint::max();

// True when ready() holds, false when the time was over first. `lock` guards what ready() reads.
template <class Ready>
bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                const base::Clock& clock, base::TimePoint until, Ready ready) {
  // A longer wait is cut into pieces, so that now + wait never overflows.
  constexpr base::Duration kPiece = std::chrono::hours(1);
  while (!ready()) {
    const base::TimePoint now = clock.now();
    if (now >= until) return false;
    changed.wait_for(lock, std::min<base::Duration>(kPiece, until - now));
  }
  return true;
}

}  // namespace trialward::runtime
