// Grades a value by a term's criteria. Pure; any thread; grade_of() allocates nothing.
//
// The lines are tried from the highest grade down; the first that certainly holds is the grade,
// also where something that other lines ask for is missing. When none holds, the grade is 0 if
// every line could be decided; otherwise the value cannot be graded. Numbers are compared at
// `significant_digits`, so that binary fractions decide nothing.
//
// A line that assumes a finding which no value shows ("symptomatic") is granted, the worst case;
// `judgement` marks it, and `least` is the grade without the finding. `most` is what a finding
// alone could raise the grade to. Grade 5, death, is never given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ctcae/criteria.h"

namespace trialward::ctcae {

inline constexpr int kSignificantDigits = 15;
inline constexpr double kAdultYears = 18;

enum class BaselineFlag : std::uint8_t { unknown, low, normal, high };
enum class Sex : std::uint8_t { unknown, male, female };

// Numbers are finite and in one unit: that of the term's units with this index, or, when its
// limits have no unit, any unit that they share.
struct Measurement {
  std::size_t unit = 0;
  std::optional<double> value, lln, uln, baseline;
  std::optional<double> change_percent;  // from the baseline; a fall is negative
  BaselineFlag baseline_flag = BaselineFlag::unknown;
  // There may be a baseline, and nobody knows which. Else one that is not given is none, and a
  // value without one is graded as if it had been normal.
  bool baseline_open = false;
  std::optional<double> age_years;  // at the time of the measurement
  Sex sex = Sex::unknown;
  int significant_digits = kSignificantDigits;
};

enum class Reason : std::uint8_t {
  graded,
  missing,   // see Grade::missing
  referred,  // another term is to be used: Term::refer_text
};

struct Grade {
  std::optional<int> grade;  // 0 to 4; nothing when it cannot be graded
  Reason reason = Reason::graded;
  // What was not known of what the lines ask for, as bits of Needed; also of a value that was
  // graded without it.
  std::uint8_t missing = 0;
  const Line* line = nullptr;  // the one that applies; null for grade 0 and without a grade
  // What was compared with the limits: a number in the term's unit with this index.
  double judged = 0;
  std::size_t unit = 0;
  int least = 0, most = 0;
  bool judgement = false;  // a finding was assumed, or one could raise the grade
};

Grade grade_of(const Term& term, const Measurement& measurement);

// -1, 0, 1 as a is less than, the same as, or greater than b at so many significant digits.
int order_at(double a, double b, int significant_digits);

// The nearest number of so many significant decimal digits.
double rounded_at(double number, int significant_digits);

// "the value, the ULN" for the bits of Needed.
std::string names_of(std::uint8_t needed);

}  // namespace trialward::ctcae
