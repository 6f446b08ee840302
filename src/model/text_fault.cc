#include "model/text_fault.h"

#include <algorithm>

#include "model/decode_record.h"

namespace trialward::model {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_layout(char c) { return c == '\n' || c == '\r' || c == '\t'; }
// Every byte of UTF-8 but those that continue a character.
bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::optional<std::string> length_fault(std::string_view text, std::size_t chars_max) {
  if (text.size() <= chars_max) return std::nullopt;
  const auto chars = std::count_if(text.begin(), text.end(), begins_character);
  if (static_cast<std::size_t>(chars) <= chars_max) return std::nullopt;
  return "has " + std::to_string(chars) + " characters, more than " + std::to_string(chars_max);
}

}  // namespace

std::optional<std::string> id_fault(std::string_view id) {
  if (id.empty()) return "is empty";
  if (std::any_of(id.begin(), id.end(), is_control)) return "has a control character";
  return length_fault(id, kIdCharsMax);
}

std::optional<std::string> text_fault(std::string_view text, std::size_t chars_max) {
  const auto forbidden = [](char c) { return is_control(c) && !is_layout(c); };
  if (std::any_of(text.begin(), text.end(), forbidden)) return "has a control character";
  return length_fault(text, chars_max);
}

}  // namespace trialward::model
