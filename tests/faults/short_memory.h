// ShortMemory: memory that runs out, for SQLite: of what it asks the system for, a part is refused.
// What C++ asks for is not touched.
//
// It takes SQLite's allocator's place before main() begins, in every program that this is linked
// into; from then on each thread has a plan of its own, so that a run on one thread replays.
// Anything may be called at any time, by any thread, for itself.
#pragma once

#include <cstdint>
#include <limits>

namespace trialward::faults {

struct ShortMemory {
  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

  // After so many allocations that succeed, so many fail; then they succeed again.
  static void fail_after(std::int64_t succeed, std::int64_t fail = kAll);
  static void restore();
  // How many failed since fail_after().
  static std::int64_t failed();
};

}  // namespace trialward::faults
