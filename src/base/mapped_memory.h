// Memory straight from the system: what is given back leaves the process at once, whichever thread
// asked for it and whichever lets it go. An allocator keeps what was freed, and of another thread's
// memory it cannot even tell the system until that thread does something. For what is large and
// goes as a whole: under a std::pmr::monotonic_buffer_resource, which asks for large blocks. Any
// thread. Throws std::bad_alloc.
#pragma once

#include <memory_resource>

namespace trialward::base {

class MappedMemory final : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override;
};

}  // namespace trialward::base
