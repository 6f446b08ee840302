#include "runtime/memory_ladder.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/check.h"

// The allocator that the program is linked with, and the tests are not.
extern "C" void mi_collect(bool force) __attribute__((weak));

namespace trialward::runtime {
namespace {

constexpr unsigned kSlackPercent = 5;

}  // namespace

MemoryLadder::MemoryLadder(MemoryLimits limits) : limits_(limits) {
  TW_CHECK(limits.bytes_max > 0);
  TW_CHECK(kSlackPercent < limits.tight_percent && limits.tight_percent < limits.scarce_percent);
}

MemoryStep MemoryLadder::step_at(std::size_t resident_bytes, unsigned slack_percent) const {
  const std::size_t one_percent = std::max<std::size_t>(limits_.bytes_max / 100, 1);
  const std::size_t percent = resident_bytes / one_percent + slack_percent;
  if (percent >= limits_.scarce_percent) return MemoryStep::scarce;
  if (percent >= limits_.tight_percent) return MemoryStep::tight;
  return MemoryStep::calm;
}

void MemoryLadder::observe(std::size_t resident_bytes) {
  const MemoryStep up = step_at(resident_bytes, 0);
  const MemoryStep down = step_at(resident_bytes, kSlackPercent);
  const MemoryStep now = step();
  if (up > now) {
    step_ = up;
  } else if (down < now) {
    step_ = down;
  }
}

void return_freed_memory() {
  if (mi_collect != nullptr) {
    mi_collect(true);
  } else {
    ::malloc_trim(0);
  }
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages_in_all = 0;
  std::size_t pages_resident = 0;
  file >> pages_in_all >> pages_resident;
  return pages_resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace trialward::runtime
