// How a measurement's unit meets the units in which a term's limits are given. Pure; worked out
// once for a term and a unit, then kept by the caller.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ctcae/criteria.h"

namespace trialward::ctcae {

// Numbers are turned by `conversion` and graded in the term's unit with this index.
struct Fit {
  std::size_t unit = 0;
  ucum::Conversion conversion;
};

// The term's unit of this spelling, whatever the case of its letters; `system`: of that alone.
// Criteria were published with such a check and without converting, and the published cases are
// graded so. A term without units takes any, as its first.
std::optional<std::size_t> listed_unit(const Term& term, std::string_view unit,
                                       std::optional<UnitSystem> system = std::nullopt);

// The listed unit, else a conversion to the term's SI unit; `unit` as laboratories write it. The
// error names both units.
base::Result<Fit> fit(const Term& term, std::string_view unit);

}  // namespace trialward::ctcae
