// MemoryLadder: how short of memory the process is, from what it is seen to use. Each step up, less
// urgent work is to be refused, so that the system never has to kill the process and urgent work
// goes on. A step is left a little lower than it was entered, or it would flutter.
//
// observe() is called by one thread, step() by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace trialward::runtime {

enum class MemoryStep : std::uint8_t {
  calm,
  tight,   // nothing new that can wait: streams, exports
  scarce,  // nothing new but what is urgent
};

struct MemoryLimits {
  std::size_t bytes_max = std::size_t{1} << 30;  // resident, of the whole process
  unsigned tight_percent = 75;                   // of bytes_max
  unsigned scarce_percent = 90;
};

class MemoryLadder {
 public:
  explicit MemoryLadder(MemoryLimits limits);

  MemoryStep step() const { return step_.load(std::memory_order_relaxed); }
  void observe(std::size_t resident_bytes);

 private:
  MemoryStep step_at(std::size_t resident_bytes, unsigned slack_percent) const;

  const MemoryLimits limits_;
  std::atomic<MemoryStep> step_{MemoryStep::calm};
};

// What was freed and is still held for the next to ask goes back to the system: what this thread
// had asked for, at least. Takes milliseconds.
void return_freed_memory();
// Of this process, by /proc/self/statm; 0 when that cannot be read.
std::size_t resident_bytes();

}  // namespace trialward::runtime
