// What a subject's grades hang on, and what is said where that is not known.
#include "ctcae/subject_grades.h"

#include <gtest/gtest.h>

#include "model/study.h"

namespace trialward::ctcae {
namespace {

constexpr const char* kStudy = R"toml(
[study]
id = "test"
[[sites]]
id = "A"
time_zone = "UTC"
[ctcae]
version = "5"
[ctcae.terms]
FIBRINO = ["Fibrinogen decreased"]
ABGPH = ["Acidosis", "Alkalosis"]
BPH = ["Acidosis", "Alkalosis"]
CPH = ["Acidosis", "Alkalosis"]
ALT = ["Alanine aminotransferase increased"]
UPROT = ["Proteinuria"]
[[codes]]
kind = "lab"
code = "FIBRINO"
unit = "mg/dL"
[[codes]]
kind = "lab"
code = "ABGPH"
unit = "nmol/L"
[[codes]]
kind = "lab"
code = "BPH"
unit = "pH"
[[codes]]
kind = "lab"
code = "CPH"
[[codes]]
kind = "lab"
code = "ALT"
unit = "U/L"
[[codes]]
kind = "lab"
code = "UPROT"
unit = "g/(24.h)"
)toml";

const model::Study& study() {
  static const model::Study loaded = [] {
    auto read = model::load_study(std::vector<model::DefinitionFile>{{"study.toml", kStudy}});
    if (!read) ADD_FAILURE() << model::to_string(read.error().front());
    return std::move(read).value();
  }();
  return loaded;
}

model::StoredRecord lab(std::int64_t id, const char* code, double value, const char* unit,
                        double low, double high) {
  model::StoredRecord stored;
  stored.id = id;
  model::Record& record = stored.record;
  record.source = "s";
  record.source_id = std::to_string(id);
  record.subject = "x";
  record.code = code;
  record.value.number = value;
  record.unit = unit;
  record.range.low = low;
  record.range.high = high;
  record.effective = "2024-03-0" + std::to_string(id);
  stored.interval = model::resolve_effective(record.effective, "UTC").value();
  return stored;
}

// "TERM:GRADE " for each, '-' for none.
std::string grades_of(const std::vector<model::StoredRecord>& newest_first, bool all) {
  const auto grading = StudyGrading::make(study());
  EXPECT_TRUE(grading.ok());
  SubjectGrader grader(*grading, study(), 100, 1000);
  for (const auto& stored : newest_first) grader.add(stored);
  std::string text;
  const auto found = std::move(grader).finish(all);
  for (const RecordGrade& one : found.grades) {
    const auto& grade = one.grade.grade;
    text += one.term->term->name + ":" + (grade ? std::to_string(*grade) : "-") + " ";
  }
  return text;
}

// 47 nmol/L are a pH of 7.33, and no alkalosis of 47.
TEST(SubjectGrades, LimitsInPhAreForNothingElse) {
  const struct {
    const char* code;
    double value, low, high;
    const char *unit, *grades;
  } cases[] = {
      {"ABGPH", 47, 35, 45, "nmol/L", "Acidosis:- Alkalosis:- "},
      {"BPH", 7.2, 7.35, 7.45, "pH", "Acidosis:3 Alkalosis:0 "},
      {"BPH", 60, 7.35, 7.45, "nmol/L", "Acidosis:3 Alkalosis:0 "},  // 7.22, in the code's own unit
      {"CPH", 7.47, 7.35, 7.45, "", "Acidosis:0 Alkalosis:1 "},
  };
  for (const auto& [code, value, low, high, unit, grades] : cases) {
    auto one = lab(1, code, value, unit, low, high);
    // 60 nmol/L come with a range in nmol/L.
    if (std::string_view(unit) == "nmol/L") one.record.range = {35, 45, "35", "45"};
    EXPECT_EQ(grades_of({one}, true), grades) << code << " " << value;
  }
}

// What stands whatever was not read is said; what that could lower, or a 0 that it could raise, is
// not.
TEST(SubjectGrades, OfTooManyRecordsOnlyWhatNothingUnknownCouldLower) {
  const std::string fibrinogen = "Fibrinogen decreased:";
  const std::string alt = "Alanine aminotransferase increased:";
  const struct {
    const char* code;
    double value;
    const char* unit;
    std::string all, some;
  } cases[] = {
      {"FIBRINO", 40, "mg/dL", fibrinogen + "4 ", fibrinogen + "4 "},   // below 50 mg/dL
      {"FIBRINO", 90, "mg/dL", fibrinogen + "3 ", fibrinogen + "3 "},   // below half of 200
      {"FIBRINO", 300, "mg/dL", fibrinogen + "0 ", fibrinogen + "- "},
      {"ALT", 5000, "U/L", alt + "4 ", alt + "- "},  // 4 only if the baseline was not high
      {"ALT", 210, "U/L", alt + "0 ", alt + "- "},
  };
  for (const auto& [code, value, unit, all, some] : cases) {
    const std::vector<model::StoredRecord> records = {lab(1, code, value, unit, 200, 220)};
    EXPECT_EQ(grades_of(records, true), all) << code << value;
    EXPECT_EQ(grades_of(records, false), some) << code << value;
  }
}

TEST(SubjectGrades, ABirthDateThatCannotBeReadHidesNoAge) {
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  const auto grade = [&](Attributes attributes) {
    model::StoredRecord person = lab(2, "", 0, "", 0, 1);
    person.record.kind = model::Kind::demographics;
    person.record.value = {};
    person.record.attributes = std::move(attributes);
    return grades_of({person, lab(1, "UPROT", 1, "g/(24.h)", 0, 0.2)}, true);
  };
  const std::string of_adult = grade({{"age", "40"}});
  EXPECT_EQ(of_adult, "Proteinuria:2 ");
  EXPECT_EQ(grade({}), "Proteinuria:- ");
  EXPECT_EQ(grade({{"age", "40"}, {"birth_date", "unknown"}}), of_adult);
  EXPECT_EQ(grade({{"birth_date", "UNK"}, {"brthdtc", "1984-01-01"}}), of_adult);
  EXPECT_EQ(grade({{"age", "40"}, {"brthdtc", "1984-13-01"}}), of_adult);
  EXPECT_NE(grade({{"age", "40"}, {"birth_date", "2020-01-01"}}), of_adult) << "it goes first";
}

TEST(SubjectGrades, ACharacteristicHidesNoAge) {
  const auto demographics = [](std::int64_t id, std::int64_t at_ms) {
    model::StoredRecord person = lab(id, "", 0, "", 0, 1);
    person.record.kind = model::Kind::demographics;
    person.record.value = {};
    person.interval = model::Interval{at_ms, at_ms + 1};
    return person;
  };
  model::StoredRecord person = demographics(2, 1), education = demographics(3, 2);
  person.record.attributes = {{"age", "40"}};
  education.record.code = "EDLEVEL";
  education.record.value.number = 16;
  const auto proteinuria = lab(1, "UPROT", 1, "g/(24.h)", 0, 0.2);
  EXPECT_EQ(grades_of({education, person, proteinuria}, true), "Proteinuria:2 ");
}

}  // namespace
}  // namespace trialward::ctcae
