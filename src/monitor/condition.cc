#include "monitor/condition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ucum/unit.h"

namespace trialward::monitor {
namespace {


struct Holds {
  const Reading& reading;

  bool operator()(const EveryRecord&) const { return reading.record.value.not_done.empty(); }
  bool operator()(const Threshold& test) const {
    return reading.number && compare(*reading.number, test.op, test.limit, 0);
  }
  bool operator()(const RangeMultiple& test) const {
    const auto& end = test.upper ? reading.range.high : reading.range.low;
    return reading.number && end && *end > 0 &&
           compare(*reading.number, test.op, test.factor * *end, 0);
  }
  bool operator()(const Answer& test) const {
    const std::string& text = reading.record.value.text;
    return !text.empty() &&
           std::find(test.one_of.begin(), test.one_of.end(), text) != test.one_of.end();
  }
  bool operator()(const Serious&) const { return reading.record.serious.value_or(false); }
  bool operator()(const SeverityFrom& test) const {
    return severity_grade(reading.record.severity).value_or(0) >= test.grade;
  }
  bool operator()(const GradeFrom& test) const {
    ctcae::Grade grade;
    return test.holds(observed_of(reading), nullptr, grade) != nullptr;
  }
};

}  // namespace

bool compare(double value, Op op, double limit, double scale) {
  const double margin = ucum::kRelativeNoise * std::max({std::abs(value), std::abs(limit), scale});
  switch (op) {
    case Op::at_least:
      return value >= limit - margin;
    case Op::above:
      return value > limit + margin;
    case Op::at_most:
      return value <= limit + margin;
    case Op::below:
      return value < limit - margin;
  }
  return false;
}

bool Comparison::holds(double value, double reference) const {
  const bool multiplied = offset == 0;
  if (multiplied && reference <= 0) return false;
  return compare(value, op, reference * factor + offset, multiplied ? 0 : std::abs(reference));
}

Reading::Reading(const model::Study& study, const model::Record& given) : record(given) {
  model::Study::Canonical canonical = study.canonical(given);
  number = canonical.number;
  range = std::move(canonical.range);
  crossed = canonical.crossing;
  // A conversion of units may overflow.
  for (auto* one : {&number, &range.low, &range.high}) {
    if (*one && !std::isfinite(**one)) one->reset();
  }
}

ctcae::Observed observed_of(const Reading& reading) {
  return {.value = reading.number,
          .low = reading.range.low,
          .high = reading.range.high,
          .crossed = reading.crossed ? &*reading.crossed : nullptr};
}

bool holds(const RecordTest& test, const Reading& reading) {
  return std::visit(Holds{reading}, test);
}

std::optional<int> severity_grade(std::string_view severity) {
  static constexpr std::array<std::string_view, 5> kWords = {"MILD", "MODERATE", "SEVERE",
                                                             "LIFE THREATENING", "FATAL"};
  for (int grade = 1; grade <= 5; ++grade) {
    if (severity == kWords[static_cast<std::size_t>(grade - 1)]) return grade;
    if (severity.size() == 1 && severity[0] == '0' + grade) return grade;
  }
  return std::nullopt;
}

}  // namespace trialward::monitor
