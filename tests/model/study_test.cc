#include "model/study.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

constexpr const char* kStudy = R"toml(
[study]
id = "test"
[[sites]]
id = "NY"
time_zone = "America/New_York"
[[arms]]
id = "Pbo"
name = "Placebo"
[kinds.exposure]
open = true
[[codes]]
kind = "lab"
code = "BILI"
unit = "mg/dL"
also = [{ unit = "umol/L", factor = 0.0625 }]
range = [0.25, 1.25]
[[codes]]
kind = "vital"
code = "TEMP"
unit = "C"
also = [{ unit = "F", factor = 0.5, offset = -16 }]
[[codes]]
kind = "lab"
code = "PH"
range = [-inf, 8]
)toml";

const Study& test_study() {
  static const Study study = [] {
    auto loaded = load_study({{"study.toml", kStudy}, {"rules.toml", "# none"}});
    TW_CHECK(loaded.ok());
    return std::move(loaded).value();
  }();
  return study;
}

Record measured(Kind kind, const char* code, double number, const char* unit) {
  Record record;
  record.kind = kind;
  record.code = code;
  record.value.number = number;
  record.unit = unit;
  return record;
}

TEST(Study, FindsItsParts) {
  const Study& study = test_study();
  ASSERT_NE(study.site("NY"), nullptr);
  EXPECT_EQ(study.site("NY")->time_zone, "America/New_York");
  EXPECT_EQ(study.site("ny"), nullptr);
  ASSERT_NE(study.arm("Pbo"), nullptr);
  EXPECT_EQ(study.arm("Placebo"), nullptr);
  ASSERT_NE(study.code(Kind::lab, "BILI"), nullptr);
  EXPECT_EQ(study.code(Kind::vital, "BILI"), nullptr);
  EXPECT_EQ(study.code(Kind::lab, ""), nullptr);
  ASSERT_NE(study.file("rules.toml"), nullptr);
  EXPECT_EQ(study.file("rules.toml")->text, "# none");
  EXPECT_EQ(study.file("schedule.toml"), nullptr);
}

TEST(Study, KindsAreClosedUnlessTheyAreOpened) {
  EXPECT_TRUE(test_study().open(Kind::exposure));
  EXPECT_TRUE(test_study().open(Kind::demographics));
  EXPECT_FALSE(test_study().open(Kind::lab));
  EXPECT_FALSE(test_study().open(Kind::adverse_event));
}

TEST(Study, NumbersAreConvertedToTheCodesOwnUnit) {
  const struct {
    Kind kind;
    const char* code;
    double number;
    const char* unit;
    std::optional<double> expected;
  } cases[] = {
      {Kind::lab, "BILI", 1.5, "mg/dL", 1.5},       {Kind::lab, "BILI", 16, "umol/L", 1},
      {Kind::lab, "BILI", 16, "g/L", std::nullopt}, {Kind::lab, "BILI", 16, "", std::nullopt},
      {Kind::vital, "TEMP", 100, "F", 34},          {Kind::lab, "PH", 7, "", 7},
      {Kind::lab, "PH", 7, "pH", std::nullopt},     {Kind::exposure, "ANYTHING", 54, "mg", 54},
  };
  for (const auto& [kind, code, number, unit, expected] : cases) {
    EXPECT_EQ(test_study().canonical_number(measured(kind, code, number, unit)), expected)
        << code << " " << unit;
  }
  Record text;
  text.code = "BILI";
  text.value.text = "<0.2";
  EXPECT_EQ(test_study().canonical_number(text), std::nullopt);
}

TEST(Study, ARecordsOwnRangeGoesBeforeTheCodes) {
  Record record = measured(Kind::lab, "BILI", 16, "umol/L");
  EXPECT_EQ(test_study().canonical_range(record).low, 0.25);
  EXPECT_EQ(test_study().canonical_range(record).high, 1.25);
  record.range.high = 32;
  record.range.high_text = "32.0";
  EXPECT_EQ(test_study().canonical_range(record).low, 0.25);  // the end that it leaves out
  EXPECT_EQ(test_study().canonical_range(record).high, 2);
  EXPECT_EQ(test_study().canonical_range(record).high_text, "");
  record.range.high = 2;  // 0.125 mg/dL: below the code's low end, which cannot be meant
  EXPECT_EQ(test_study().canonical_range(record).low, std::nullopt);
  EXPECT_EQ(test_study().canonical_range(record).high, 0.125);
  record.range = {};
  record.range.low = 8;
  EXPECT_EQ(test_study().canonical_range(record).low, 0.5);
  EXPECT_EQ(test_study().canonical_range(record).high, 1.25);
  record.unit = "g/L";
  EXPECT_FALSE(test_study().canonical_range(record).given());

  Record ph = measured(Kind::lab, "PH", 7, "");
  EXPECT_EQ(test_study().canonical_range(ph).low, std::nullopt);
  EXPECT_EQ(test_study().canonical_range(ph).high, 8);

  Record open = measured(Kind::exposure, "ANYTHING", 1, "mg");
  EXPECT_FALSE(test_study().canonical_range(open).given());
  open.range.low = 3;
  EXPECT_EQ(test_study().canonical_range(open).low, 3);
}

TEST(Study, CopiesAreWhole) {
  auto original = load_study({{"study.toml",
                               "[study]\nid='x'\nsubject_pattern='[0-9]+'\n"
                               "[[sites]]\nid='1'\ntime_zone='UTC'\n"}});
  ASSERT_TRUE(original.ok());
  const Study copy = *original;
  original = DefinitionFaults{};
  EXPECT_TRUE(copy.subject_id_fits("12"));
  EXPECT_FALSE(copy.subject_id_fits("12a"));
  EXPECT_FALSE(copy.subject_id_fits(""));
}

TEST(Study, P10_AnIdCostsLittleWhateverThePattern) {
  // A matcher that backtracks does not come back from this: the test would time out.
  auto study = load_study({{"study.toml",
                            "[study]\nid='x'\nsubject_pattern='(a|aa|a*)*b'\n"
                            "[[sites]]\nid='1'\ntime_zone='UTC'\n"}});
  ASSERT_TRUE(study.ok());
  EXPECT_FALSE(study->subject_id_fits(std::string(128, 'a')));
  EXPECT_TRUE(study->subject_id_fits(std::string(127, 'a') + "b"));
}

TEST(Study, WithoutAPatternEveryIdFits) {
  EXPECT_TRUE(test_study().subject_id_fits("anything at all"));
}

}  // namespace
}  // namespace trialward::model
