// How a measurement's unit meets the units in which a term's limits are given. Pure; worked out
// once for a term and a code's own unit, then kept by the caller.
//
// The NCI gives many limits twice, as in mg/dL and mmol/L, and rounds each by itself, so that the
// two lists do not agree at the edges. A number is therefore graded by the list that measures as it
// was measured: a mass by the limits in mass, an amount by those in moles. Only where there is no
// such list is it converted from one to the other, by a molar mass.
//
// Where a study has a molar mass of its own that is far from the criteria's, one of the two lists
// speaks of something else (moles of haemoglobin's tetramers; grams of phosphate, not of
// phosphorus). That list is left aside, and the study's molar mass leads to the other one. The same
// holds of the factor that a study gives for one of its units.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctcae/criteria.h"

namespace trialward::ctcae {

// Apart by more than this share, two molar masses are of different things.
inline constexpr double kSameMolarMass = 0.05;

// One of the term's units, for numbers that were measured in such a kind of amount.
struct Column {
  std::size_t unit = 0;
  ucum::Base amount = ucum::Base::gram;
  double size = 1;  // of the unit, in base units

  // From the code's own unit back to what was measured, and from there to this unit.
  ucum::Conversion way(const ucum::Conversion& to_own) const;
};

// Numbers are turned by `conversion` and graded in the term's unit with this index.
struct Fit {
  std::size_t unit = 0;
  ucum::Conversion conversion;
  std::vector<Column> columns;  // one for each kind of amount that the limits are given in
  // To tell by a study's factor what it speaks of: the kind in which that may be something else,
  // the term's molar mass, and the kind and size of the code's own unit. 0: cannot be told.
  ucum::Base doubtful = ucum::Base::gram;
  double g_per_mol = 0;
  std::optional<ucum::Crossing> own;

  // The one for numbers that came into the code's own unit from another kind of amount; null:
  // there is none, and `conversion` holds.
  const Column* column(const ucum::Conversion& to_own) const;

 private:
  bool of_something_else(const ucum::Conversion& to_own) const;
};

// The term's unit of this spelling, whatever the case of its letters; `system`: of that alone.
// Criteria were published with such a check and without converting, and the published cases are
// graded so. A term without units takes any, as its first.
std::optional<std::size_t> listed_unit(const Term& term, std::string_view unit,
                                       std::optional<UnitSystem> system = std::nullopt);

// The listed unit, else the first that measures the same, else a conversion; `unit` as laboratories
// write it. `of_study`: what the study knows of the code, before the term's own. The error names
// both units.
base::Result<Fit> fit(const Term& term, std::string_view unit, ucum::MolarMass of_study = {});

}  // namespace trialward::ctcae
