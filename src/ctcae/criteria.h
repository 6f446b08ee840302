// The grading criteria of one version of the NCI's CTCAE, as far as values decide them: what a
// table (tables/v5.toml) says, checked and ready to be asked. Plain values, immutable once read:
// any thread may use them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ucum/unit.h"

namespace trialward::ctcae {

enum class Direction : std::uint8_t { low, high };
std::string_view to_string(Direction direction);

// The spellings of units that a term's limits are given in.
inline constexpr std::size_t kUnitsMax = 4;
enum class UnitSystem : std::uint8_t { si, us_conventional };

// What a value is compared with. `upper` is the baseline where that is above the ULN, else the ULN.
enum class Reference : std::uint8_t { none, lln, uln, baseline, upper };

// What must be known of a measurement, as bits.
enum Needed : std::uint8_t {
  kValue = 1,
  kLln = 2,
  kUln = 4,
  kBaseline = 8,
  kChange = 16,
  kAge = 32,
  kSex = 64,
};

enum class Compare : std::uint8_t { below, at_most, above, at_least };

// One thing that must hold: a comparison, or something about the patient or the baseline.
struct Clause {
  enum class Of : std::uint8_t {
    value,   // of the value with factor * reference + amount in the value's unit
    change,  // of the change from the baseline in percent with amounts[0]
    baseline_high,
    baseline_not_high,
    baseline_low,
    baseline_not_low,
    adult,
    child,
    male,
    female,
  };
  Of of = Of::value;
  Compare compare = Compare::above;
  Reference reference = Reference::none;
  double factor = 1;
  std::array<double, kUnitsMax> amounts{};  // one for each of the term's units
};

// All clauses hold. `if_known`: where something is missing it does not hold, rather than being
// undecided.
struct Condition {
  std::vector<Clause> clauses;
  bool if_known = false;
};

// One line of a term. It applies where one of its conditions holds; without conditions only a
// physician can tell.
struct Line {
  int grade = 1;
  std::string text;  // the NCI's
  std::vector<Condition> any;
  std::string assumes;  // a finding that no value shows and that is assumed, the worst case
  int otherwise = 0;    // the grade when the finding is absent
  // Without conditions, and more than what another line comes down to without its finding: a
  // finding raises a grade to this one.
  bool raises = false;
};

struct Term {
  std::string name, soc;
  Direction direction = Direction::low;
  // SI, then US-conventional, then those of neither list; none: the limits have no unit.
  std::vector<std::string> units;
  std::size_t si_units = 0;      // how many of them are SI; a unit of both systems stands once
  std::size_t system_units = 0;  // how many are of either system
  bool si_is_us = false;
  ucum::MolarMass molar_mass;  // of what is measured, where amounts are converted
  bool moles_differ = false;   // see ucum::Analyte
  std::uint8_t needs = 0;  // without these nothing is graded, whichever line would apply
  std::vector<Line> lines;  // the highest grade first
  std::optional<Condition> refer;  // where this holds another term is the one to use
  std::string refer_text;

  bool has_absolute_limits() const { return !units.empty(); }
  // What some line asks for, as bits of Needed.
  std::uint8_t asks_for() const;
  bool of_system(std::size_t unit, UnitSystem system) const;
};

struct Criteria {
  std::string version;       // "5"
  std::string full_version;  // "5.0"
  std::vector<Term> terms;

  // Of that name, whatever the case of its letters; null when there is none. The same name may
  // stand in one direction only.
  const Term* term(std::string_view name) const;
};

}  // namespace trialward::ctcae
