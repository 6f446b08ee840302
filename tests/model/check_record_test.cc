#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/decode_record.h"

namespace trialward::model {
namespace {

constexpr const char* kStudy = R"toml(
[study]
id = "test"
subject_pattern = "01-7[0-9]{2}-[0-9]{4}"
default_site = "NY"
[[sites]]
id = "NY"
time_zone = "America/New_York"
[[sites]]
id = "SYD"
time_zone = "Australia/Sydney"
[[arms]]
id = "Pbo"
name = "Placebo"
[[arms]]
id = "Xan"
[kinds.adverse_event]
open = true
[kinds.exposure]
open = true
[[codes]]
kind = "lab"
code = "ALT"
system = "urn:labs"
unit = "U/L"
also = [{ unit = "ukat/L", factor = 60.0 }]
plausible = [1, 5000]
possible = [0, 50000]
[[codes]]
kind = "lab"
code = "AST"
unit = "U/L"
also = [{ unit = "ukat/L", factor = 60.0 }]
range = [8, 40]
[[codes]]
kind = "lab"
code = "HB"
unit = "g/L"
range = [120, inf]
[[codes]]
kind = "lab"
code = "PH"
plausible = [5, 8]
[[codes]]
kind = "lab"
code = "HCG"
type = "text"
values = ["POSITIVE", "NEGATIVE"]
[[codes]]
kind = "lab"
code = "NOTE"
type = "text"
[[codes]]
kind = "lab"
code = "KETONES"
type = "any"
unit = "mg/dL"
possible = [0, 500]
[[codes]]
kind = "vital"
code = "TEMP"
unit = "C"
also = [{ unit = "F", factor = 0.5555555555555556, offset = -17.77777777777778 }]
possible = [30, 45]
[[codes]]
kind = "lab"
code = "GLUC"
unit = "mg/dL"
range = [70, 99]
possible = [0, 2000]
[[codes]]
kind = "lab"
code = "CRP"
unit = "mg/L"
[[codes]]
kind = "lab"
code = "ABGPH"
unit = "pH"
range = [7.35, 7.45]
possible = [6, 8]
[[codes]]
kind = "lab"
code = "WEAR"
unit = "notches"
[[codes]]
kind = "vital"
code = "SPO2"
unit = "%"
possible = [0, 100]
)toml";

constexpr std::int64_t kNowMs = 1389896220000;  // 2014-01-16T18:17Z, 13:17 in New York

const Study& test_study() {
  static const Study study = [] {
    auto loaded = load_study({{"study.toml", kStudy}});
    TW_CHECK(loaded.ok());
    return std::move(loaded).value();
  }();
  return study;
}

// The faults of a record that has these members beside source, source id and subject (the subject
// may be given).
std::string faults_of(const std::string& members, std::uint16_t* flags = nullptr) {
  std::string json = R"({"source":"s","source_id":"1",)";
  if (members.find("\"subject\"") == std::string::npos) json += R"("subject":"01-701-1015",)";
  RecordDecoder decoder;
  const auto record = decoder.decode(json + members + "}");
  if (!record.ok()) return "not decoded: " + to_json(record.error());
  std::uint16_t unused = 0;
  std::string text;
  for (const auto& [path, reason] :
       check_record(test_study(), *record, kNowMs, flags ? *flags : unused)) {
    text += path + ": " + reason + "\n";
  }
  return text;
}

TEST(CheckRecord, WhatTheStudyKnowsIsAccepted) {
  for (const char* members : {
           R"("kind":"lab","code":"ALT","value":34,"unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":0.5,"unit":"ukat/L","system":"urn:labs")",
           R"("kind":"lab","code":"ALT","value":0,"unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":50000,"unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":"<0.2","unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":"> 1000","unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":"<=-5","unit":"ukat/L")",
           R"("kind":"lab","code":"ALT","value":">=12.5","unit":"U/L")",
           R"("kind":"lab","code":"ALT","value":34,"unit":"u/l")",
           R"("kind":"lab","code":"ALT","value":34,"unit":"IU/L")",
           R"("kind":"lab","code":"ALT","value":"<5","unit":"nkat/mL")",
           R"("kind":"lab","code":"GLUC","value":5.5,"unit":"mmol/L")",
           R"("kind":"lab","code":"GLUC","value":5.5,"unit":"MMOL/L")",
           R"("kind":"lab","code":"GLUC","value":55,"unit":"mg/100mL")",
           R"("kind":"lab","code":"ABGPH","value":40,"unit":"nmol/L")",
           R"("kind":"vital","code":"TEMP","value":310.15,"unit":"K")",
           R"("kind":"vital","code":"TEMP","value":45,"unit":"Cel")",
           R"("kind":"vital","code":"TEMP","value":113.0,"unit":"[degF]")",
           R"("kind":"lab","code":"WEAR","value":3,"unit":"notches")",
           R"("kind":"lab","code":"ALT","value":null)",
           R"("kind":"lab","code":"ALT","not_done":"haemolysed")",
           R"("kind":"lab","code":"PH","value":7.4)",
           R"("kind":"lab","code":"HCG","value":"NEGATIVE")",
           R"("kind":"lab","code":"NOTE","value":"slightly haemolysed")",
           R"("kind":"lab","code":"KETONES","value":"trace")",
           R"("kind":"lab","code":"KETONES","value":"trace","unit":"mg/dL")",
           R"("kind":"lab","code":"KETONES","value":20,"unit":"mg/dL")",
           R"("kind":"vital","code":"TEMP","value":98.6,"unit":"F")",
           R"("kind":"adverse_event","code":"HEADACHE","value":7,"unit":"cups","severity":"3")",
           R"("kind":"exposure","code":"XANOMELINE","value":54,"unit":"mg","system":"urn:any")",
           R"("kind":"demographics")",
           R"("kind":"demographics","code":"DM","site":"SYD","attributes":{"arm":"Placebo"})",
           R"("kind":"demographics","attributes":{"arm":"Xan","actual_arm":"Pbo","sex":"F"})",
           R"("kind":"lab","code":"ALT","attributes":{"arm":"of the body"})",
           R"("kind":"lab","code":"ALT","effective":"2014-01-17T13:17")",
           R"("kind":"lab","code":"ALT","effective":"2014-01-17","site":"SYD")",
           R"("kind":"lab","code":"ALT","effective":"2014")",
           R"("kind":"lab","code":"ALT","effective":"1931")",
           R"("kind":"lab","code":"ALT","amends":12,"reason":"typing error")",
       }) {
    EXPECT_EQ(faults_of(members), "") << members;
  }
}

TEST(CheckRecord, WhatBreaksTheDefinitionIsNamed) {
  const struct {
    const char* members;
    const char* faults;
  } cases[] = {
      {R"("subject":"02-701-1015","kind":"demographics")",
       "/subject: \"02-701-1015\" does not fit the study's pattern\n"},
      {R"("subject":"01-701-10156","kind":"demographics")",
       "/subject: \"01-701-10156\" does not fit the study's pattern\n"},
      {R"("site":"LON","kind":"demographics")", "/site: the study has no site \"LON\"\n"},
      {R"("kind":"lab","code":"ALAT","value":1)", "/code: the study has no lab \"ALAT\"\n"},
      {R"("kind":"vital","code":"ALT","value":1)", "/code: the study has no vital \"ALT\"\n"},
      {R"("kind":"medication","code":"ASPIRIN")",
       "/code: the study has no medication \"ASPIRIN\"\n"},
      {R"("kind":"lab","code":"ALT","system":"urn:x")", "/system: \"urn:x\" is not \"urn:labs\"\n"},
      {R"("kind":"lab","code":"ALT","value":34)", "/unit: is missing: ALT is in U/L or ukat/L\n"},
      {R"("kind":"lab","code":"ALT","value":34,"unit":"[iU]/L")",
       "/unit: \"[iU]/L\" is wrong: ALT is in U/L or ukat/L; \"[iU]/L\" cannot be converted to "
       "\"U/L\": an arbitrary unit has a meaning of its own\n"},
      {R"("kind":"lab","code":"ALT","value":34,"unit":"U per L")",
       "/unit: \"U per L\" is wrong: ALT is in U/L or ukat/L; unit \"U per L\", character 2: a "
       "blank; units are multiplied by '.'\n"},
      {R"("kind":"lab","code":"CRP","value":1,"unit":"mmol/L")",
       "/unit: \"mmol/L\" is wrong: CRP is in mg/L; \"mmol/L\" cannot be converted to \"mg/L\": "
       "the molar mass is not known\n"},
      {R"("kind":"lab","code":"WEAR","value":1,"unit":"mg")",
       "/unit: \"mg\" is wrong: WEAR is in notches\n"},
      {R"("kind":"lab","code":"ABGPH","value":0,"unit":"nmol/L")",
       "/value: 0 nmol/L is nothing in pH\n"},
      {R"("kind":"lab","code":"ABGPH","value":1,"unit":"nmol/L")",
       "/value: 9 pH is not possible: ABGPH lies from 6 to 8 pH\n"},
      {R"("kind":"lab","code":"ABGPH","value":-1,"unit":"nmol/L")",
       "/value: -1 nmol/L is nothing in pH\n"},
      {R"("kind":"lab","code":"GLUC","value":2000,"unit":"mmol/L")",
       "/value: 36031.2 mg/dL is not possible: GLUC lies from 0 to 2000 mg/dL\n"},
      {R"("kind":"lab","code":"PH","value":7,"unit":"pH")",
       "/unit: \"pH\" is wrong: PH has no unit\n"},
      {R"("kind":"lab","code":"ALT","value":"<5")", "/unit: is missing: ALT is in U/L or ukat/L\n"},
      {R"("kind":"lab","code":"KETONES","value":"trace","unit":"g")",
       "/unit: \"g\" is wrong: KETONES is in mg/dL; \"g\" cannot be converted to \"mg/dL\": they "
       "measure different things\n"},
      {R"("kind":"lab","code":"KETONES","value":20)", "/unit: is missing: KETONES is in mg/dL\n"},
      {R"("kind":"lab","code":"ALT","value":-1,"unit":"U/L")",
       "/value: -1 U/L is not possible: ALT lies from 0 to 50000 U/L\n"},
      {R"("kind":"lab","code":"ALT","value":1000,"unit":"ukat/L")",
       "/value: 60000 U/L is not possible: ALT lies from 0 to 50000 U/L\n"},
      {R"("kind":"lab","code":"KETONES","value":501,"unit":"mg/dL")",
       "/value: 501 mg/dL is not possible: KETONES lies from 0 to 500 mg/dL\n"},
      {R"("kind":"lab","code":"HCG","value":1)", "/value: HCG is a text, not a number\n"},
      {R"("kind":"lab","code":"HCG","value":"negative")",
       "/value: \"negative\" is not one of the values of HCG\n"},
      {R"("kind":"demographics","attributes":{"arm":"Zzz","actual_arm":"Q"})",
       "/attributes/arm: the study has no arm \"Zzz\"\n"
       "/attributes/actual_arm: the study has no arm \"Q\"\n"},
      {R"("kind":"lab","code":"ALT","effective":"2014-02-30")",
       "/effective: \"2014-02-30\": day 30 is not from 1 to 28\n"},
      {R"("kind":"lab","code":"ALT","effective":"2014-01-17T13:18")",
       "/effective: \"2014-01-17T13:18\" lies in the future\n"},
      {R"("kind":"lab","code":"ALT","effective":"2014-01-19","site":"SYD")",
       "/effective: \"2014-01-19\" lies in the future\n"},
      {R"("kind":"lab","code":"ALT","effective":"2015")",
       "/effective: \"2015\" lies in the future\n"},
      {R"("kind":"adverse_event","code":"X","severity":"Mild")",
       "not decoded: {\"faults\":[{\"path\":\"/severity\",\"reason\":\"expected MILD, MODERATE, "
       "SEVERE, LIFE THREATENING, FATAL, or a grade from 1 to 5\"}]}"},
      // All of them, not the first one only.
      {R"("subject":"x","site":"LON","kind":"lab","code":"ALT","value":1,"effective":"2222")",
       "/subject: \"x\" does not fit the study's pattern\n"
       "/site: the study has no site \"LON\"\n"
       "/unit: is missing: ALT is in U/L or ukat/L\n"
       "/effective: \"2222\": year 2222 is not from 1800 to 2200\n"},
  };
  for (const auto& [members, faults] : cases) EXPECT_EQ(faults_of(members), faults) << members;
}

TEST(CheckRecord, ATextForANumberMustBeAComparison) {
  for (const char* text : {"high", "<", "<=", "< ", "5", "=5", "<5,0", "<5 ", "<<5", "<.", "<-",
                           "<5.", "<.5", "<1.2.3", "<5U/L", "~5", "> high"}) {
    EXPECT_EQ(
        faults_of(R"("kind":"lab","code":"ALT","unit":"U/L","value":")" + std::string(text) + "\""),
        "/value: \"" + std::string(text) + "\" is not a number, nor one after <, <=, > or >=\n")
        << text;
  }
}

TEST(CheckRecord, ImplausibleValuesAreFlagged) {
  const struct {
    const char* members;
    std::uint16_t flags;
  } cases[] = {
      {R"("kind":"lab","code":"ALT","value":1,"unit":"U/L")", 0},
      {R"("kind":"lab","code":"ALT","value":5000,"unit":"U/L")", 0},
      {R"("kind":"lab","code":"ALT","value":0.9,"unit":"U/L")", kImplausible},
      {R"("kind":"lab","code":"ALT","value":5001,"unit":"U/L")", kImplausible},
      {R"("kind":"lab","code":"ALT","value":100,"unit":"ukat/L")", kImplausible},
      {R"("kind":"lab","code":"PH","value":9)", kImplausible},
      {R"("kind":"lab","code":"ALT","value":null)", 0},
      {R"("kind":"adverse_event","code":"X","value":1e300)", 0},
  };
  for (const auto& [members, expected] : cases) {
    std::uint16_t flags = 0xff;
    EXPECT_EQ(faults_of(members, &flags), "") << members;
    EXPECT_EQ(flags, expected) << members;
  }
  std::uint16_t flags = 0xff;
  EXPECT_NE(faults_of(R"("kind":"lab","code":"PH","value":9,"site":"LON")", &flags), "");
  EXPECT_EQ(flags, 0xff) << "set for a refused record";
}

TEST(CheckRecord, ARangeOfTheStudySaysWhereANumberLies) {
  constexpr std::uint8_t kNormal = kStudyRange;
  constexpr std::uint8_t kLow = kStudyRange | kBelowRange, kHigh = kStudyRange | kAboveRange;
  const struct {
    const char* members;
    std::uint16_t flags;
  } cases[] = {
      {R"("code":"AST","value":8,"unit":"U/L")", kNormal},
      {R"("code":"AST","value":7.9,"unit":"U/L")", kLow},
      {R"("code":"AST","value":40.1,"unit":"U/L")", kHigh},
      {R"("code":"AST","value":1,"unit":"ukat/L")", kHigh},
      {R"("code":"GLUC","value":5.4951,"unit":"mmol/L")", kNormal},  // 98.998 mg/dL
      {R"("code":"GLUC","value":5.4953,"unit":"mmol/L")", kHigh},    // 99.001 mg/dL
      // 5.495237460867248 mmol/L are 99 mg/dL to all digits that a double has.
      {R"("code":"GLUC","value":5.495237460867248,"unit":"mmol/L")", kNormal},
      {R"("code":"GLUC","value":5.495237460867249,"unit":"mmol/L")", kNormal},
      {R"("code":"GLUC","value":3.8855214369768426,"unit":"mmol/L")", kNormal},
      {R"("code":"GLUC","value":3.8855,"unit":"mmol/L")", kLow},
      {R"("code":"ABGPH","value":46,"unit":"nmol/L")", kLow},
      {R"("code":"ABGPH","value":33,"unit":"nmol/L")", kHigh},
      {R"("code":"AST","value":3,"unit":"U/L","range":{"low":2,"high":9})", 0},
      {R"("code":"AST","value":41,"unit":"U/L","range":{"low":2})", kHigh},
      {R"("code":"AST","value":1,"unit":"U/L","range":{"low":2})", kLow},
      {R"("code":"AST","value":41,"unit":"U/L","range":{"high":50})", kNormal},
      {R"("code":"AST","value":"<5","unit":"U/L")", 0},
      {R"("code":"AST","not_done":"lost")", 0},
      {R"("code":"ALT","value":7,"unit":"U/L")", 0},  // there is none
      {R"("code":"HB","value":150,"unit":"g/L","range":{"low":120})", 0},
      {R"("code":"HB","value":110,"unit":"g/L")", kLow},
  };
  for (const auto& [members, expected] : cases) {
    std::uint16_t flags = 0xff;
    EXPECT_EQ(faults_of(R"("kind":"lab",)" + std::string(members), &flags), "") << members;
    EXPECT_EQ(flags, expected) << members;
  }
}

// The value is kept, and judged by what is left: by the study's range, else by none.
TEST(CheckRecord, ARangeThatBoundsNothingIsAFlagAndNoFault) {
  constexpr std::uint8_t kLow = kLowUnusable, kHigh = kHighUnusable;
  const struct {
    const char* members;
    std::uint16_t flags;
  } cases[] = {
      // 40 nmol/L are pH 7.40, 45 are 7.35, 25 are 7.60; the study's range is 7.35 to 7.45.
      {R"("code":"ABGPH","value":40,"unit":"nmol/L","range":{"low":0,"high":45})",
       kLow | kStudyRange},
      {R"("code":"ABGPH","value":25,"unit":"nmol/L","range":{"low":0,"high":45})",
       kLow | kStudyRange | kAboveRange},
      {R"("code":"ABGPH","value":60,"unit":"nmol/L","range":{"low":-2,"high":-1})",
       kLow | kHigh | kStudyRange | kBelowRange},
      {R"("code":"ABGPH","value":"<20","unit":"nmol/L","range":{"low":0})", kLow},
      {R"("code":"ABGPH","not_done":"lost","range":{"low":2,"high":1})", kLow | kHigh},
      {R"("code":"GLUC","value":9,"unit":"mmol/L","range":{"low":3,"high":1e308})",
       kHigh | kStudyRange | kAboveRange},
      {R"("code":"AST","value":60,"unit":"U/L","range":{"low":90,"high":9})",
       kLow | kHigh | kStudyRange | kAboveRange},
      {R"("code":"AST","value":20,"unit":"U/L","range":{"low":9,"high":9})", 0},
      {R"("code":"ALT","value":60,"unit":"U/L","range":{"low":90,"high":9})", kLow | kHigh},
  };
  for (const auto& [members, expected] : cases) {
    std::uint16_t flags = 0xff;
    EXPECT_EQ(faults_of(R"("kind":"lab",)" + std::string(members), &flags), "") << members;
    EXPECT_EQ(flags, expected) << members;
  }
}

TEST(CheckRecord, P10_ReasonsDoNotRepeatLongTexts) {
  const std::string text(kTextCharsMax, 'x');
  const std::string faults = faults_of(R"("kind":"lab","code":"HCG","value":")" + text + "\"");
  EXPECT_EQ(faults, "/value: \"" + text.substr(0, 80) + "…\" is not one of the values of HCG\n");
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += i == 0 ? "x" : "µ";
  EXPECT_NE(faults_of(R"("kind":"lab","code":"HCG","value":")" + umlauts + "\"")
                .find(umlauts.substr(0, 79) + "…\""),
            std::string::npos);
}

TEST(CheckRecord, ChecksTheFormOfRecordsThatWereNoJson) {
  Record good;
  good.source = "s";
  good.source_id = "1";
  good.subject = "01-701-1015";
  good.kind = Kind::adverse_event;
  good.code = "HEADACHE";
  std::uint16_t flags = 0;
  EXPECT_TRUE(check_record(test_study(), good, kNowMs, flags).empty());

  const struct {
    const char* path;
    void (*change)(Record&);
  } cases[] = {
      {"/source", [](Record& r) { r.source.clear(); }},
      {"/source_id", [](Record& r) { r.source_id = "a\n"; }},
      {"/subject", [](Record& r) { r.subject = std::string(200, 'x'); }},
      {"/code", [](Record& r) { r.code.clear(); }},
      {"/value", [](Record& r) { r.value.number = std::numeric_limits<double>::quiet_NaN(); }},
      {"/value", [](Record& r) { r.value.text = std::string(kTextCharsMax + 1, 'x'); }},
      {"/text", [](Record& r) { r.value.number = 1, r.value.text = std::string("\0", 1); }},
      {"/range/low", [](Record& r) { r.range.low = -HUGE_VAL; }},
      {"/range/high", [](Record& r) { r.range.high = HUGE_VAL; }},
      {"/range/low", [](Record& r) { r.range.low = NAN, r.range.high = 1; }},
      {"/range/high", [](Record& r) { r.range.low = 1, r.range.high = NAN; }},
      {"/not_done", [](Record& r) { r.value.not_done = "\x01"; }},
      {"/amends", [](Record& r) { r.amends = -1, r.reason = "x"; }},
      {"/attributes", [](Record& r) { r.attributes.resize(kAttributesMax + 1); }},
      {"/attributes/a",
       [](Record& r) {
         r.attributes = {{"a", "1"}, {"a", "2"}};
       }},
  };
  for (const auto& [path, change] : cases) {
    Record record = good;
    change(record);
    const Faults faults = check_record(test_study(), record, kNowMs, flags);
    ASSERT_EQ(faults.size(), 1u) << path;
    EXPECT_EQ(faults[0].path, path);
  }
}

}  // namespace
}  // namespace trialward::model
