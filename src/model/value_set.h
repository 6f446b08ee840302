// A set of codes that answers or units are drawn from, as far as it is known here. Pure values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/form_value.h"

namespace trialward::model {

struct ValueSet {
  std::string url;
  // In the order of their codes, see sort_codings; a concept with two names is there twice.
  std::vector<Coding> codings;
  // Systems all of whose codes belong to it, but which are not listed.
  std::vector<std::string> whole_systems;
  // Why it cannot be said that a code is none of it; empty when all that belong to it are known.
  std::string unknown;
};

void sort_codings(ValueSet& set);

// The answer for one code.
enum class Membership {
  member,
  other_display,  // the code is a member, but is not what the display says
  no_member,
  unknown,        // the set is not known well enough
};
Membership membership(const ValueSet& set, const Coding& coding);

// A code alone, of whatever system.
Membership membership(const ValueSet& set, std::string_view code);

// By their canonical url, or "#id" within a questionnaire.
using ValueSets = std::map<std::string, ValueSet, std::less<>>;

// The url without the version that may follow it: "http://…/x|4.0.1".
std::string_view without_version(std::string_view canonical);

}  // namespace trialward::model
