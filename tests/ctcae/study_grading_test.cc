#include "ctcae/study_grading.h"

#include <algorithm>
#include <tuple>

#include "ctcae/subject_grades.h"
#include "model/decode_record.h"
#include "tests/ctcae/harness.h"

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
      "also = [{ unit = \"umol/L\", factor = 0.01130965844831486 }]\nrange = [0.6, 1.3]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"CACR\"\nunit = \"mmol/L\"\nrange = [2.1, 2.6]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"CHOL\"\nunit = \"g/L\"\nrange = [1, 2]\n"
      "also = [{ unit = \"mmol/L\", factor = 0.387 }]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"GLUC\"\nunit = \"mmol/L\"\nrange = [3.9, 6]\n"
      "also = [{ unit = \"mg/dL\", factor = 0.0555 }]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"HGB\"\nunit = \"mmol/L\"\nrange = [1.8, 2.6]\n"
      "molar_mass = 64458\n"
      // The study's mg are of phosphate, and its code's moles of haemoglobin as they are counted.
      "[[codes]]\nkind = \"lab\"\ncode = \"PHOS\"\nunit = \"mmol/L\"\nrange = [0.8, 1.5]\n"
      "also = [{ unit = \"mg/dL\", factor = 0.1053 }]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"HB\"\nunit = \"g/L\"\nrange = [120, 160]\n"
      "also = [{ unit = \"mmol/L\", factor = 64.458 }]\n"
      "[[codes]]\nkind = \"lab\"\ncode = \"FIBRINO\"\nunit = \"g/L\"\nrange = [0.5, 9]\n";
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

SubjectGrades grades_of(const StudyGrading& grading, const model::Study& study,
                        std::vector<model::StoredRecord> records, bool all = true,
                        std::size_t values_max = 100, std::int64_t id_max = 1000,
                        std::int64_t* next = nullptr) {
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.id > b.id; });
  SubjectGrader grader(grading, study, values_max, id_max);
  for (const model::StoredRecord& one : records) grader.add(one);
  if (next != nullptr) *next = grader.next();
  return std::move(grader).finish(all);
}

// "2: 3, 5: 1 beside 2, 7: - the baseline"
std::string to_text(const SubjectGrades& grades) {
  std::string text;
  for (const RecordGrade& one : grades.grades) {
    if (!text.empty()) text += ", ";
    text += std::to_string(one.record->id) + ": " + to_text(*one.term->term, one.grade);
    if (one.baseline != 0) text += " beside " + std::to_string(one.baseline);
  }
  return text;
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
            (std::vector<std::string>{"ALT", "CACR", "CHOL", "CREAT", "FIBRINO", "GLUC", "HGB",
                                      "UPROT"}));  // v5 has no term of PHOS
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
  const auto found = grades_of(grading, study, records);
  for (const RecordGrade& one : found.grades) {
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
  const auto found = grades_of(grading, study, records);
  const auto& grades = found.grades;
  ASSERT_EQ(grades.size(), 1u);
  EXPECT_EQ(to_json(*grading.criteria(), grades[0]),
            R"({"record":2,"code":"UPROT","effective":"2020-03-01","value":3500,)"
            R"("unit":"mg/d","version":"5.0","term":"Proteinuria","direction":"high",)"
            R"("grade":3,"line":"Adult: Urinary protein >=3.5 g/24 hrs; 4+ proteinuria; )"
            R"(Pediatric: Urine P/C (Protein/Creatinine) ratio >1.9",)"
            R"x("judged_value":3.5,"judged_unit":"g/(24.h)",)x"
            R"("text":"CTCAE v5.0 grade 3, Proteinuria: Adult: Urinary protein >=3.5 g/24 hrs; )"
            R"(4+ proteinuria; Pediatric: Urine P/C (Protein/Creatinine) ratio >1.9 )"
            R"x((judged as 3.5 g/(24.h))"})x");
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
  const auto found = grades_of(grading, study, records);
  const auto& grades = found.grades;
  ASSERT_EQ(grades.size(), 3u);
  EXPECT_EQ(grades[0].grade.grade, 0);
  EXPECT_EQ(grades[1].grade.grade, 3);
  EXPECT_EQ(grades[2].grade.grade, 2);
}

// Whatever unit a value came in, it is graded by the NCI's limits in that kind of unit, whatever
// the code's own unit is and by whatever factor the study converts.
TEST(SubjectGrades, AreByTheLimitsInTheKindOfUnitThatWasMeasured) {
  struct Case {
    const char *code, *value, *unit, *grades;
  };
  const std::vector<Case> cases = {
      // 8.0 mg/dL is 1.996 mmol/L, and 1.99 mmol/L 7.98 mg/dL.
      {"CACR", "8.0", "mg/dL", "1 Hypocalcemia as 8 mg/dL, 0 Hypercalcemia as 8 mg/dL"},
      {"CACR", "80", "mg/L", "1 Hypocalcemia as 8 mg/dL, 0 Hypercalcemia as 8 mg/dL"},
      {"CACR", "7.99", "mg/dL", "2 Hypocalcemia as 7.99 mg/dL, 0 Hypercalcemia as 7.99 mg/dL"},
      {"CACR", "1.99", "mmol/L", "2 Hypocalcemia as 1.99 mmol/L, 0 Hypercalcemia as 1.99 mmol/L"},
      {"CACR", "2.0", "mmol/L", "1 Hypocalcemia as 2 mmol/L, 0 Hypercalcemia as 2 mmol/L"},
      {"CACR", "2000", "umol/L", "1 Hypocalcemia as 2 mmol/L, 0 Hypercalcemia as 2 mmol/L"},
      {"CACR", "4", "meq/L", "1 Hypocalcemia as 2 mmol/L, 0 Hypercalcemia as 2 mmol/L"},
      // 300 mg/dL is 7.7587 mmol/L, and 7.75 mmol/L 299.7 mg/dL.
      {"CHOL", "3.00", "g/L", "1 Cholesterol high as 300 mg/dL"},
      {"CHOL", "300", "mg/dL", "1 Cholesterol high as 300 mg/dL"},
      {"CHOL", "3.001", "g/L", "2 Cholesterol high as 300.1 mg/dL"},
      {"CHOL", "7.75", "mmol/L", "1 Cholesterol high as 7.75 mmol/L"},
      {"CHOL", "7.751", "mmol/L", "2 Cholesterol high as 7.751 mmol/L"},
      {"CHOL", "10340", "umol/L", "2 Cholesterol high as 10.34 mmol/L"},
      // The study's 0.0555 makes 2.1645 mmol/L of 39 mg/dL, and 30 mg/dL 1.665.
      {"GLUC", "40", "mg/dL", "2 Hypoglycemia as 40 mg/dL"},
      {"GLUC", "30", "mg/dL", "3 Hypoglycemia as 30 mg/dL"},
      {"GLUC", "0.3", "g/L", "3 Hypoglycemia as 30 mg/dL"},
      {"GLUC", "1.69", "mmol/L", "4 Hypoglycemia as 1.69 mmol/L"},
      // The study counts tetramers: 1.55 mmol/L are 99.9 g/L.
      {"HGB", "1.55", "mmol/L", "2 Anemia as 99.9099 g/L, 0 Hemoglobin increased as 99.9099 g/L"},
      {"HGB", "100", "g/L", "1 Anemia as 100 g/L, 0 Hemoglobin increased as 100 g/L"},
      {"HGB", "10", "g/dL", "1 Anemia as 100 g/L, 0 Hemoglobin increased as 100 g/L"},
      // 7.5 mg/dL of phosphate are 0.79 mmol/L, 8 are 0.84; 2.45 mg/dL of phosphorus would be 0.79.
      {"PHOS", "7.5", "mg/dL", "2 Hypophosphatemia as 0.78975 mmol/L"},
      {"PHOS", "8", "mg/dL", "0 Hypophosphatemia as 0.8424 mmol/L"},
      {"HB", "1.55", "mmol/L", "2 Anemia as 99.9099 g/L"},
  };
  const auto study =
      study_with("[ctcae]\nversion = \"4\"\n[ctcae.terms]\nHB = [\"Anemia\"]\n"
                 "GLUC = [\"Hypoglycemia\"]\n");
  const auto grading = grading_of(study);
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.code) + " " + one.value + " " + one.unit);
    const auto found = grades_of(
        grading, study,
        {record(1, std::string(R"("kind":"lab","effective":"2020-01-01","code":")") + one.code +
                       R"(","value":)" + one.value + R"(,"unit":")" + one.unit + "\"")});
    std::string grades;
    for (const RecordGrade& graded : found.grades) {
      const std::string text = describe(*grading.criteria(), *graded.term, graded.grade);
      const auto as = text.find("(judged as ");
      ASSERT_NE(as, std::string::npos) << text;
      if (!grades.empty()) grades += ", ";
      grades += std::to_string(graded.grade.grade.value_or(-1)) + " " + graded.term->term->name +
                " as " + text.substr(as + 11, text.size() - as - 12);
    }
    EXPECT_EQ(grades, one.grades);
  }
}

// v4 counts any fall from the baseline. 300 mg/dL and 3 g/L are the same.
TEST(SubjectGrades, NoiseIsNoFall) {
  const auto study = study_with("[ctcae]\nversion = \"4\"\n");
  const auto grading = grading_of(study);
  const auto value = [](std::int64_t id, const char* number, const char* unit) {
    return record(id, std::string(R"("kind":"lab","code":"FIBRINO","value":)") + number +
                          R"(,"unit":")" + unit + R"(","effective":"2020-01-0)" +
                          std::to_string(id) + "\"");
  };
  for (const auto& [a, b, c] : {std::tuple{"3", "300", "3000"}, std::tuple{"2.9", "290", "2900"},
                                std::tuple{"3.3", "330", "3300"}, std::tuple{"5.7", "570", "5700"},
                                std::tuple{"1.1", "110", "1100"}}) {
    EXPECT_EQ(to_text(grades_of(grading, study,
                                {value(1, a, "g/L"), value(2, b, "mg/dL"), value(3, c, "mg/L"),
                                 value(4, a, "mg/mL")})),
              "1: - the change from baseline, 2: 0 beside 1, 3: 0 beside 1, 4: 0 beside 1");
  }
  EXPECT_EQ(to_text(grades_of(grading, study,
                              {value(1, "4", "g/L"), value(2, "399.9", "mg/dL"),
                               value(3, "3", "g/L"), value(4, "300.1", "mg/dL")})),
            "1: - the change from baseline, 2: 1 beside 1, 3: 2 beside 1, 4: 1 beside 1");
}

TEST(SubjectGrades, AreOfAnAdultFromTheBirthdayOn) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  const auto graded = [&](const std::string& born, const std::string& at) {
    return to_text(grades_of(
        grading, study,
        {record(1, R"("kind":"demographics","code":"DM","effective":"2019-01-01",)" + born),
         record(2, R"("kind":"lab","code":"UPROT","value":1200,"unit":"mg/d","effective":")" + at +
                       "\"")}));
  };
  const std::string child = "2: - see: of children the protein/creatinine ratio is graded";
  const std::string unknown = "2: - the age";
  const std::string leap = R"("attributes":{"birth_date":"2004-02-29"})";
  EXPECT_EQ(graded(leap, "2022-02-28"), child);
  EXPECT_EQ(graded(leap, "2022-03-01"), "2: 2");
  const std::string june = R"("attributes":{"birth_date":"2005-06-01"})";
  EXPECT_EQ(graded(june, "2023-05-31T23:59:59"), child);
  EXPECT_EQ(graded(june, "2023-06-01"), "2: 2");
  EXPECT_EQ(graded(june, "2023-06"), "2: 2");
  EXPECT_EQ(graded(june, "2023"), unknown);
  const std::string seventeen = R"("attributes":{"age":"17","ageu":"YEARS"})";
  EXPECT_EQ(graded(seventeen, "2019-01-01"), child);
  EXPECT_EQ(graded(seventeen, "2019-09-01"), unknown);
  EXPECT_EQ(graded(seventeen, "2020-01-01"), "2: 2");
}

// The baseline may be any record of the subject: of what is not looked through none is invented.
TEST(SubjectGrades, AreAPageBesideTheBaselineOfAll) {
  const auto study = study_with(kVersion5);
  const auto grading = grading_of(study);
  std::vector<model::StoredRecord> records;
  for (std::int64_t id = 1; id <= 5; ++id) {
    records.push_back(record(id, R"("kind":"lab","code":"ALT","value":)" +
                                     std::to_string(50 + 10 * id) +
                                     R"(,"unit":"U/L","effective":"2020-01-0)" +
                                     std::to_string(id) + "\""));
  }
  records.push_back(record(6, R"("kind":"lab","code":"GLUC","value":2,"unit":"mmol/L",)"
                              R"("effective":"2020-01-06")"));
  std::int64_t next = 0;
  EXPECT_EQ(to_text(grades_of(grading, study, records, true, 3, 1000, &next)),
            "4: 1 beside 1, 5: 1 beside 1, 6: 3");
  EXPECT_EQ(next, 3);
  EXPECT_EQ(to_text(grades_of(grading, study, records, true, 3, next, &next)),
            "1: 1, 2: 0 beside 1, 3: 0 beside 1");
  EXPECT_EQ(next, 0);
  records.erase(records.begin(), records.begin() + 2);
  EXPECT_EQ(to_text(grades_of(grading, study, records, false)),
            "3: - the baseline, 4: - the baseline, 5: - the baseline, 6: 3");
}

}  // namespace
}  // namespace trialward::ctcae
