#include "ctcae/fit.h"

#include "ctcae/letters.h"
#include "ctcae/tables.h"

namespace trialward::ctcae {
namespace {

std::string_view ucum_name(std::string_view unit) {
  const auto& names = code_names().units;
  const auto found = names.find(unit);
  return found == names.end() ? unit : std::string_view(found->second);
}

}  // namespace

std::optional<std::size_t> listed_unit(const Term& term, std::string_view unit,
                                       std::optional<UnitSystem> system) {
  if (!term.has_absolute_limits()) return 0;
  for (std::size_t i = 0; i < term.units.size(); ++i) {
    if (same_letters(term.units[i], unit) && (!system || term.of_system(i, *system))) return i;
  }
  return std::nullopt;
}

base::Result<Fit> fit(const Term& term, std::string_view unit) {
  if (const auto listed = listed_unit(term, unit)) return Fit{.unit = *listed};
  for (std::size_t i = 0; i < term.units.size(); ++i) {
    if (ucum_name(term.units[i]) == ucum_name(unit)) return Fit{.unit = i};
  }
  return base::Error{base::Errc::invalid,
                     term.name + " is graded in " + term.units.front() + ", not in " +
                         (unit.empty() ? "no unit" : std::string(unit))};
}

}  // namespace trialward::ctcae
