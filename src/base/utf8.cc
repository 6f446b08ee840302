#include "base/utf8.h"

namespace trialward::base {

// No overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xC2 && lead < 0xE0 ? 2
                           : lead >= 0xE0 && lead < 0xF0 ? 3
                           : lead >= 0xF0 && lead < 0xF5 ? 4
                                                         : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return size;
}

std::string clean_line(std::string_view text, std::size_t bytes_max) {
  std::string line;
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    std::string_view character = size == 0 ? "\xEF\xBF\xBD" : text.substr(0, size);
    if (size == 1 && (static_cast<unsigned char>(text[0]) < ' ' || text[0] == '\x7f')) {
      character = " ";
    }
    if (line.size() + character.size() > bytes_max) break;
    line += character;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return line;
}

}  // namespace trialward::base
