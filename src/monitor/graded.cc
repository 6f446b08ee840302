#include "monitor/graded.h"

#include <algorithm>

namespace trialward::monitor {
namespace {

ctcae::Observed observed_of(const PointData& point) {
  return {.value = point.number, .low = point.low, .high = point.high};
}

}  // namespace

const ctcae::GradedTerm* GradeFrom::holds(const ctcae::Observed& observed,
                                          const ctcae::Observed* baseline,
                                          ctcae::Grade& grade_given) const {
  const ctcae::GradedTerm* found = nullptr;
  for (const ctcae::GradedTerm& one : terms) {
    const ctcae::Grade of_term = ctcae::grade_of(one, observed, baseline);
    const int given = of_term.grade.value_or(0);
    if (given < grade || (found != nullptr && given <= *grade_given.grade)) continue;
    found = &one;
    grade_given = of_term;
  }
  return found;
}

bool graded_at(const GradeFrom& from, const Series& series, std::size_t place, bool describe,
               GradedPoint& graded) {
  const PointData& point = series[place];
  if (point.superseded || !point.number) return false;
  // What comes before the baseline, and the baseline itself, has none to be compared with.
  const auto reference = series.baseline();
  const bool beside = reference && *reference < place;
  const ctcae::Observed observed = observed_of(point);
  ctcae::Observed baseline;
  if (beside) baseline = observed_of(series.baseline_point());
  ctcae::Grade grade;
  const ctcae::GradedTerm* term = from.holds(observed, beside ? &baseline : nullptr, grade);
  if (term == nullptr) return false;
  ctcae::Grade alone;
  const bool decided_by_baseline = beside && from.holds(observed, nullptr, alone) == nullptr;
  graded.baseline = decided_by_baseline ? series.baseline_point().record : 0;
  if (describe) graded.description = ctcae::describe(*from.criteria, *term, grade);
  return true;
}

}  // namespace trialward::monitor
