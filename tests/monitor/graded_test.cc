// Grades as a test of rules: grades.txt in the study of grades_study.toml, what an alert says of
// them, and what is refused.
#include "monitor/graded.h"

#include <algorithm>
#include <random>

#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

std::shared_ptr<const model::Study> graded_study(const std::string& rules, std::string study = {}) {
  if (study.empty()) study = test_file("grades_study.toml");
  auto loaded = model::load_study(std::vector<model::DefinitionFile>{
      {"study.toml", std::move(study)}, {"rules.toml", rules}});
  if (!loaded) {
    ADD_FAILURE() << model::to_string(loaded.error().front());
    return nullptr;
  }
  return std::make_shared<const model::Study>(std::move(*loaded));
}

std::string faults_of(const std::string& rules, std::string study = {}) {
  const auto loaded = load_rules(graded_study(rules, std::move(study)));
  if (loaded) return "";
  std::string all;
  for (const auto& fault : loaded.error()) all += (all.empty() ? "" : "; ") + to_string(fault);
  return all;
}

std::string rule(const std::string& condition) {
  return "[[rules]]\nid = \"r\"\ntitle = \"t\"\n" + condition + "\n";
}

TEST(Graded, MatchesAreWhatTheCasesSay) {
  const auto cases = read_cases("grades.txt");
  ASSERT_GE(cases.size(), 4u);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto study = graded_study(one.input);
    auto monitor = load_rules(study);
    ASSERT_TRUE(monitor.ok()) << to_string(monitor.error().front());
    run_steps(one, *study, **monitor);
  }
}

// Of these, only "Hemoglobin increased" asks for the baseline; Anemia has limits in two kinds of
// unit and goes by the one that was measured.
TEST(Graded, ATermIsNotJudgedInAnotherUnitForTheSakeOfAnother) {
  std::string text = test_file("grades_study.toml");
  text.replace(text.find("version = \"5\""), 13, "version = \"4\"");
  const std::string rules =
      rule("kind = \"lab\"\ncodes = [\"HGB\"]\none_alert_per = \"code\"\nctcae_grade_at_least = 3");
  const auto matches_in = [&](const std::string& own_unit, const std::string& value) {
    std::string study_text = text;
    const std::string code = "code = \"HGB\"\nunit = \"";
    study_text.replace(study_text.find(code) + code.size(), 4, own_unit);
    const auto study = graded_study(rules, study_text);
    auto monitor = load_rules(study);
    EXPECT_TRUE(monitor.ok());
    if (!monitor) return std::size_t{0};
    const auto watch = open_watch(**monitor);
    const std::string members = R"("kind":"lab","code":"HGB",)" + value;
    return watch->observe(stored_record(*study, 1, members)).matches.size();
  };
  EXPECT_EQ(matches_in("mmol/L", R"("value":7.9,"unit":"g/dL")"), 1u) << "below 8 g/dL";
  EXPECT_EQ(matches_in("g/dL", R"("value":4.9,"unit":"mmol/L")"), 0u) << "not below 4.9 mmol/L";
  EXPECT_EQ(matches_in("g/dL", R"("value":4.8,"unit":"mmol/L")"), 1u);
}

TEST(Graded, ARuleThatCouldGradeNothingIsRefused) {
  EXPECT_EQ(faults_of(rule("kind = \"vital\"\nctcae_grade_at_least = 3")),
            "rules.toml:5: the study has no vital that a rule can grade");
}

TEST(Graded, AnAlertSaysVersionGradeAndLine) {
  const auto study = graded_study(rule("kind = \"lab\"\nctcae_grade_at_least = 2"));
  auto monitor = load_rules(study);
  ASSERT_TRUE(monitor.ok());
  const auto watch = open_watch(**monitor);
  const auto detail = [&](std::int64_t id, const std::string& members) {
    const auto matches = watch->observe(stored_record(*study, id, members)).matches;
    return matches.empty() ? "" : matches.front().detail;
  };
  EXPECT_EQ(detail(1, R"("kind":"lab","code":"HGB","value":7.9,"unit":"g/dL")"),
            "CTCAE v5.0 grade 3, Anemia: Hgb <8.0 g/dL; <4.9 mmol/L; <80 g/L; transfusion "
            "indicated; needs judgement: findings may raise it to grade 4 (judged as 7.9 g/dL)");
  EXPECT_EQ(detail(2, R"("kind":"lab","code":"K","value":3.4,"unit":"mEq/L")"),
            "CTCAE v5.0 grade 2, Hypokalemia: Symptomatic with <LLN - 3.0 mmol/L; intervention "
            "indicated; needs judgement: assumes symptomatic, otherwise grade 1 (judged as 3.4 "
            "mmol/L)");
  EXPECT_EQ(detail(3, R"("kind":"lab","code":"ALT","value":100,"unit":"U/L",)"
                      R"("effective":"2020-01-01","baseline":true)"),
            "");
  EXPECT_EQ(detail(4, R"("kind":"lab","code":"ALT","value":301,"unit":"U/L",)"
                      R"("effective":"2020-02-01")"),
            "CTCAE v5.0 grade 2, Alanine aminotransferase increased: >3.0 - 5.0 x ULN if baseline "
            "was normal; >3.0 - 5.0 x baseline if baseline was abnormal");
  // A baseline that comes late says what it makes of the others.
  EXPECT_EQ(detail(5, R"("kind":"lab","code":"ALT","value":299,"unit":"U/L",)"
                      R"("effective":"2020-02-02")"),
            "");
  EXPECT_EQ(detail(6, R"("kind":"lab","code":"ALT","value":40,"unit":"U/L",)"
                      R"("effective":"2020-01-02","baseline":true)"),
            "CTCAE v5.0 grade 3, Alanine aminotransferase increased: >5.0 - 20.0 x ULN if baseline "
            "was normal; >5.0 - 20.0 x baseline if baseline was abnormal");
}

TEST(Graded, RefusesWhatCannotBeGraded) {
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\nctcae_grade_at_least = 5")),
            "rules.toml:5: ctcae_grade_at_least must be 1, 2, 3 or 4");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\nctcae_grade_at_least = 1\ndirection = \"up\"")),
            "rules.toml:6: direction must be \"low\" or \"high\"");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\nat_least = 1\ndirection = \"low\"")),
            "rules.toml:5: a condition on numbers needs codes that study.toml lists; "
            "rules.toml:6: direction needs ctcae_grade_at_least");
  EXPECT_EQ(faults_of(rule("kind = \"adverse_event\"\nctcae_grade_at_least = 1")),
            "rules.toml:5: only a lab or a vital has a grade");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\ncodes = [\"PT\"]\nctcae_grade_at_least = 1")),
            "rules.toml:6: CTCAE version 5 has no term for PT that is known here; [ctcae.terms] in "
            "study.toml may name one");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\ncodes = [\"ALT\"]\nctcae_grade_at_least = 1\n"
                           "direction = \"low\"")),
            "rules.toml:6: CTCAE version 5 has no term for ALT that is known here; [ctcae.terms] "
            "in study.toml may name one");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\nctcae_grade_at_least = 1\nat_least = 3")),
            "rules.toml:5: a condition has one test: at_least is one, too; rules.toml:6: a "
            "condition on numbers needs codes that study.toml lists");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\nctcae_grade_at_least = 1\n"
                           "one_alert_per = \"record\"")),
            "rules.toml:6: what is counted or compared cannot have one alert per record");
}

TEST(Graded, RefusesAWrongChoiceInTheStudy) {
  const std::string study = test_file("grades_study.toml");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = study;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  const std::string grading = rule("kind = \"lab\"\nctcae_grade_at_least = 1");
  EXPECT_EQ(faults_of("", with("version = \"5\"", "version = \"7\"")),
            "study.toml:12: there are no criteria of CTCAE version \"7\"; known are 4, 5, 6");
  EXPECT_EQ(faults_of("", with("PT = []", "PT = [\"Prothrombin\"]")),
            "study.toml:16: CTCAE version 5 grades no \"Prothrombin\" by a value");
  EXPECT_EQ(faults_of("", with("PT = []", "PTX = []")),
            "study.toml:16: the study lists no lab or vital \"PTX\"");
  EXPECT_EQ(faults_of(grading, with("\n[ctcae]\nversion = \"5\"\n\n[ctcae.terms]\n"
                                    "GLU = [\"Hypoglycemia\"]\nPT = []\n",
                                    "")),
            "rules.toml:5: ctcae_grade_at_least needs [ctcae] in study.toml");
  // A rule that lists no codes is about those that can be graded; one that lists some, or a study
  // that names the term, has it wrong where that cannot be.
  const std::string in_percent =
      "NEUT: Neutrophil count decreased is graded in 10^9/L, not in %: ";
  const std::string of_neut = rule("kind = \"lab\"\ncodes = [\"NEUT\"]\nctcae_grade_at_least = 1");
  EXPECT_EQ(faults_of(grading, with("NEUTLE", "NEUT")), "");
  EXPECT_TRUE(faults_of(of_neut, with("NEUTLE", "NEUT"))
                  .starts_with("rules.toml:6: " + in_percent));
  EXPECT_TRUE(faults_of(grading, with("PT = []", "NEUTLE = [\"Neutrophil count decreased\"]"))
                  .starts_with("rules.toml:5: NEUTLE: Neutrophil count decreased is graded in "));
  const std::string children =
      with("PT = []", "PT = [\"Proteinuria (Protein/Creatinine ratio)\"]");
  EXPECT_EQ(faults_of(grading, children), "");
  EXPECT_EQ(faults_of(rule("kind = \"lab\"\ncodes = [\"PT\"]\nctcae_grade_at_least = 1"), children),
            "rules.toml:6: PT: Proteinuria (Protein/Creatinine ratio) is graded in g/g, not in s: "
            "\"s\" cannot be converted to \"g/g\": they measure different things; "
            "rules.toml:6: PT: Proteinuria (Protein/Creatinine ratio) asks for the age, which no "
            "rule knows");
}

// The state is a function of the records, not of their arrival.
TEST(Graded, AnyOrderOfArrivalEndsTheSame) {
  const auto study =
      graded_study(rule("kind = \"lab\"\ncodes = [\"ALT\"]\nctcae_grade_at_least = 2"));
  auto monitor = load_rules(study);
  ASSERT_TRUE(monitor.ok());
  std::vector<std::pair<int, std::string>> records;
  for (int day = 1; day <= 7; ++day) {
    records.emplace_back(day, R"("kind":"lab","code":"ALT","unit":"U/L","value":)" +
                                  std::to_string(day * day * 12) + R"(,"effective":"2020-01-0)" +
                                  std::to_string(day) + "\"" +
                                  (day == 2 || day == 3 ? R"(,"baseline":true)" : ""));
  }
  std::mt19937 shuffle(7);  // a fixed seed: each run is the same
  std::string expected;
  for (int round = 0; round < 500; ++round) {
    const auto watch = open_watch(**monitor);
    for (const auto& [id, members] : records) {
      (void)watch->observe(stored_record(*study, id, members));
    }
    if (expected.empty()) expected = watch->save();
    ASSERT_EQ(watch->save(), expected);
    std::shuffle(records.begin(), records.end(), shuffle);
  }
}

}  // namespace
}  // namespace trialward::monitor
