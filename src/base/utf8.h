// Texts as bytes of UTF-8 (RFC 3629). Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trialward::base {

// The number of bytes of the character at the start of a text that is not empty; 0 if it begins
// with none.
std::size_t utf8_sequence(std::string_view text);

// What somebody else's text comes to as a line that every store takes: control characters, NUL
// among them, become spaces, and bytes that are no UTF-8 U+FFFD. It ends with a whole character,
// after at most so many bytes.
std::string clean_line(std::string_view text, std::size_t bytes_max);

}  // namespace trialward::base
