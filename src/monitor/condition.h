// What a rule asks of one record, and of one value beside an earlier one. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/record.h"
#include "model/study.h"
#include "monitor/graded.h"

namespace trialward::monitor {

enum class Op : std::uint8_t { at_least, above, at_most, below };

// Numbers that are equal on paper, or become so by a conversion, may differ in the last binary
// digits: what is closer than ucum::kRelativeNoise of its size is equal. `scale`: the size of the
// numbers that both were made of, if that is larger.
bool compare(double value, Op op, double limit, double scale);

struct EveryRecord {};
// Of the value, in its code's own unit.
struct Threshold {
  Op op = Op::at_least;
  double limit = 0;
};
// Of the value, in multiples of the upper or lower end of its reference range.
struct RangeMultiple {
  Op op = Op::at_least;
  double factor = 1;
  bool upper = true;
};
struct Answer {
  std::vector<std::string> one_of;
};
struct Serious {};
struct SeverityFrom {
  int grade = 1;
};
using RecordTest = std::variant<EveryRecord, Threshold, RangeMultiple, Answer, Serious,
                                SeverityFrom, GradeFrom>;

// Of a value beside the baseline or the value before it: value op reference * factor + offset.
struct Comparison {
  bool with_baseline = true;  // false: with the value before
  Op op = Op::at_least;
  double factor = 1, offset = 0;

  bool holds(double value, double reference) const;
};

// A record as tests see it: its number and range in its code's own unit.
struct Reading {
  Reading(const model::Study& study, const model::Record& record);

  const model::Record& record;
  std::optional<double> number;
  model::Range range;
  std::optional<ucum::Conversion> crossed;  // see model::Study::crossing
};

// The number and range, as they are graded.
ctcae::Observed observed_of(const Reading& reading);

bool holds(const RecordTest& test, const Reading& reading);

// CTCAE grade, 1 to 5, of a severity in words or digits; nothing when it is neither.
std::optional<int> severity_grade(std::string_view severity);

}  // namespace trialward::monitor
