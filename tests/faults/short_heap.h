// ShortHeap: memory that runs out, for C++: of what `new` asks for, a part is refused. What SQLite
// asks for is not touched (see short_memory.h).
//
// It takes the place of the global operator new in the program that it is linked into; each thread
// has a plan of its own, so that a run on one thread replays. Anything may be called at any time,
// by any thread, for itself.
#pragma once

#include <cstdint>
#include <limits>

namespace trialward::faults {

struct ShortHeap {
  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

  // After so many allocations that succeed, so many fail; then they succeed again.
  static void fail_after(std::int64_t succeed, std::int64_t fail = kAll);
  static void restore();
  // How many failed since fail_after().
  static std::int64_t failed();
};

}  // namespace trialward::faults
