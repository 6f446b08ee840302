// Grades of the NCI's CTCAE as a test of rules: whether a value has at least some grade, by the
// terms of its code (ctcae/study_grading.h). Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctcae/study_grading.h"
#include "monitor/series.h"

namespace trialward::monitor {

// Of the values of one code. A value that cannot be graded has no grade.
struct GradeFrom {
  int grade = 1;
  const ctcae::Criteria* criteria = nullptr;
  std::vector<ctcae::GradedTerm> terms;

  // The term that gives the highest grade, if that is high enough; null otherwise. `baseline` may
  // be null.
  const ctcae::GradedTerm* holds(const ctcae::Observed& observed, const ctcae::Observed* baseline,
                                 ctcae::Grade& grade_given) const;
};

// The same beside the baseline, where a term asks for it.
struct GradeBesideBaseline {
  GradeFrom from;
};

// Of the value at a place in a series; nothing when its grade is not high enough.
struct GradedPoint {
  std::string description;
  // Of a record whose value is the baseline, if it made the difference; else 0.
  std::int64_t baseline = 0;
};
// `describe`: fill in the description, which costs.
bool graded_at(const GradeFrom& from, const Series& series, std::size_t place, bool describe,
               GradedPoint& graded);

}  // namespace trialward::monitor
