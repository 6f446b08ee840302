// The grades of a subject's records, as rules see them (monitor/rules.h): a function of the current
// versions of the records. Pure; any thread.
//
// The baseline of a code is the last of its values that are marked as one, else the earliest; what
// stands before it, and the baseline itself, has none. Age and sex are those of the latest
// demographics record: its attributes sex (M, F, male, female), birth_date or brthdtc (YYYY-MM-DD),
// else age, in years (ageu absent or YEARS).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ctcae/study_grading.h"
#include "model/record.h"

namespace trialward::ctcae {

struct RecordGrade {
  const model::StoredRecord* record = nullptr;
  const GradedTerm* term = nullptr;
  Grade grade;
  std::int64_t baseline = 0;  // the id of the record beside which it was graded; 0: none
};

// Of every current record of a code that has terms: in the order of effective time, those without
// one last. `records`: all versions of all of the subject's records, in any order; a record that
// another one amends is superseded. What the answer points to must live as long.
std::vector<RecordGrade> grades_of(const StudyGrading& grading, const model::Study& study,
                                   std::span<const model::StoredRecord> records);

// {"record":…,"code":…,"value":…,"unit":…,"effective":…,"term":…,"version":…,"grade":…,…}
std::string to_json(const Criteria& criteria, const RecordGrade& graded);

}  // namespace trialward::ctcae
