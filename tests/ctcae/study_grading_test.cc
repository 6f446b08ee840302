#include "ctcae/study_grading.h"

#include <gtest/gtest.h>

#include "ctcae/subject_grades.h"
#include "model/decode_record.h"

namespace trialward::ctcae {
namespace {

model::Study study_with(const std::string& ctcae) {
  std::string text =
      "[study]\nid = \"s\"\nenrol = \"first-record\"\ndefault_site = \"1\"\n"
      "[[sites]]\nid = \"1\"\ntime_zone = \"UTC\"\n" +
      ctcae +
      "[[codes]]\nkind = \"lab\"\ncode = \"ALT\"\nunit = \"U/L\"\nrange = [6, 40]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"UPROT\"\nunit = \"mg/d\"\nrange = [0, 150]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"CREAT\"\nunit = \"mg/dL\"\n"
      "also = [{ unit = \"umol/L\", factor = 0.01130965844831486 }]\nrange = [0.6, 1.3]\n";
  auto study = model::load_study(std::vector<model::DefinitionFile>{{"study.toml", text}});
  if (!study) ADD_FAILURE() << to_string(study.error().front());
  return study ? std::move(*study) : model::Study();
}

StudyGrading grading_of(const model::Study& study) {
  auto grading = StudyGrading::make(study);
  if (!grading) ADD_FAILURE() << to_string(grading.error().front());
  return grading ? std::move(*grading) : StudyGrading();
}

constexpr const char* kVersion5 =
    "[ctcae]\nversion = \"5\"\n[ctcae.terms]\nUPROT = [\"Proteinuria\"]\n";

model::StoredRecord record(std::int64_t id, const std::string& members) {
  model::StoredRecord stored;
  stored.id = id;
  const std::string json = "{\"source\":\"s\",\"source_id\":\"" + std::to_string(id) +
                           "\",\"subject\":\"A\"," + members + "}";
  const auto decoded = model::RecordDecoder().decode(json);
  if (!decoded) {
    ADD_FAILURE() << json << model::to_json(decoded.error());
    return stored;
  }
  stored.record = *decoded;
  if (!stored.record.effective.empty()) {
    stored.interval = *model::resolve_effective(stored.record.effective, "UTC");
  }
  return stored;
}

TEST(StudyGrading, WithoutAVersionNothingIsGraded) {
  const auto study = study_with("");
  const auto grading = grading_of(study);
  EXPECT_EQ(grading.criteria(), nullptr);
  EXPECT_EQ(grading.terms(model::Kind::lab, "ALT"), nullptr);
  EXPECT_TRUE(grading.codes(model::Kind::lab).empty());
}

TEST(StudyGrading, KnowsTheTermsOfCodes) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  EXPECT_EQ(grading.criteria()->full_version, "5.0");
  EXPECT_EQ(grading.codes(model::Kind::lab),
            (std::vector<std::string>{"ALT", "CREAT", "UPROT"}));
  EXPECT_TRUE(grading.codes(model::Kind::vital).empty());
  const auto* terms = grading.terms(model::Kind::lab, "UPROT");
  ASSERT_TRUE(terms != nullptr && terms->size() == 1);
  EXPECT_EQ(terms->front().unfit, "");
  EXPECT_NEAR(terms->front().fit.conversion(3500), 3.5, 1e-9);
}

TEST(SubjectGrades, AreOfTheCurrentVersionsBesideTheBaseline) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  const std::vector<model::StoredRecord> records = {
      record(7, R"("kind":"demographics","code":"DM","effective":"2020-01-01",)"
                R"("attributes":{"sex":"F","birth_date":"2005-06-01"})"),
      record(4, R"("kind":"lab","code":"ALT","value":200,"unit":"U/L","effective":"2020-03-01")"),
      record(3, R"("kind":"lab","code":"ALT","value":150,"unit":"U/L","effective":"2020-02-01")"),
      record(2, R"("kind":"lab","code":"ALT","value":30,"unit":"U/L","effective":"2020-01-02",)"
                R"("baseline":true)"),
      record(5, R"("kind":"lab","code":"ALT","value":60,"unit":"U/L","effective":"2020-01-02",)"
                R"("baseline":true,"amends":2,"reason":"typo")"),
      record(6, R"("kind":"lab","code":"UPROT","value":2000,"unit":"mg/d",)"
                R"("effective":"2020-03-01")"),
      record(8, R"("kind":"lab","code":"CREAT","value":"<0.1","unit":"mg/dL")"),
  };
  std::string seen;
  for (const RecordGrade& one : grades_of(grading, study, records)) {
    seen += std::to_string(one.record->id) + ": " + describe(*grading.criteria(), *one.term,
                                                             one.grade);
    if (one.baseline != 0) seen += " beside " + std::to_string(one.baseline);
    seen += "\n";
  }
  const std::string alt = "Alanine aminotransferase increased: ";
  EXPECT_EQ(seen,
            "5: CTCAE v5.0 grade 1, " + alt +
                ">ULN - 3.0 x ULN if baseline was normal; 1.5 - 3.0 x baseline if baseline was "
                "abnormal\n"
                "3: CTCAE v5.0 grade 1, " + alt +
                ">ULN - 3.0 x ULN if baseline was normal; 1.5 - 3.0 x baseline if baseline was "
                "abnormal beside 5\n"
                "4: CTCAE v5.0 grade 2, " + alt +
                ">3.0 - 5.0 x ULN if baseline was normal; >3.0 - 5.0 x baseline if baseline was "
                "abnormal beside 5\n"
                "6: CTCAE v5.0, Proteinuria: not graded: of children the protein/creatinine ratio "
                "is graded\n"
                "8: CTCAE v5.0, Creatinine increased: not graded without a numeric value\n");
}

TEST(SubjectGrades, SayAsJsonWhatWasDecidedAndBy) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  const std::vector<model::StoredRecord> records = {
      record(1, R"("kind":"demographics","code":"DM","effective":"2020-03-01",)"
                R"("attributes":{"age":"50","ageu":"YEARS"})"),
      record(2, R"("kind":"lab","code":"UPROT","value":3500,"unit":"mg/d",)"
                R"("effective":"2020-03-01")"),
  };
  const auto grades = grades_of(grading, study, records);
  ASSERT_EQ(grades.size(), 1u);
  EXPECT_EQ(to_json(*grading.criteria(), grades[0]),
            R"({"record":2,"code":"UPROT","effective":"2020-03-01","value":3500,)"
            R"("unit":"mg/d","version":"5.0","term":"Proteinuria","direction":"high",)"
            R"("grade":3,"line":"Adult: 4+ proteinuria; urinary protein >=3.5 g/24 hrs; )"
            R"(Pediatric: Urine P/C (Protein/Creatinine) ratio >1.9",)"
            R"("text":"CTCAE v5.0 grade 3, Proteinuria: Adult: 4+ proteinuria; urinary protein )"
            R"(>=3.5 g/24 hrs; Pediatric: Urine P/C (Protein/Creatinine) ratio >1.9"})");
}

// By a unit that the code also has, and by a baseline of 0, which is none.
TEST(SubjectGrades, ConvertAndSkipABaselineOfZero) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  const std::vector<model::StoredRecord> records = {
      record(1, R"("kind":"lab","code":"CREAT","value":0,"unit":"mg/dL","effective":"2020-01-01")"),
      record(2, R"("kind":"lab","code":"CREAT","value":345,"unit":"umol/L",)"
                R"("effective":"2020-02-01")"),
      record(3, R"("kind":"lab","code":"CREAT","value":344,"unit":"umol/L",)"
                R"("effective":"2020-02-02")"),
  };
  const auto grades = grades_of(grading, study, records);
  ASSERT_EQ(grades.size(), 3u);
  EXPECT_EQ(grades[0].grade.grade, 0);
  EXPECT_EQ(grades[1].grade.grade, 3);
  EXPECT_EQ(grades[2].grade.grade, 2);
}

}  // namespace
}  // namespace trialward::ctcae
