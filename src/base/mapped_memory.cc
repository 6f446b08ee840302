#include "base/mapped_memory.h"

#include <sys/mman.h>

#include <new>

#include "base/check.h"

namespace trialward::base {

void* MappedMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  TW_CHECK(alignment <= 4096);
  void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  return block;
}

void MappedMemory::do_deallocate(void* block, std::size_t bytes, std::size_t) {
  TW_CHECK(::munmap(block, bytes) == 0);
}

bool MappedMemory::do_is_equal(const std::pmr::memory_resource& other) const noexcept {
  return dynamic_cast<const MappedMemory*>(&other) != nullptr;
}

}  // namespace trialward::base
