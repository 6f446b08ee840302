// Integers in as few bytes as they need: LEB128, and zigzag for differences, which wrap. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace trialward::monitor {

inline void append_leb128(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

inline std::uint64_t zigzag(std::int64_t value, std::int64_t before) {
  const auto up = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(before);
  return up << 1 ^ (up >> 63 != 0 ? ~std::uint64_t{0} : 0);
}

inline std::int64_t from_zigzag(std::uint64_t coded, std::int64_t before) {
  const std::uint64_t up = coded >> 1 ^ ((coded & 1) != 0 ? ~std::uint64_t{0} : 0);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(before) + up);
}

}  // namespace trialward::monitor
