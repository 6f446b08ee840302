// Letters without their case, of names and units. Pure; ASCII alone, other bytes stay as they are.
#pragma once

#include <algorithm>
#include <string_view>

namespace trialward::ctcae {

inline char lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace trialward::ctcae
