#include "ctcae/fit.h"

#include "ctcae/letters.h"
#include "ucum/lab_unit.h"

namespace trialward::ctcae {
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
  const std::string& wanted = term.units.front();
  const auto cannot = [&](const std::string& why) {
    return base::Error{base::Errc::invalid, term.name + " is graded in " + wanted + ", not in " +
                                                (unit.empty() ? "no unit" : std::string(unit)) +
                                                why};
  };
  if (unit.empty()) return cannot("");
  const auto to = ucum::parse_lab_unit(wanted);
  if (!to) return cannot(": " + to.error().message);
  const auto from = ucum::parse_lab_unit(unit, &to->unit);
  if (!from) return cannot(": " + from.error().message);
  const auto way = ucum::prepare(from->unit, to->unit, term.molar_mass);
  if (!way) return cannot(": " + way.error().message);
  return Fit{.unit = 0, .conversion = *way};
}

}  // namespace trialward::ctcae
