#include "model/study.h"

#include <gtest/gtest.h>

#include <limits>

namespace trialward::model {
namespace {

constexpr const char* kWholeStudy = R"toml(
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

const Study& small_study() {
  static const Study study = [] {
    auto loaded = load_study({{"study.toml", kWholeStudy}, {"rules.toml", "# none"}});
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

TEST(Study, FindsACodeByWhatOthersCallIt) {
  const auto study = load_study({{"study.toml", R"toml(
[study]
id = "test"
[[sites]]
id = "NY"
time_zone = "UTC"
[[codes]]
kind = "lab"
code = "ALT"
codings = [{ system = "http://loinc.org", code = "1742-6" }, { system = "urn:x", code = "AST" }]
[[codes]]
kind = "lab"
code = "AST"
[[codes]]
kind = "vital"
code = "PULSE"
system = "urn:own"
codings = [{ system = "http://loinc.org", code = "1742-6" }]
)toml"}});
  ASSERT_TRUE(study.ok());
  const struct {
    Kind kind;
    const char *system, *code, *found;
  } cases[] = {
      {Kind::lab, "http://loinc.org", "1742-6", "ALT"},
      {Kind::vital, "http://loinc.org", "1742-6", "PULSE"},
      {Kind::questionnaire, "http://loinc.org", "1742-6", ""},
      {Kind::lab, "http://loinc.or", "g1742-6", ""},
      {Kind::lab, "", "1742-6", ""},
      {Kind::lab, "urn:any", "AST", "AST"},  // the study's code has no system
      {Kind::lab, "urn:x", "AST", "ALT"},    // but what is listed goes before
      {Kind::vital, "urn:own", "PULSE", "PULSE"},
      {Kind::vital, "", "PULSE", "PULSE"},
      {Kind::vital, "urn:other", "PULSE", ""},
      {Kind::vital, "urn:own", "", ""},
  };
  for (const auto& [kind, system, code, found] : cases) {
    const Code* one = study->code_of(kind, system, code);
    EXPECT_EQ(one ? one->code : "", found) << system << '|' << code;
  }
}

TEST(Study, FindsItsParts) {
  const Study& study = small_study();
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
  EXPECT_TRUE(small_study().open(Kind::exposure));
  EXPECT_TRUE(small_study().open(Kind::demographics));
  EXPECT_FALSE(small_study().open(Kind::lab));
  EXPECT_FALSE(small_study().open(Kind::adverse_event));
}

TEST(Study, NumbersAreConvertedToTheCodesOwnUnit) {
  const struct {
    Kind kind;
    const char* code;
    double number;
    const char* unit;
    std::optional<double> expected;
  } cases[] = {
      {Kind::lab, "BILI", 1.5, "mg/dL", 1.5},     {Kind::lab, "BILI", 16, "umol/L", 1},
      {Kind::lab, "BILI", 16, "g", std::nullopt}, {Kind::lab, "BILI", 16, "", std::nullopt},
      {Kind::lab, "BILI", 0.016, "g/L", 1.6},     {Kind::lab, "BILI", 16, "UMOL/L", 0.9354768},
      {Kind::vital, "TEMP", 100, "F", 34},        {Kind::lab, "PH", 7, "", 7},
      {Kind::lab, "PH", 7, "pH", std::nullopt},   {Kind::exposure, "ANYTHING", 54, "mg", 54},
  };
  for (const auto& [kind, code, number, unit, expected] : cases) {
    const auto found = small_study().canonical_number(measured(kind, code, number, unit));
    EXPECT_EQ(found.has_value(), expected.has_value()) << code << " " << unit;
    if (found && expected) {
      EXPECT_TRUE(ucum::same_at(*found, *expected)) << code << " " << unit << ": " << *found;
    }
  }
  Record text;
  text.code = "BILI";
  text.value.text = "<0.2";
  EXPECT_EQ(small_study().canonical_number(text), std::nullopt);
}

TEST(Study, ARecordsOwnRangeGoesBeforeTheCodes) {
  Record record = measured(Kind::lab, "BILI", 16, "umol/L");
  EXPECT_EQ(small_study().canonical_range(record).low, 0.25);
  EXPECT_EQ(small_study().canonical_range(record).high, 1.25);
  record.range.high = 32;
  record.range.high_text = "32.0";
  EXPECT_EQ(small_study().canonical_range(record).low, 0.25);  // the end that it leaves out
  EXPECT_EQ(small_study().canonical_range(record).high, 2);
  EXPECT_EQ(small_study().canonical_range(record).high_text, "");
  record.range.high = 2;  // 0.125 mg/dL: below the code's low end, which cannot be meant
  EXPECT_EQ(small_study().canonical_range(record).low, std::nullopt);
  EXPECT_EQ(small_study().canonical_range(record).high, 0.125);
  record.range = {};
  record.range.low = 8;
  EXPECT_EQ(small_study().canonical_range(record).low, 0.5);
  EXPECT_EQ(small_study().canonical_range(record).high, 1.25);
  record.range.high = 4;  // below its own low end
  EXPECT_EQ(small_study().canonical_range(record).low, 0.25);
  EXPECT_EQ(small_study().canonical(record).range.high, 1.25);
  record.range.high = std::numeric_limits<double>::infinity();
  EXPECT_EQ(small_study().canonical_range(record).low, 0.5);
  EXPECT_EQ(small_study().canonical(record).range.high, 1.25);
  record.range.high.reset();
  record.unit = "ug/dL";
  record.range.low = 500;
  EXPECT_EQ(small_study().canonical_range(record).low, 0.5);
  record.unit = "g";
  EXPECT_FALSE(small_study().canonical_range(record).given());

  Record ph = measured(Kind::lab, "PH", 7, "");
  EXPECT_EQ(small_study().canonical_range(ph).low, std::nullopt);
  EXPECT_EQ(small_study().canonical_range(ph).high, 8);

  Record open = measured(Kind::exposure, "ANYTHING", 1, "mg");
  EXPECT_FALSE(small_study().canonical_range(open).given());
  open.range.low = 3;
  EXPECT_EQ(small_study().canonical_range(open).low, 3);
}

// The value, its range and the molar mass: by the study's own number, by the analyte it names, and
// by the code.
TEST(Study, MolarMassesAreOfTheStudyOrOfTheAnalyte) {
  const auto loaded =
      load_study({{"study.toml",
                   "[study]\nid='x'\n[[sites]]\nid='1'\ntime_zone='UTC'\n"
                   "[[codes]]\nkind='lab'\ncode='GLUC'\nunit='mmol/L'\n"
                   "[[codes]]\nkind='lab'\ncode='2345-7'\nunit='mmol/L'\nanalyte='GLUC'\n"
                   "[[codes]]\nkind='lab'\ncode='HGB'\nunit='mmol/L'\nmolar_mass=64458\n"
                   "[[codes]]\nkind='lab'\ncode='DRUG'\nunit='nmol/L'\nmolar_mass=250\nvalence=2\n"
                   "[[codes]]\nkind='lab'\ncode='HBA1C'\nunit='%'\n"
                   "[[codes]]\nkind='lab'\ncode='4548-4'\nunit='mmol/mol'\nanalyte='HBA1C'\n"
                   "[[codes]]\nkind='lab'\ncode='FENA'\nunit='%'\n"
                   "[[codes]]\nkind='vital'\ncode='K'\nunit='mmol/L'\n"}});
  ASSERT_TRUE(loaded.ok());
  const struct {
    Kind kind;
    const char* code;
    double number;
    const char* unit;
    std::optional<double> expected;
  } cases[] = {
      {Kind::lab, "GLUC", 180.156, "mg/dL", 10},
      {Kind::lab, "2345-7", 180.156, "mg/dL", 10},
      {Kind::lab, "HGB", 64.458, "g/dL", 10},
      {Kind::lab, "DRUG", 250, "ng/mL", 1000},
      {Kind::lab, "DRUG", 2, "ueq/L", 1000},
      {Kind::lab, "HBA1C", 48, "mmol/mol", 6.54304},
      {Kind::lab, "HBA1C", 48, "MMOL/MOL", 6.54304},
      {Kind::lab, "HBA1C", 0.065, "fraction of 1", 6.5},
      {Kind::lab, "4548-4", 6.54304, "%", 48},
      {Kind::lab, "FENA", 9, "mmol/mol", std::nullopt},
      {Kind::vital, "K", 4, "meq/L", std::nullopt},  // the table is of laboratory codes
  };
  for (const auto& [kind, code, number, unit, expected] : cases) {
    const auto found = loaded.value().canonical_number(measured(kind, code, number, unit));
    EXPECT_EQ(found.has_value(), expected.has_value()) << code << " " << unit;
    if (found && expected) {
      EXPECT_TRUE(ucum::same_at(*found, *expected)) << code << " " << unit << ": " << *found;
    }
  }
}

// What rises in one unit may fall in another.
TEST(Study, ARangeTurnsRoundWithItsUnit) {
  const auto loaded = load_study({{"study.toml",
                                   "[study]\nid='x'\n[[sites]]\nid='1'\ntime_zone='UTC'\n"
                                   "[[codes]]\nkind='lab'\ncode='PH'\nunit='pH'\n"}});
  ASSERT_TRUE(loaded.ok());
  Record record = measured(Kind::lab, "PH", 100, "nmol/L");
  record.range.low = 10;
  const auto low_alone = loaded.value().canonical_range(record);
  EXPECT_EQ(low_alone.low, std::nullopt);
  EXPECT_NEAR(low_alone.high.value_or(0), 8, 1e-9);
  record.range.high = 100;
  const auto both = loaded.value().canonical_range(record);
  EXPECT_NEAR(both.low.value_or(0), 7, 1e-9);
  EXPECT_NEAR(both.high.value_or(0), 8, 1e-9);
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
  EXPECT_TRUE(small_study().subject_id_fits("anything at all"));
}

}  // namespace
}  // namespace trialward::model
