#include "ctcae/grade.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace trialward::ctcae {
namespace {

enum class Truth : std::uint8_t { no, unknown, yes };

Truth truth(bool holds) { return holds ? Truth::yes : Truth::no; }

// What a few additions and multiplications of binary fractions lose.
constexpr double kNoise = 4 * std::numeric_limits<double>::epsilon();
constexpr int kDigitsMax = 17;

bool holds(double value, Compare compare, double limit, int digits) {
  const int order = order_at(value, limit, digits);
  switch (compare) {
    case Compare::below:
      return order < 0;
    case Compare::at_most:
      return order <= 0;
    case Compare::above:
      return order > 0;
    case Compare::at_least:
      return order >= 0;
  }
  return false;
}

class Judge {
 public:
  explicit Judge(const Measurement& measurement) : of_(measurement) {}

  std::uint8_t missing() const { return missing_; }

  // Nothing is missed for a condition that fails anyway.
  Truth of(const Condition& condition) {
    Truth all = Truth::yes;
    std::uint8_t missed = 0;
    for (const Clause& clause : condition.clauses) {
      const Truth one = of(clause, missed);
      if (one == Truth::no) return Truth::no;
      if (one == Truth::unknown) all = Truth::unknown;
    }
    missing_ |= missed;
    return all == Truth::unknown && condition.if_known ? Truth::no : all;
  }

  Truth of(const Line& line) {
    Truth any = Truth::no;
    for (const Condition& condition : line.any) {
      any = std::max(any, of(condition));
      if (any == Truth::yes) break;
    }
    return any;
  }

 private:
  Truth of(const Clause& clause, std::uint8_t& missed) const {
    switch (clause.of) {
      case Clause::Of::value:
        return of_value(clause, missed);
      case Clause::Of::change:
        if (!of_.change_percent) return miss(kChange, missed);
        return truth(holds(*of_.change_percent, clause.compare, clause.amounts[0],
                           of_.significant_digits));
      case Clause::Of::baseline_high:
        return of_flag(BaselineFlag::high, true, missed);
      case Clause::Of::baseline_not_high:
        return of_flag(BaselineFlag::high, false, missed);
      case Clause::Of::baseline_low:
        return of_flag(BaselineFlag::low, true, missed);
      case Clause::Of::baseline_not_low:
        return of_flag(BaselineFlag::low, false, missed);
      case Clause::Of::adult:
      case Clause::Of::child:
        if (!of_.age_years) return miss(kAge, missed);
        return truth((*of_.age_years >= kAdultYears) == (clause.of == Clause::Of::adult));
      case Clause::Of::male:
      case Clause::Of::female:
        if (of_.sex == Sex::unknown) return miss(kSex, missed);
        return truth((of_.sex == Sex::male) == (clause.of == Clause::Of::male));
    }
    return Truth::no;
  }

  // A baseline that nobody called high or low was neither.
  Truth of_flag(BaselineFlag flag, bool expected, std::uint8_t& missed) const {
    if (of_.baseline_open) return miss(kBaseline, missed);
    return truth((of_.baseline_flag == flag) == expected);
  }

  Truth of_value(const Clause& clause, std::uint8_t& missed) const {
    if (!of_.value) return miss(kValue, missed);
    double limit = clause.amounts[of_.unit];
    if (clause.reference != Reference::none) {
      const auto reference = reference_of(clause.reference, missed);
      if (!reference) return Truth::unknown;
      limit += clause.factor * *reference;
    }
    return truth(holds(*of_.value, clause.compare, limit, of_.significant_digits));
  }

  std::optional<double> reference_of(Reference reference, std::uint8_t& missed) const {
    switch (reference) {
      case Reference::lln:
        if (!of_.lln) missed |= kLln;
        return of_.lln;
      case Reference::uln:
        if (!of_.uln) missed |= kUln;
        return of_.uln;
      case Reference::baseline:
        if (!of_.baseline) missed |= kBaseline;
        return of_.baseline;
      case Reference::upper:
        if (!of_.uln) missed |= kUln;
        if (of_.uln && of_.baseline_open) {
          missed |= kBaseline;  // which may be the higher one
          return std::nullopt;
        }
        if (!of_.uln || !of_.baseline) return of_.uln;
        return std::max(*of_.uln, *of_.baseline);
      case Reference::none:
        break;
    }
    return std::nullopt;
  }

  static Truth miss(Needed what, std::uint8_t& missed) {
    missed |= what;
    return Truth::unknown;
  }

  const Measurement& of_;
  std::uint8_t missing_ = 0;
};

std::uint8_t missing_of(const Measurement& measurement) {
  return static_cast<std::uint8_t>(
      (measurement.value ? 0 : kValue) | (measurement.lln ? 0 : kLln) |
      (measurement.uln ? 0 : kUln) | (measurement.baseline ? 0 : kBaseline) |
      (measurement.change_percent ? 0 : kChange) | (measurement.age_years ? 0 : kAge) |
      (measurement.sex != Sex::unknown ? 0 : kSex));
}

// What findings could change about the grade by `line`, or about grade 0.
void add_judgement(const Term& term, Judge& judge, Grade& grade) {
  grade.least = *grade.grade;
  grade.most = *grade.grade;
  if (grade.line && !grade.line->assumes.empty()) {
    grade.judgement = true;
    grade.least = grade.line->otherwise;
    // Without the finding a lower line may hold by itself.
    for (const Line& line : term.lines) {
      if (line.grade <= grade.least) break;
      if (line.assumes.empty() && line.grade < *grade.grade && judge.of(line) == Truth::yes) {
        grade.least = line.grade;
      }
    }
  }
  // A finding makes a bad value worse; it makes no normal value bad.
  if (*grade.grade == 0) return;
  for (const Line& line : term.lines) {
    if (line.grade <= grade.most || !line.raises) continue;
    grade.most = line.grade;
    grade.judgement = true;
  }
}

}  // namespace

double rounded_at(double number, int significant_digits) {
  const int digits = std::clamp(significant_digits, 1, kDigitsMax);
  std::array<char, 40> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number,
                                          std::chars_format::scientific, digits - 1);
  double back = number;
  if (error == std::errc()) std::from_chars(text.data(), end, back);
  return back;
}

int order_at(double a, double b, int significant_digits) {
  if (a == b) return 0;
  const double size = std::max(std::abs(a), std::abs(b));
  const double gap = std::abs(a - b);
  if (gap <= kNoise * size) return 0;
  const int order = a < b ? -1 : 1;
  const int digits = std::clamp(significant_digits, 1, kDigitsMax);
  static constexpr std::array<double, kDigitsMax + 1> kUnit = {
      10,   1,    1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
      1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16};
  // Further apart than rounding can bring together.
  if (gap > kUnit[static_cast<std::size_t>(digits)] * size) return order;
  return rounded_at(a, digits) == rounded_at(b, digits) ? 0 : order;
}

Grade grade_of(const Term& term, const Measurement& measurement) {
  Grade grade;
  Judge judge(measurement);
  grade.missing =
      static_cast<std::uint8_t>(missing_of(measurement) & (term.needs | kValue));
  if (grade.missing != 0) {
    grade.reason = Reason::missing;
    return grade;
  }
  grade.judged = *measurement.value;
  grade.unit = measurement.unit;
  const Truth referred = term.refer ? judge.of(*term.refer) : Truth::no;
  if (referred != Truth::no) {
    grade.reason = referred == Truth::yes ? Reason::referred : Reason::missing;
    grade.missing = judge.missing();
    return grade;
  }
  bool undecided = false;
  for (const Line& line : term.lines) {
    const Truth applies = judge.of(line);
    undecided = undecided || applies == Truth::unknown;
    if (applies != Truth::yes) continue;
    grade.grade = line.grade;
    grade.line = &line;
    break;
  }
  grade.missing = judge.missing();
  if (!grade.line) {
    if (undecided) {
      grade.reason = Reason::missing;
      return grade;
    }
    grade.grade = 0;
  }
  add_judgement(term, judge, grade);
  return grade;
}

std::string names_of(std::uint8_t needed) {
  struct Name {
    Needed bit;
    std::string_view name;
  };
  static constexpr std::array<Name, 7> kNames = {{{kValue, "a numeric value"},
                                                  {kLln, "the LLN"},
                                                  {kUln, "the ULN"},
                                                  {kBaseline, "the baseline"},
                                                  {kChange, "the change from baseline"},
                                                  {kAge, "the age"},
                                                  {kSex, "the sex"}}};
  std::string all;
  for (const Name& one : kNames) {
    if ((needed & one.bit) == 0) continue;
    if (!all.empty()) all += ", ";
    all += one.name;
  }
  return all;
}

}  // namespace trialward::ctcae
