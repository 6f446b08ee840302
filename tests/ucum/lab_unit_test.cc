#include "ucum/lab_unit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace trialward::ucum {
namespace {

TEST(LabUnit, SpellingsOfLaboratoriesAreRead) {
  const struct {
    const char *written, *ucum, *from;
  } cases[] = {
      {"mmol/L", "mmol/L", "UCUM"},
      {"10^9/L", "10^9/L", "UCUM"},
      {"[degF]", "[degF]", "UCUM"},
      {"%", "%", "UCUM"},
      {"U/L", "U/L", "UCUM"},
      {"MMOL/L", "mmol/L", "laboratory usage"},
      {"UMOL/L", "umol/L", "laboratory usage"},
      {"\xC2\xB5mol/L", "umol/L", "UCUM"},
      {"\xCE\xBCg/mL", "ug/mL", "UCUM"},
      {"mcg/mL", "ug/mL", "laboratory usage"},
      {"IU/L", "[iU]/L", "CDISC UNIT"},
      {"uIU/mL", "u[iU]/mL", "CDISC UNIT"},
      {"mEq/L", "meq/L", "CDISC UNIT"},
      {"MG/DL", "mg/dL", "laboratory usage"},
      {"MG/L", "mg/L", "laboratory usage"},
      {"MU/L", "mU/L", "laboratory usage"},
      {"PG", "pg", "laboratory usage"},
      {"ML", "mL", "laboratory usage"},
      {"gm/dL", "g/dL", "laboratory usage"},
      {"THOU/uL", "10*3/uL", "CDISC UNIT"},
      {"TH/MM3", "10*3/mm3", "laboratory usage"},
      {"MILL/uL", "10*6/uL", "CDISC UNIT"},
      {"GI/L", "10*9/L", "CDISC UNIT"},
      {"TI/L", "10*12/L", "CDISC UNIT"},
      {"x10E3/uL", "10*3/uL", "laboratory usage"},
      {"X10E3/UL", "10*3/uL", "laboratory usage"},
      {"10**9/L", "10*9/L", "laboratory usage"},
      {"10e6/uL", "10*6/uL", "laboratory usage"},
      {"x 10^9 / L", "10*9/L", "laboratory usage"},
      {"\xC3\x97" "10\xE2\x81\xB9/L", "10*9/L", "laboratory usage"},
      {"K/uL", "10*3/uL", "CDISC UNIT"},
      {"cells/uL", "{cells}/uL", "laboratory usage"},
      {"cells/mm\xC2\xB3", "{cells}/mm3", "laboratory usage"},
      {"BEATS/MIN", "{beats}/min", "CDISC UNIT"},
      {"beats/min", "{beats}/min", "CDISC UNIT"},
      {"C", "Cel", "CDISC UNIT"},
      {"F", "[degF]", "CDISC UNIT"},
      {"\xC2\xB0" "C", "Cel", "laboratory usage"},
      {"IN", "[in_i]", "CDISC UNIT"},
      {"LB", "[lb_av]", "CDISC UNIT"},
      {"mmHg", "mm[Hg]", "CDISC UNIT"},
      {"fmol(Fe)", "fmol{Fe}", "CDISC UNIT"},
      {"fraction of 1", "1", "CDISC UNIT"},
      {"mL/min/1.73m2", "mL/min/(173.10*-2.m2)", "CDISC UNIT"},
      {"mL/min/1.73 m\xC2\xB2", "mL/min/(173.10*-2.m2)", "CDISC UNIT"},
      {"mg/24h", "mg/(24.h)", "UCUM"},
      {"MG/24HR", "mg/(24.h)", "laboratory usage"},
      {"mg/100mL", "mg/(100.mL)", "UCUM"},
      {"msec", "ms", "CDISC UNIT"},
      {"mm/hr", "mm/h", "laboratory usage"},
      {"/HPF", "/[HPF]", "CDISC UNIT"},
      {"mOsm/kg", "mosm/kg", "CDISC UNIT"},
      {"1/uL", "1/uL", "UCUM"},
      {"Mmol/L", "mmol/L", "laboratory usage"},
      {"Meq/L", "meq/L", "CDISC UNIT"},
      {"Mg/dl", "mg/dL", "laboratory usage"},
      {"Mg/mL", "mg/mL", "laboratory usage"},
      {"Pg/mL", "pg/mL", "laboratory usage"},
  };
  for (const auto& [written, ucum, from] : cases) {
    const auto read = parse_lab_unit(written);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->ucum, ucum) << written;
    EXPECT_EQ(read->from, from) << written;
    EXPECT_EQ(read->unit.text, written);
  }
}

TEST(LabUnit, WhatIsExpectedChoosesAmongReadings) {
  const struct {
    const char *written, *like, *ucum;
  } cases[] = {
      {"G/L", "g/dL", "g/L"},       {"G/L", "10*3/uL", "10*9/L"}, {"G/L", "mmol/L", "g/L"},
      {"mm3", "10*9/L", "/mm3"},    {"mm3", "mL", "mm3"},         {"C", "[degF]", "Cel"},
      {"C", "uC", "C"},             {"K/uL", "10*9/L", "10*3/uL"}, {"MG/dL", "mg/L", "mg/dL"},
      {"MG/L", "mmol/L", "mg/L"},   {"M/uL", "10*12/L", "10*6/uL"}, {"MS", "s", "ms"},
      {"G/L", "m", "g/L"},          {"IU/L", "U/L", "U/L"},       {"mU/L", "u[iU]/mL", "m[iU]/L"},
      {"IU/L", "[iU]/mL", "[iU]/L"}, {"mU/L", "U/L", "mU/L"},
  };
  for (const auto& [written, like, ucum] : cases) {
    const Unit expected = parse(like).value();
    const auto read = parse_lab_unit(written, &expected);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->ucum, ucum) << written << " beside " << like;
  }
}

TEST(LabUnit, WhatIsNoUnitIsRefusedWithTheReasonOfUcum) {
  for (const char* written :
       {"", "NO UNITS", "furlong", "mg/", "//", "/", "mg/dL/", "10^9/M!", "x10", "10E", "10E999/L",
        "NORMAL", "mg per dL", "\xFF\xFE", "24", "h24/x"}) {
    const auto read = parse_lab_unit(written);
    if (std::string_view(written) == "24") {  // the number is a unit to UCUM
      EXPECT_TRUE(read.ok());
      continue;
    }
    ASSERT_FALSE(read.ok()) << written;
    EXPECT_EQ(read.error().message, parse(written).error().message);
  }
  EXPECT_FALSE(parse_lab_unit(std::string(kExpressionCharsMax + 1, 'm')).ok());
  EXPECT_FALSE(parse_lab_unit(std::string(kExpressionCharsMax, '1')).ok());
}

// Every unit of the grading criteria and cases, which lie outside of the project.
TEST(LabUnit, UnitsOfPublishedGradingAreRead) {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  const std::string root = shared ? shared : TRIALWARD_SOURCE "/../shared";
  const struct {
    const char *file, *column;
  } sources[] = {{"criteria.csv", "UNIT_CHECK"}, {"grading-cases.csv", "AVALU"}};
  std::set<std::string> units;
  for (const auto& [file, column] : sources) {
    std::ifstream in(root + "/data/ctcae/" + file);
    if (!in) GTEST_SKIP() << "no ctcae/" << file;
    std::string line;
    std::getline(in, line);
    std::vector<std::string> names;
    const auto cut = [](const std::string& text) {  // commas within quotation marks separate not
      std::vector<std::string> cells(1);
      bool within = false;
      for (const char c : text) {
        if (c == '"') within = !within;
        if (c == ',' && !within) {
          cells.emplace_back();
        } else if (c != '"' && c != '\r') {
          cells.back().push_back(c);
        }
      }
      return cells;
    };
    names = cut(line);
    const auto at = static_cast<std::size_t>(
        std::find(names.begin(), names.end(), column) - names.begin());
    ASSERT_LT(at, names.size());
    while (std::getline(in, line)) {
      const auto cells = cut(line);
      if (at < cells.size() && !cells[at].empty()) units.insert(cells[at]);
    }
  }
  EXPECT_GE(units.size(), 20u);
  // 10^9/M is a case's example of a unit that nothing can be graded in; it says "per mega".
  units.erase("10^9/M");
  for (const std::string& unit : units) {
    EXPECT_TRUE(parse_lab_unit(unit).ok()) << unit;
  }
}

}  // namespace
}  // namespace trialward::ucum
