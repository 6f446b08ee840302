#include "model/value_set.h"

#include <algorithm>
#include <span>

namespace trialward::model {
namespace {

// Displays are compared without regard to the case of ASCII letters and to blanks around them.
std::string folded(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  std::string result(text);
  for (char& c : result) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

Membership otherwise(const ValueSet& set) {
  return set.unknown.empty() ? Membership::no_member : Membership::unknown;
}

// Those of the set with this code.
std::span<const Coding> with_code(const ValueSet& set, std::string_view code) {
  struct ByCode {
    bool operator()(const Coding& a, std::string_view b) const { return a.code < b; }
    bool operator()(std::string_view a, const Coding& b) const { return a < b.code; }
  };
  const auto [from, until] =
      std::equal_range(set.codings.begin(), set.codings.end(), code, ByCode());
  return {from, until};
}

}  // namespace

void sort_codings(ValueSet& set) {
  std::stable_sort(set.codings.begin(), set.codings.end(),
                   [](const Coding& a, const Coding& b) { return a.code < b.code; });
}

Membership membership(const ValueSet& set, const Coding& coding) {
  bool member = false, named = false;
  for (const Coding& one : with_code(set, coding.code)) {
    if (!same_concept(one, coding)) continue;
    member = true;
    if (coding.display.empty() || one.display.empty()) return Membership::member;
    named = named || folded(one.display) == folded(coding.display);
  }
  if (member) return named ? Membership::member : Membership::other_display;
  const auto& whole = set.whole_systems;
  if (!coding.code.empty() && std::find(whole.begin(), whole.end(), coding.system) != whole.end()) {
    return Membership::unknown;
  }
  return otherwise(set);
}

Membership membership(const ValueSet& set, std::string_view code) {
  if (!with_code(set, code).empty()) return Membership::member;
  return set.whole_systems.empty() ? otherwise(set) : Membership::unknown;
}

std::string_view without_version(std::string_view canonical) {
  return canonical.substr(0, canonical.find('|'));
}

}  // namespace trialward::model
