#include "model/text_pattern.h"

#include <algorithm>
#include <cstdint>
#include <regex>
#include <vector>

#include "ucum/unit.h"

namespace trialward::model {
namespace {

constexpr std::size_t kHeavy = std::size_t{1} << 30;
constexpr std::size_t kLookAheadDivisor = 10;

// How many states a pattern has at least when each {n,m} is written out m times: an atom is 1, and
// a repetition multiplies what stands before it.
class PatternWeight {
 public:
  explicit PatternWeight(std::string_view pattern) : pattern_(pattern) {}

  std::size_t of_all() {
    groups_.push_back({});
    while (at_ < pattern_.size()) take(pattern_[at_++]);
    while (groups_.size() > 1) close();
    return groups_.back().total + groups_.back().last;
  }

 private:
  struct Group {
    std::size_t total = 0, last = 0;
  };

  void take(char c) {
    if (c == '\\') {
      ++at_;
      atom(1);
    } else if (c == '[') {
      // "]" right behind the bracket, or "^", is a member of the class in some dialects.
      if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
      while (at_ < pattern_.size() && pattern_[at_] != ']') at_ += pattern_[at_] == '\\' ? 2 : 1;
      ++at_;
      atom(1);
    } else if (c == '(') {
      groups_.push_back({});
    } else if (c == ')') {
      if (groups_.size() > 1) close();
    } else if (c == '{') {
      repeat();
    } else {
      atom(1);
    }
  }
  void atom(std::size_t weight) {
    Group& group = groups_.back();
    group.total = std::min(group.total + group.last, kHeavy);
    group.last = weight;
  }
  void close() {
    const Group inner = groups_.back();
    groups_.pop_back();
    atom(std::min(inner.total + inner.last + 2, kHeavy));
  }
  void repeat() {
    std::size_t number = 0, most = 1;
    while (at_ < pattern_.size() && pattern_[at_] != '}') {
      const char c = pattern_[at_++];
      number = '0' <= c && c <= '9'
                   ? std::min(number * 10 + static_cast<std::size_t>(c - '0'), kHeavy)
                   : 0;
      most = std::max(most, number);
    }
    ++at_;
    std::size_t& last = groups_.back().last;
    last = last == 0 ? 0 : std::min(last * most, kHeavy);
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::vector<Group> groups_;
};

}  // namespace

struct TextPattern::Compiled {
  std::wregex regex;
};

std::wstring characters(std::string_view utf8) {
  std::wstring result;
  result.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t character = length == 1 ? lead : lead & (0x7F >> length);
    std::size_t read = 1;
    while (read < length && i + read < utf8.size() &&
           (static_cast<unsigned char>(utf8[i + read]) & 0xC0) == 0x80) {
      character = character << 6 | (static_cast<unsigned char>(utf8[i + read]) & 0x3F);
      ++read;
    }
    result += static_cast<wchar_t>(read == length ? character : lead);
    i += read == length ? length : 1;
  }
  return result;
}

base::Result<TextPattern> TextPattern::make(std::string_view pattern) {
  if (pattern.size() > kPatternCharsMax) {
    return base::invalid("is a pattern of more than " + std::to_string(kPatternCharsMax) +
                         " characters");
  }
  if (PatternWeight(pattern).of_all() > kPatternStatesMax) {
    return base::invalid("is a pattern that repeats too much: written out it has more than " +
                         std::to_string(kPatternStatesMax) + " characters");
  }
  TextPattern result;
  result.text_ = pattern;
  const bool looks_ahead = pattern.find("(?=") != std::string_view::npos ||
                           pattern.find("(?!") != std::string_view::npos;
  if (looks_ahead) result.text_chars_max_ /= kLookAheadDivisor;
  try {
    // Polynomial: without it, some patterns take for ever on some texts.
    const auto flags = std::regex::ECMAScript | std::regex::nosubs |
                       std::regex_constants::__polynomial;
    result.compiled_ = std::make_shared<const Compiled>(
        Compiled{std::wregex(characters(pattern), flags)});
  } catch (const std::regex_error&) {
    return base::invalid("is not understood as a regular expression: " +
                         ucum::quoted(pattern));
  }
  return result;
}

bool TextPattern::fits(std::string_view text) const {
  const std::wstring whole = characters(text);
  if (whole.size() > text_chars_max_) return false;
  return std::regex_match(whole, compiled_->regex);
}

}  // namespace trialward::model
