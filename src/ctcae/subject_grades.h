// The grades of a subject's records, as rules see them (monitor/rules.h): a function of the current
// versions of the records. One thread.
//
// The baseline of a code is the last of its values that are marked as one, else the earliest; what
// stands before it, and the baseline itself, has none. Age and sex are those of the latest
// demographics record without a value: its attributes sex (M, F, male, female), birth_date or
// brthdtc (YYYY-MM-DD), else age, in years (ageu absent or YEARS).
//
// Only what is graded is held, and as numbers: records are given one after the other and may be
// forgotten. For a baseline, and for the patient's age, all of them must have been given, else it
// is not known: then a value has the highest grade that it has in any case, and says what was not
// known; where that is 0 it has none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ctcae/age.h"
#include "ctcae/study_grading.h"
#include "model/record.h"

namespace trialward::ctcae {

// What grading needs of a record. Its numbers are in its code's own unit.
struct Measured {
  std::int64_t id = 0;
  std::string source, source_id, code, unit, effective;  // as sent
  std::optional<std::int64_t> at_ms;
  std::optional<double> sent, value, low, high;
  std::optional<ucum::Conversion> crossed;
  bool marked = false;  // as a baseline
};

struct RecordGrade {
  const Measured* record = nullptr;
  const GradedTerm* term = nullptr;
  Grade grade;
  std::int64_t baseline = 0;  // the id of the record beside which it was graded; 0: none
};

struct SubjectGrades {
  std::vector<Measured> values;     // what the grades point to
  std::vector<RecordGrade> grades;  // in the order of effective time, those without one last
};

class SubjectGrader {
 public:
  // Holds up to so many values: the first ones whose id is at most `id_max`. The study and its
  // grading must live as long, and as what finish() answers.
  SubjectGrader(const StudyGrading& grading, const model::Study& study, std::size_t values_max,
                std::int64_t id_max);

  // All versions of all of the subject's records, the newest first. What is amended is superseded.
  void add(const model::StoredRecord& stored);
  // The id of the first value there was no room for; 0: there was room for all.
  std::int64_t next() const { return next_; }

  // `all`: whether every record of the subject was given.
  SubjectGrades finish(bool all) &&;

 private:
  using Key = std::pair<model::Kind, std::string>;
  struct OfCode {
    const std::vector<GradedTerm>* terms = nullptr;
    std::optional<Measured> first, marked;  // values: the earliest, and the last marked one
    std::vector<Measured> held;
  };

  Measured measured_of(const model::StoredRecord& stored) const;
  void add_value(OfCode& of_code, const model::StoredRecord& stored);
  void read_patient(const model::StoredRecord& stored);
  Patient patient_at(const Measured& measured) const;
  void grade(const OfCode& of_code, const Measured& measured, bool all,
             std::vector<RecordGrade>& grades) const;

  const StudyGrading& grading_;
  const model::Study& study_;
  const std::size_t values_max_;
  const std::int64_t id_max_;
  std::set<std::int64_t> amended_;  // and not yet given
  std::map<Key, OfCode> codes_;
  std::size_t held_ = 0;
  std::int64_t next_ = 0;
  std::optional<Measured> demographics_;  // the latest, without numbers
  Sex sex_ = Sex::unknown;
  std::optional<Birth> birth_;
};

// {"record":…,"code":…,"value":…,"unit":…,"effective":…,"term":…,"version":…,"grade":…,…}
std::string to_json(const Criteria& criteria, const RecordGrade& graded);

}  // namespace trialward::ctcae
