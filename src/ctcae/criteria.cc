#include "ctcae/criteria.h"

#include <algorithm>

#include "ctcae/letters.h"

namespace trialward::ctcae {
namespace {

std::uint8_t asked_by(const Clause& clause) {
  switch (clause.of) {
    case Clause::Of::change:
      return kChange;
    case Clause::Of::adult:
    case Clause::Of::child:
      return kAge;
    case Clause::Of::male:
    case Clause::Of::female:
      return kSex;
    case Clause::Of::baseline_high:
    case Clause::Of::baseline_not_high:
    case Clause::Of::baseline_low:
    case Clause::Of::baseline_not_low:
      return kBaseline;
    case Clause::Of::value:
      break;
  }
  switch (clause.reference) {
    case Reference::none:
      return kValue;
    case Reference::lln:
      return kValue | kLln;
    case Reference::uln:
      return kValue | kUln;
    case Reference::baseline:
      return kValue | kBaseline;
    case Reference::upper:
      return kValue | kUln | kBaseline;
  }
  return kValue;
}

}  // namespace

std::string_view to_string(Direction direction) {
  return direction == Direction::low ? "low" : "high";
}

std::uint8_t Term::asks_for() const {
  std::uint8_t all = needs;
  for (const Line& line : lines) {
    for (const Condition& condition : line.any) {
      for (const Clause& clause : condition.clauses) all |= asked_by(clause);
    }
  }
  if (refer) {
    for (const Clause& clause : refer->clauses) all |= asked_by(clause);
  }
  return all;
}

bool Term::of_system(std::size_t unit, UnitSystem system) const {
  if (unit >= system_units) return false;
  const bool si = unit < si_units;
  return si ? system == UnitSystem::si || si_is_us : system == UnitSystem::us_conventional;
}

const Term* Criteria::term(std::string_view name) const {
  const auto found = std::find_if(terms.begin(), terms.end(), [&](const Term& one) {
    return same_letters(one.name, name);
  });
  return found == terms.end() ? nullptr : &*found;
}

}  // namespace trialward::ctcae
