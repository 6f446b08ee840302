#include "ctcae/fit.h"

#include <cmath>

#include "ctcae/letters.h"
#include "ucum/lab_unit.h"

namespace trialward::ctcae {
namespace {

struct Limits {
  std::size_t unit = 0;  // index of the term's
  ucum::Unit read;
};

bool of_different_things(double g_per_mol, double other) {
  return g_per_mol > 0 && other > 0 && std::abs(g_per_mol - other) > kSameMolarMass * other;
}

ucum::Base doubtful_of(const Term& term) {
  return term.moles_differ ? ucum::Base::mole : ucum::Base::gram;
}

// Those of the term's units whose limits speak of what the study's code measures; all of them,
// rather than none.
std::vector<Limits> limits_of(const Term& term, ucum::MolarMass of_study) {
  const bool different = of_different_things(of_study.g_per_mol, term.molar_mass.g_per_mol);
  std::vector<Limits> all, usable;
  for (std::size_t i = 0; i < term.units.size(); ++i) {
    const auto read = ucum::parse_lab_unit(term.units[i]);
    if (!read) continue;
    all.push_back({i, read->unit});
    if (different && ucum::amount(read->unit) == doubtful_of(term)) continue;
    usable.push_back({i, read->unit});
  }
  return usable.empty() ? all : usable;
}

ucum::MolarMass molar_mass_of(const Term& term, ucum::MolarMass of_study) {
  ucum::MolarMass molar_mass = term.molar_mass;
  if (of_study.g_per_mol > 0) molar_mass.g_per_mol = of_study.g_per_mol;
  if (of_study.valence > 0) molar_mass.valence = of_study.valence;
  return molar_mass;
}

// A pH or an INR: a limit that is a number and no multiple of anything.
bool has_bare_limits(const Term& term) {
  for (const Line& line : term.lines) {
    for (const Condition& condition : line.any) {
      for (const Clause& clause : condition.clauses) {
        if (clause.of == Clause::Of::value && clause.reference == Reference::none) return true;
      }
    }
  }
  return false;
}

// 40 nmol/L of hydrogen ions are no pH of 40. What is no unit that we know may be a name, as "INR".
bool is_bare(std::string_view unit) {
  const auto read = ucum::parse_lab_unit(unit);
  if (unit.empty() || !read) return true;
  return read->unit.scale == ucum::Scale::negative_log10 ||
         ucum::same_dimension(read->unit, ucum::Unit());
}

std::vector<Column> columns_of(const std::vector<Limits>& limits) {
  std::vector<Column> columns;
  for (const Limits& one : limits) {
    const auto amount = ucum::amount(one.read);
    if (!amount || one.read.scale != ucum::Scale::ratio) continue;
    bool known = false;
    for (const Column& column : columns) known = known || column.amount == *amount;
    if (!known) columns.push_back({one.unit, *amount, one.read.factor});
  }
  return columns;
}

}  // namespace

ucum::Conversion Column::way(const ucum::Conversion& to_own) const {
  ucum::Conversion back;
  back.factor = to_own.crossing->size / size / to_own.factor;
  back.offset = -to_own.offset * back.factor;
  return back;
}

bool Fit::of_something_else(const ucum::Conversion& to_own) const {
  using ucum::Base;
  const ucum::Crossing& from = *to_own.crossing;
  if (from.amount != doubtful || !own) return false;
  const double own_size = to_own.factor * own->size;
  if (from.amount == Base::gram && own->amount == Base::mole) {
    return of_different_things(from.size / own_size, g_per_mol);
  }
  if (from.amount == Base::mole && own->amount == Base::gram) {
    return of_different_things(own_size / from.size, g_per_mol);
  }
  return false;
}

const Column* Fit::column(const ucum::Conversion& to_own) const {
  if (!to_own.crossing || !to_own.linear || of_something_else(to_own)) return nullptr;
  for (const Column& one : columns) {
    if (one.amount == to_own.crossing->amount) return &one;
  }
  return nullptr;
}

std::optional<std::size_t> listed_unit(const Term& term, std::string_view unit,
                                       std::optional<UnitSystem> system) {
  if (!term.has_absolute_limits()) return 0;
  for (std::size_t i = 0; i < term.units.size(); ++i) {
    if (same_letters(term.units[i], unit) && (!system || term.of_system(i, *system))) return i;
  }
  return std::nullopt;
}

base::Result<Fit> fit(const Term& term, std::string_view unit, ucum::MolarMass of_study) {
  if (!term.has_absolute_limits()) {
    if (!has_bare_limits(term) || is_bare(unit)) return Fit{};
    return base::Error{base::Errc::invalid, term.name + " is graded by a number without a unit, "
                                            "not in " + std::string(unit)};
  }
  const auto limits = limits_of(term, of_study);
  Fit found{.columns = columns_of(limits),
            .doubtful = doubtful_of(term),
            .g_per_mol = term.molar_mass.g_per_mol};
  const auto cannot = [&](const std::string& why) {
    return base::Error{base::Errc::invalid, term.name + " is graded in " + term.units.front() +
                                                ", not in " +
                                                (unit.empty() ? "no unit" : std::string(unit)) +
                                                why};
  };
  if (unit.empty() || limits.empty()) return cannot("");
  const auto from = ucum::parse_lab_unit(unit, &limits.front().read);
  if (const auto amount = from ? ucum::amount(from->unit) : std::nullopt) {
    found.own = ucum::Crossing{*amount, from->unit.factor};
  }
  const auto listed = listed_unit(term, unit);
  for (const Limits& one : limits) {
    if (listed != one.unit) continue;
    found.unit = one.unit;
    return found;
  }
  if (!from) return cannot(": " + from.error().message);
  const auto molar_mass = molar_mass_of(term, of_study);
  for (const bool measuring_the_same : {true, false}) {
    for (const Limits& one : limits) {
      if (measuring_the_same && !ucum::same_dimension(from->unit, one.read)) continue;
      const auto way = ucum::prepare(from->unit, one.read, molar_mass);
      if (!way) continue;
      found.unit = one.unit;
      found.conversion = *way;
      return found;
    }
  }
  return cannot(": " + ucum::prepare(from->unit, limits.front().read, molar_mass).error().message);
}

}  // namespace trialward::ctcae
