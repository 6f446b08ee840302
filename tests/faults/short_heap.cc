#include "tests/faults/short_heap.h"

#include <cstdlib>
#include <new>

namespace trialward::faults {
namespace {

struct Plan {
  std::int64_t succeed = ShortHeap::kAll, fail = 0, failed = 0;
};
thread_local constinit Plan plan;

bool refused() {
  if (plan.succeed > 0) {
    if (plan.succeed != ShortHeap::kAll) --plan.succeed;
    return false;
  }
  if (plan.fail == 0) return false;
  if (plan.fail != ShortHeap::kAll) --plan.fail;
  ++plan.failed;
  return true;
}

}  // namespace

void ShortHeap::fail_after(std::int64_t succeed, std::int64_t fail) {
  plan = {.succeed = succeed, .fail = fail};
}

void ShortHeap::restore() {
  plan.succeed = kAll;
  plan.fail = 0;
}

std::int64_t ShortHeap::failed() { return plan.failed; }

}  // namespace trialward::faults

// All other forms but the aligned ones end in these.
void* operator new(std::size_t size) {
  void* memory = trialward::faults::refused() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
