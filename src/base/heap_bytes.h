// What things take of the heap, about: for budgets in bytes. Allocators round up to classes of
// sizes; 16 is what most of them have in common.
#pragma once

#include <cstddef>
#include <string>

namespace trialward::base {

constexpr std::size_t heap_bytes(std::size_t asked) {
  return asked == 0 ? 0 : (asked + 15) / 16 * 16;
}

// Beside the string itself, which holds short texts.
inline std::size_t heap_bytes(const std::string& text) {
  static const std::size_t kShort = std::string().capacity();
  return text.capacity() <= kShort ? 0 : heap_bytes(text.capacity() + 1);
}

}  // namespace trialward::base
