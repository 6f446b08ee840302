#include "reports/settings.h"

#include "reports/dataset.h"
#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

TEST(Settings, HaveDefaults) {
  const auto settings = read_settings(*study_with(""));
  ASSERT_TRUE(settings.ok());
  ASSERT_EQ(settings->arms.size(), 2u) << "not the screen failures";
  EXPECT_EQ(settings->control, "P");
  EXPECT_EQ(settings->characteristics.size(), 4u);
  EXPECT_EQ(settings->rounding, Rounding::sas);
  EXPECT_EQ(settings->population_domains(), 0);
}

TEST(Settings, AreRead) {
  const auto settings = read_settings(*study_with(R"toml(
[arms]
treatments = ["V", "P"]
control = "P"
[[populations]]
id = "lab"
after_baseline = [{ kind = "lab", code = "ALT" }]
[[visits]]
name = "WEEK 2"
[[characteristics]]
id = "weight"
title = "Weight"
measured = { kind = "vital", code = "WEIGHT" }
round = 1
levels = [{ label = "light", below = 60 }, { label = "heavy", at_least = 60 }]
[[questionnaires]]
id = "q"
items = ["Q1", "Q2"]
score = "percent"
not_applicable = 96
visits = ["WEEK 2"]
population = "lab"
[dispositions]
completed = ["COMPLETED", "DEATH"]
[indicators]
late_days = 3
[labs]
shift_high = 1.5
[liver]
bilirubin = ["BILI", "TBIL"]
[exposure]
durations = [{ label = "short", below = 7 }, { label = "long", at_least = 7 }]
doses_per_day = { "EVERY 5 DAYS" = 0.2 }
[profile]
vitals = ["WEIGHT"]
[numbers]
rounding = "R"
)toml"));
  ASSERT_TRUE(settings.ok()) << model::to_string(settings.error().front());
  EXPECT_EQ(settings->arms[0].id, "V");
  EXPECT_EQ(settings->control, "P");
  EXPECT_EQ(settings->visits[0].label, "WEEK 2");
  EXPECT_EQ(settings->population_domains(), domain(model::Kind::lab));
  EXPECT_EQ(settings->characteristic_domains(), domain(model::Kind::vital));
  EXPECT_EQ(settings->characteristics[0].levels.size(), 2u);
  EXPECT_EQ(settings->shift_high, 1.5);
  EXPECT_EQ(settings->liver.alt, std::vector<std::string>{"ALT"});
  EXPECT_EQ(settings->liver.bilirubin.size(), 2u);
  EXPECT_EQ(settings->exposure.durations.size(), 2u);
  EXPECT_EQ(settings->exposure.doses("EVERY 5 DAYS", 10), 2);
  EXPECT_EQ(settings->profile.codes(model::Kind::vital), std::vector<std::string>{"WEIGHT"});
  EXPECT_TRUE(settings->profile.codes(model::Kind::lab).empty());
  ASSERT_EQ(settings->questionnaires.size(), 1u);
  EXPECT_EQ(settings->questionnaires[0].codes.size(), 2u);
  EXPECT_EQ(settings->questionnaires[0].not_applicable, 96);
  EXPECT_EQ(settings->completed.size(), 2u);
  EXPECT_EQ(settings->late_days, 3);
  EXPECT_EQ(settings->rounding, Rounding::r);
}

TEST(Settings, EveryFaultIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"nonsense", "reports.toml:1: "},
      {"[arms]\ntreatments = [\"X\"]", "no [[arms]] of study.toml has the id \"X\""},
      {"[arms]\ncontrol = \"SCRNFAIL\"", "\"SCRNFAIL\" is none of the treatments"},
      {"[arms]\ncolour = 1", "colour"},
      {"[[populations]]\nid = \"itt\"\nvisit = \"X\"", "\"itt\" is given twice"},
      {"[[populations]]\nid = \"a\"", "needs dispositions, a visit or after_baseline"},
      {"[[populations]]\nid = \"a\"\nafter_baseline = [{ kind = \"visit\", code = \"X\" }]",
       "kind must be \"lab\", \"vital\" or \"questionnaire\""},
      {"[[visits]]\nname = \"A\"\n[[visits]]\nname = \"A\"", "visit \"A\" is given twice"},
      {"[[characteristics]]\ntitle = \"A\"", "it needs a source or levels"},
      {"[[characteristics]]\ntitle = \"A\"\nattribute = \"a\"\ncategory = \"a\"",
       "it follows from one source only"},
      {"[[characteristics]]\ntitle = \"A\"\nbmi = [\"x\", \"y\"]",
       "no number with the id \"x\" stands above it"},
      {"[[characteristics]]\ntitle = \"A\"\nbmi = [\"x\"]", "weight and height"},
      {"[[characteristics]]\ntitle = \"A\"\nmonths_since = \"X\"", "months_since needs a visit"},
      {"[[characteristics]]\ntitle = \"A\"\nsum = { kind = \"lab\", codes = [] }",
       "sum needs codes"},
      {"[[characteristics]]\ntitle = \"A\"\nattribute = \"a\"\nround = 1.5",
       "round must be a whole number from 0 to 9"},
      {"[[questionnaires]]\nid = \"a\"", "a questionnaire has either a total or items"},
      {"[[questionnaires]]\nid = \"a\"\ntotal = \"T\"\nitems = [\"T\"]",
       "a questionnaire has either a total or items"},
      {"[[questionnaires]]\nid = \"a\"\nitems = [\"T\", \"T\"]", "\"T\" is given twice"},
      {"[[questionnaires]]\nid = \"a\"\ntotal = \"T\"\nscore = \"sum\"",
       "a total is the score itself"},
      {"[[questionnaires]]\nid = \"a\"\nitems = [\"T\"]\nscore = \"mean\"",
       "score must be \"sum\" or \"percent\""},
      {"[[questionnaires]]\nid = \"a\"\ntotal = \"T\"\npopulation = \"b\"",
       "there is no population \"b\""},
      {"[[questionnaires]]\nid = \"a\"\ntotal = \"T\"\n[[questionnaires]]\nid = \"a\"\n"
       "total = \"U\"", "questionnaire \"a\" is given twice"},
      {"[indicators]\nlate_days = 1.5", "late_days must be a whole number from 0 to 3650"},
      {"[labs]\nshift_low = 0", "shift_low must be above 0"},
      {"[labs]\nshift_high = -1", "shift_high must be above 0"},
      {"[liver]\nalt = []", "alt needs a code"},
      {"[liver]\nast = [\"ALT\"]", "code \"ALT\" is given twice"},
      {"[liver]\ncolour = 1", "colour"},
      {"[exposure]\ndurations = [{ label = \"x\" }]",
       "it needs below, above, at_most or at_least"},
      {"[exposure]\ndaily_doses = [{ at_most = 1 }]", "label"},
      {"[exposure.doses_per_day]\nX = 0", "must be above 0 and at most 1000 doses a day"},
      {"[exposure.doses_per_day]\nX = 1001", "must be above 0 and at most 1000 doses a day"},
      {"[exposure]\ncolour = 1", "colour"},
      {"[profile]\ncolour = 1", "colour"},
      {"[numbers]\nrounding = \"odd\"", "rounding must be \"SAS\" or \"R\""},
  };
  for (const auto& [text, reason] : cases) {
    const auto settings = read_settings(*study_with(text));
    ASSERT_FALSE(settings.ok()) << text;
    std::string all;
    for (const auto& fault : settings.error()) all += model::to_string(fault) + "\n";
    EXPECT_NE(all.find(reason), std::string::npos) << text << "\n" << all;
  }
}

}  // namespace
}  // namespace trialward::reports
