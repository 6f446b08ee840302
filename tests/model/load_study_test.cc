#include <gtest/gtest.h>

#include "base/sha256.h"
#include "model/study.h"

namespace trialward::model {
namespace {

// What a study must have; lines 1 to 5.
const std::string kLeast = "[study]\nid = 'test'\n[[sites]]\nid = '1'\ntime_zone = 'UTC'\n";

std::string study_faults(std::vector<DefinitionFile> files) {
  const auto study = load_study(std::move(files));
  if (study.ok()) return "none";
  std::string text;
  for (const DefinitionFault& fault : study.error()) text += to_string(fault) + "\n";
  return text;
}
std::string study_faults(const std::string& text) { return study_faults({{"study.toml", text}}); }

TEST(LoadStudy, LittleIsRequired) {
  const auto study = load_study({{"study.toml", kLeast}});
  ASSERT_TRUE(study.ok());
  EXPECT_EQ(study->id, "test");
  EXPECT_EQ(study->title, "");
  EXPECT_FALSE(study->enrol_by_first_record);
  EXPECT_EQ(study->default_site, "");
  EXPECT_FALSE(study->identifying);
  ASSERT_EQ(study->sites.size(), 1u);
  EXPECT_TRUE(study->arms.empty());
}

TEST(LoadStudy, ReadsEverything) {
  const auto study = load_study({{"study.toml", R"toml(
[study]
id = "pilot-1.0_b"
title = "A pilot"
version = "3"
enrol = "first-record"
subject_pattern = "S[0-9]+"
default_site = "2"
[[sites]]
id = "1"
name = "One"
time_zone = "Europe/Berlin"
country = "DEU"
[[sites]]
id = "2"
time_zone = "UTC"
[[arms]]
id = "A"
name = "Active"
[kinds]
medication.open = true
lab.open = false
[[codes]]
kind = "lab"
code = "ALT"
name = "Alanine aminotransferase"
system = "urn:labs"
codings = [{ system = "http://loinc.org", code = "1742-6" }, { system = "urn:x", code = "1" }]
unit = "U/L"
also = [{ unit = "ukat/L", factor = 60 }, { unit = "x", offset = 1.5 }]
possible = [0, inf]
plausible = [1, 5000]
range = [-inf, 40]
[[codes]]
kind = "lab"
code = "HCG"
type = "text"
values = ["POSITIVE", "NEGATIVE"]
[[codes]]
kind = "lab"
code = "KETONES"
type = "any"
[fhir]
identifying = true
)toml"}});
  ASSERT_TRUE(study.ok());
  EXPECT_EQ(study->id, "pilot-1.0_b");
  EXPECT_EQ(study->title, "A pilot");
  EXPECT_EQ(study->version, "3");
  EXPECT_TRUE(study->enrol_by_first_record);
  EXPECT_EQ(study->default_site, "2");
  EXPECT_TRUE(study->subject_id_fits("S12"));
  EXPECT_FALSE(study->subject_id_fits("S12x"));
  ASSERT_EQ(study->sites.size(), 2u);
  EXPECT_EQ(study->sites[0].name, "One");
  EXPECT_EQ(study->sites[0].country, "DEU");
  ASSERT_EQ(study->arms.size(), 1u);
  EXPECT_EQ(study->arms[0].name, "Active");
  EXPECT_TRUE(study->open(Kind::medication));
  EXPECT_FALSE(study->open(Kind::lab));
  const Code* alt = study->code(Kind::lab, "ALT");
  ASSERT_NE(alt, nullptr);
  EXPECT_EQ(alt->name, "Alanine aminotransferase");
  EXPECT_EQ(alt->system, "urn:labs");
  ASSERT_EQ(alt->codings.size(), 2u);
  EXPECT_EQ(alt->codings[0].system + alt->codings[0].code, "http://loinc.org1742-6");
  EXPECT_TRUE(study->identifying);
  EXPECT_EQ(alt->type, ValueType::number);
  ASSERT_EQ(alt->units.size(), 3u);
  EXPECT_EQ(alt->units[0].to_own(2), 2);
  EXPECT_EQ(alt->unit("ukat/L")->to_own(2), 120);
  EXPECT_EQ(alt->unit("x")->to_own(2), 3.5);
  EXPECT_TRUE(alt->possible->contain(1e300));
  EXPECT_EQ(alt->plausible->high, 5000);
  EXPECT_EQ(alt->range.low, std::nullopt);
  EXPECT_EQ(alt->range.high, 40);
  EXPECT_EQ(study->code(Kind::lab, "HCG")->values.size(), 2u);
  EXPECT_EQ(study->code(Kind::lab, "KETONES")->type, ValueType::any);
}

TEST(LoadStudy, FaultsNameFileLineAndReason) {
  const struct {
    std::string more;  // after kLeast: from line 6
    std::string faults;
  } cases[] = {
      {"colour = 1\n", "study.toml:6: [[sites]] has no member colour\n"},
      {"[colours]\n", "study.toml:6: study.toml has no member colours\n"},
      {"[[sites]]\nid = '1'\ntime_zone = 'UTC'\n", "study.toml:7: site \"1\" is given twice\n"},
      {"[[sites]]\nid = '2'\n", "study.toml:6: [[sites]] needs time_zone\n"},
      {"[[sites]]\nid = '2'\ntime_zone = 'Mars'\n", "study.toml:8: unknown time zone \"Mars\"\n"},
      {"[[sites]]\nid = ''\ntime_zone = 'UTC'\n", "study.toml:7: id is empty\n"},
      {"[[sites]]\nid = 2\ntime_zone = 'UTC'\n", "study.toml:7: id must be a string\n"},
      {"country = 'Germany'\n",
       "study.toml:6: country must be three capital letters (ISO 3166-1 alpha-3)\n"},
      {"[[arms]]\nid = 'A'\n[[arms]]\nid = 'A'\n", "study.toml:9: arm \"A\" is given twice\n"},
      {"[arms]\nid = 'A'\n", "study.toml:6: arms must be an array of tables\n"},
      {"[kinds.labs]\nopen = true\n", "study.toml:6: unknown kind \"labs\"\n"},
      {"[kinds.lab]\nopen = 'yes'\n", "study.toml:7: open must be true or false\n"},
      {"[kinds.lab]\nclosed = true\n", "study.toml:7: [lab] has no member closed\n"},
      {"[kinds]\nlab = true\n", "study.toml:7: lab must be a table, [lab]\n"},
      {"[[codes]]\nkind = 'lab'\n", "study.toml:6: [[codes]] needs code\n"},
      {"[fhir]\nidentifying = 'yes'\n", "study.toml:7: identifying must be true or false\n"},
      {"[fhir]\nnames = true\n", "study.toml:7: [fhir] has no member names\n"},
      {"[[codes]]\ncode = 'ALT'\n", "study.toml:6: [[codes]] needs kind\n"},
      {"[[codes]]\nkind = 'labs'\ncode = 'ALT'\n", "study.toml:7: unknown kind \"labs\"\n"},
      {"[[codes]]\nkind = 'lab'\ncode = 'A'\n[[codes]]\nkind = 'lab'\ncode = 'A'\n",
       "study.toml:11: lab \"A\" is given twice\n"},
  };
  for (const auto& [more, faults] : cases) EXPECT_EQ(study_faults(kLeast + more), faults) << more;
}

TEST(LoadStudy, FaultsOfCodes) {
  const struct {
    std::string members;  // from line 9
    std::string reasons;
  } cases[] = {
      {"type = 'integer'", "9: type must be \"number\", \"text\" or \"any\"\n"},
      {"values = ['Y']", "9: values need type = \"text\"\n"},
      {"type = 'text'\nvalues = []", "10: values must name at least one text\n"},
      {"type = 'text'\nvalues = ['Y', 1]", "10: values must be an array of strings\n"},
      {"type = 'text'\nvalues = 'Y'",
       "10: values must be an array of strings\n10: values must "
       "name at least one text\n"},
      {"type = 'text'\nunit = 'g'", "10: a text has no unit\n"},
      {"type = 'text'\npossible = [0, 1]", "10: a text has no bounds\n"},
      {"unit = ''", "9: unit is empty\n"},
      {"also = [{ unit = 'g' }]", "9: other units need the code's own: unit\n"},
      {"unit = 'g'\nalso = [{ unit = 'g' }]", "10: unit \"g\" is given twice\n"},
      {"unit = 'g'\nalso = [{ factor = 2 }]", "10: [[also]] needs unit\n"},
      {"unit = 'g'\nalso = [{ unit = 'kg', factor = 0 }]", "10: factor must be greater than 0\n"},
      {"unit = 'g'\nalso = [{ unit = 'kg', factor = inf }]",
       "10: factor must be a finite number\n"},
      {"unit = 'g'\nalso = [{ unit = 'kg', times = 2 }]", "10: [[also]] has no member times\n"},
      {"unit = 'g'\nalso = ['kg']", "10: also must be an array of tables\n"},
      {"unit = 'g'\nalso = 'kg'", "10: also must be an array of tables\n"},
      {"codings = 'x'", "9: codings must be an array of tables\n"},
      {"codings = [{ system = 'urn:a' }]", "9: [[codings]] needs code\n"},
      {"codings = [{ code = '' }]", "9: [[codings]] needs system\n9: code is empty\n"},
      {"codings = [{ system = 'urn:a', code = '1', display = 'x' }]",
       "9: [[codings]] has no member display\n"},
      {"codings = [{ system = 'urn:a', code = '1' },\n{ system = 'urn:a', code = '1' }]",
       "10: coding \"1\" of \"urn:a\" is given twice for a lab\n"},
      {"codings = [{ system = 'urn:a', code = '1' }]\n[[codes]]\nkind = 'lab'\ncode = 'Y'\n"
       "codings = [{ system = 'urn:a', code = '1' }]",
       "13: coding \"1\" of \"urn:a\" is given twice for a lab\n"},
      {"codings = [{ system = 'urn:a', code = 'Y' }]\n[[codes]]\nkind = 'lab'\ncode = 'Y'\n"
       "system = 'urn:a'",
       "9: coding \"Y\" of \"urn:a\" is a code of its own\n"},
      {"unit = 'g'\nmolar_mass = 0", "10: molar_mass must be above 0\n"},
      {"unit = 'g'\nmolar_mass = 'heavy'", "10: molar_mass must be a finite number\n"},
      {"unit = 'g'\nvalence = 1.5", "10: valence must be a whole number from 1 to 9\n"},
      {"unit = 'g'\nvalence = 0", "10: valence must be a whole number from 1 to 9\n"},
      {"unit = 'g'\nvalence = 10", "10: valence must be a whole number from 1 to 9\n"},
      {"unit = 'g'\nanalyte = 'Glucose'", "10: unknown analyte \"Glucose\"\n"},
      {"unit = 'g'\nanalyte = 'GLUC'\nmolar_mass = 180",
       "11: molar_mass is given by analyte\n"},
      {"molar_mass = 180", "9: molar_mass needs the code's own unit: unit\n"},
      {"possible = 5", "9: possible must be [low, high]\n"},
      {"possible = [5]", "9: possible must be [low, high], two numbers with low <= high\n"},
      {"possible = [5, 4]", "9: possible must be [low, high], two numbers with low <= high\n"},
      {"possible = [nan, 4]", "9: possible must be [low, high], two numbers with low <= high\n"},
      {"possible = ['1', 4]", "9: possible must be [low, high], two numbers with low <= high\n"},
      {"possible = [0, 9]\nplausible = [1, 10]", "10: plausible must lie within possible\n"},
      {"range = [-1, 5]\npossible = [0, 9]", "9: range must lie within possible\n"},
  };
  for (const auto& [members, reasons] : cases) {
    std::string expected;
    for (std::size_t at = 0; at < reasons.size(); at = reasons.find('\n', at) + 1) {
      expected += "study.toml:" + reasons.substr(at, reasons.find('\n', at) + 1 - at);
    }
    EXPECT_EQ(study_faults(kLeast + "[[codes]]\nkind = 'lab'\ncode = 'X'\n" + members + "\n"),
              expected)
        << members;
  }
}

TEST(LoadStudy, FaultsOfTheStudyItself) {
  const std::string site = "[[sites]]\nid = '1'\ntime_zone = 'UTC'\n";
  const struct {
    std::string text, faults;
  } cases[] = {
      {"[study]\n" + site, "study.toml:1: [study] needs id\n"},
      {"[study]\nid = 'a/b'\n" + site,
       "study.toml:2: id may have letters, digits, '-', '_' and '.' only\n"},
      {"[study]\nid = 'a'\nenrol = 'never'\n" + site,
       "study.toml:3: enrol must be \"demographics\" or \"first-record\"\n"},
      {"[study]\nid = 'a'\nversion = 1\n" + site, "study.toml:3: version must be a string\n"},
      {"[study]\nid = 'a'\ndefault_site = '9'\n" + site,
       "study.toml:3: no [[sites]] has the id \"9\"\n"},
      {"[study]\nid = 'a'\nsubject_pattern = '(\\1)'\n" + site,
       "study.toml:3: subject_pattern is no regular expression: "},
      {"[study]\nid = 'a'\nsubject_pattern = '('\n" + site,
       "study.toml:3: subject_pattern is no regular expression: "},
      {"[study]\nid = 'a'\nsubject_pattern = '" + std::string(201, 'x') + "'\n" + site,
       "study.toml:3: subject_pattern has more than 200 characters\n"},
      {"[study]\nid = 'a'\n", "study.toml:1: a study needs a site: [[sites]]\n"},
      {site, "study.toml:1: [study] is missing\n"},
      {"study = 'a'\n" + site, "study.toml:1: study must be a table, [study]\n"},
      {"[study]\nid = 'a\n" + site, "study.toml:2: "},
      {"[study]\nid = 'a'\nid = 'b'\n" + site, "study.toml:3: "},
      {"[study]\nid = '\xff'\n" + site, "study.toml:2: "},
  };
  for (const auto& [text, faults] : cases) {
    EXPECT_EQ(study_faults(text).rfind(faults, 0), 0u) << text << "\n" << study_faults(text);
  }
}

TEST(LoadStudy, AllFaultsAreListedInTheOrderOfTheLines) {
  EXPECT_EQ(study_faults("[[codes]]\nkind = 'x'\ncode = 'y'\n[study]\nid = 7\nsize = 1\n"
                      "[[sites]]\nid = '1'\n"),
            "study.toml:2: unknown kind \"x\"\n"
            "study.toml:5: id must be a string\n"
            "study.toml:6: [study] has no member size\n"
            "study.toml:7: [[sites]] needs time_zone\n");
}

TEST(LoadStudy, WhatHasNoFaultIsReadAllTheSame) {
  const std::string site = "[[sites]]\nid = '1'\ntime_zone = 'UTC'\n";
  const StudyReading reading =
      read_study({{"study.toml", "[study]\nid = 'a'\ncolour = 1\n" + site +
                                     "[[codes]]\nkind = 'lab'\ncode = 'A'\nunit = 'g'\n"
                                     "[[codes]]\nkind = 'lab'\ncode = 'B'\nunit = 5\n"}});
  EXPECT_EQ(reading.faults.size(), 2u);
  EXPECT_FALSE(reading.study.whole);
  EXPECT_NE(reading.study.code(Kind::lab, "A"), nullptr);
  EXPECT_EQ(reading.study.code(Kind::lab, "B"), nullptr);
  EXPECT_TRUE(read_study({{"study.toml", kLeast}}).study.whole);
  EXPECT_FALSE(read_study({{"study.toml", "["}}).study.whole);
}

TEST(LoadStudy, FaultsOfTheFiles) {
  EXPECT_EQ(study_faults(std::vector<DefinitionFile>{}), "study.toml: is missing\n");
  EXPECT_EQ(study_faults({{"rules.toml", ""}}), "study.toml: is missing\n");
  EXPECT_EQ(study_faults({{"study.toml", kLeast}, {"rules.toml", ""}, {"rules.toml", ""}}),
            "rules.toml: is given twice\n");
  EXPECT_EQ(study_faults({{"study.toml", kLeast},
                       {"rules.toml", std::string(kDefinitionFileBytesMax + 1, '#')}}),
            "rules.toml: is larger than 4194304 bytes\n");
  std::vector<DefinitionFile> many = {{"study.toml", kLeast}};
  for (std::size_t i = 0; i < kDefinitionFilesMax; ++i) many.push_back({std::to_string(i), ""});
  EXPECT_EQ(study_faults(std::move(many)), "255: more than 256 files\n");
}

TEST(LoadStudy, TheHashCoversNamesAndTextsInTheirOrder) {
  const auto hash = [](std::vector<DefinitionFile> files) { return load_study(files)->hash; };
  const std::string one = hash({{"study.toml", kLeast}, {"rules.toml", "# a"}});
  const std::string covered =
      std::string("rules.toml\0# a\0study.toml\0", 26) + kLeast + std::string(1, '\0');
  EXPECT_EQ(one, base::to_hex(base::sha256(covered)));
  EXPECT_EQ(hash({{"rules.toml", "# a"}, {"study.toml", kLeast}}), one);
  EXPECT_NE(hash({{"rules.toml", "# b"}, {"study.toml", kLeast}}), one);
  EXPECT_NE(hash({{"schedule.toml", "# a"}, {"study.toml", kLeast}}), one);
  EXPECT_NE(hash({{"study.toml", kLeast}}), one);
}

}  // namespace
}  // namespace trialward::model
