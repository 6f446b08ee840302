// A regular expression of a questionnaire (ECMAScript's syntax, as far as it is common with XML
// Schema's and PCRE), held against whole texts, character by character, not byte by byte. Patterns
// come from outside: their size is bounded, and time to match is polynomial. Immutable; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::model {

inline constexpr std::size_t kPatternCharsMax = 500;
inline constexpr std::size_t kPatternStatesMax = 2000;  // characters, with repetitions written out
inline constexpr std::size_t kPatternTextCharsMax = 4000;  // 400 when the pattern looks ahead

class TextPattern {
 public:
  // The error's message is a reason without a place.
  static base::Result<TextPattern> make(std::string_view pattern);

  const std::string& text() const { return text_; }
  // Whether the whole text fits; never one that is too long to be held against it.
  bool fits(std::string_view text) const;
  std::size_t text_chars_max() const { return text_chars_max_; }

 private:
  struct Compiled;
  std::string text_;
  std::size_t text_chars_max_ = kPatternTextCharsMax;
  std::shared_ptr<const Compiled> compiled_;  // shared by copies of one questionnaire's items
};

// The characters of UTF-8 text; bytes that are none count as one each.
std::wstring characters(std::string_view utf8);

}  // namespace trialward::model
