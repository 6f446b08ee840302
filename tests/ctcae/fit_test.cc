#include "ctcae/fit.h"

#include <gtest/gtest.h>

#include "ctcae/tables.h"

namespace trialward::ctcae {
namespace {

const Term& term_of(const char* version, const char* name) {
  const Term* term = criteria_of(version)->term(name);
  EXPECT_NE(term, nullptr) << name;
  return *term;
}

TEST(ListedUnit, KeepsTheSystemsApart) {
  const Term& platelets = term_of("5", "Platelet count decreased");
  EXPECT_EQ(listed_unit(platelets, "10^9/l", UnitSystem::si), 0u);
  EXPECT_EQ(listed_unit(platelets, "10^9/L", UnitSystem::us_conventional), std::nullopt);
  EXPECT_EQ(listed_unit(platelets, "10^3/mL", UnitSystem::us_conventional), 2u);
  EXPECT_EQ(listed_unit(platelets, "10^3/uL", UnitSystem::si), std::nullopt);
  EXPECT_EQ(listed_unit(platelets, ""), std::nullopt);
  const Term& anemia = term_of("5", "Anemia");  // its third unit is in neither list
  EXPECT_EQ(listed_unit(anemia, "mmol/L"), 2u);
  EXPECT_EQ(listed_unit(anemia, "mmol/L", UnitSystem::si), std::nullopt);
  EXPECT_EQ(listed_unit(anemia, "mmol/L", UnitSystem::us_conventional), std::nullopt);
  const Term& potassium = term_of("6", "Hyperkalemia");
  EXPECT_EQ(listed_unit(potassium, "MMOL/L", UnitSystem::si), 0u);
  EXPECT_EQ(listed_unit(potassium, "mmol/L", UnitSystem::us_conventional), 0u);
  EXPECT_EQ(listed_unit(term_of("6", "LDL increased"), "whatever", UnitSystem::si), 0u);
}

TEST(Fit, TakesTheLimitsThatMeasureTheSame) {
  struct Case {
    const char *version, *term, *unit;
    double number;
    const char* graded_in;
    double in_term_unit;
  };
  const std::vector<Case> cases = {
      {"5", "Anemia", "mmol/L", 6.2, "mmol/L", 6.2},
      {"5", "Anemia", "umol/L", 6200, "mmol/L", 6.2},
      {"5", "Anemia", "mg/mL", 80, "g/L", 80},
      {"5", "Anemia", "g%", 8, "g/L", 80},
      {"5", "Platelet count decreased", "THOU/uL", 49, "10^9/L", 49},
      {"5", "Platelet count decreased", "/mm3", 75000, "10^9/L", 75},
      {"5", "Hypokalemia", "mEq/L", 2.9, "mmol/L", 2.9},
      {"5", "Hypomagnesemia", "mEq/L", 1, "mmol/L", 0.5},
      {"4", "Hyperuricemia", "mmol/L", 0.59, "umol/L", 590},
      {"5", "Hypoglycemia", "g/L", 0.3, "mg/dL", 30},
      {"5", "Hypoglycemia", "mg/dL", 30, "mg/dL", 30},
      {"5", "Hypocalcemia", "mg/L", 80, "mg/dL", 8},
      {"5", "Hypocalcemia", "meq/L", 4, "mmol/L", 2},
      {"5", "Cholesterol high", "g/L", 3, "mg/dL", 300},
      {"5", "Cholesterol high", "umol/L", 7750, "mmol/L", 7.75},
      {"5", "Hypoalbuminemia", "umol/L", 451.3178, "g/L", 30},
      {"5", "Proteinuria", "mg/(24.h)", 3500, "g/(24.h)", 3.5},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.term) + " in " + one.unit);
    const Term& term = term_of(one.version, one.term);
    const auto found = fit(term, one.unit);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(term.units[found->unit], one.graded_in);
    EXPECT_NEAR(found->conversion(one.number), one.in_term_unit, 1e-4);
  }
}

// A molar mass near the criteria's is the same; one that is far is of something else, and then the
// limits that speak of the criteria's thing are left aside.
TEST(Fit, HonoursTheStudysMolarMass) {
  constexpr double kTetramer = 64458, kPhosphateIon = 94.97;
  struct Case {
    const char *term, *unit;
    double g_per_mol, number;
    const char* graded_in;
    double in_term_unit;
  };
  const std::vector<Case> cases = {
      {"Anemia", "mmol/L", 0, 6.2, "mmol/L", 6.2},
      {"Anemia", "mmol/L", 16114, 6.2, "mmol/L", 6.2},
      {"Anemia", "mmol/L", kTetramer, 1.55, "g/L", 99.9099},
      {"Anemia", "g/dL", kTetramer, 10, "g/dL", 10},
      {"Hypophosphatemia", "mg/dL", 0, 2.5, "mg/dL", 2.5},
      {"Hypophosphatemia", "mg/dL", kPhosphateIon, 7.5976, "mmol/L", 0.8},
      {"Hypophosphatemia", "mmol/L", kPhosphateIon, 0.8, "mmol/L", 0.8},
      {"Hypokalemia", "mg/L", 39, 117, "mmol/L", 3},
      {"Hypoalbuminemia", "umol/L", 66000, 500, "g/L", 33},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.term) + " in " + one.unit);
    const Term& term = term_of("4", one.term);
    const auto found = fit(term, one.unit, {one.g_per_mol, 0});
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(term.units[found->unit], one.graded_in);
    EXPECT_NEAR(found->conversion(one.number), one.in_term_unit, 1e-4);
  }
}

// What a study remembers of a code's values is in the code's own unit, which is right for terms
// that compare with the baseline as long as none of them has limits in two kinds of amount.
TEST(Fit, NoTermHasBothABaselineAndLimitsInTwoKindsOfAmount) {
  for (const char* version : {"4", "5", "6"}) {
    for (const Term& term : criteria_of(version)->terms) {
      const bool compares = (term.asks_for() & (kBaseline | kChange)) != 0;
      if (!compares || !term.has_absolute_limits()) continue;
      const auto found = fit(term, term.units.front());
      ASSERT_TRUE(found.ok());
      EXPECT_LE(found->columns.size(), 1u) << version << " " << term.name;
    }
  }
}

TEST(Fit, NamesBothUnitsWhenThereIsNoWay) {
  struct Case {
    const char *term, *unit, *message;
  };
  const std::vector<Case> cases = {
      {"Anemia", "", "Anemia is graded in g/L, not in no unit"},
      {"Anemia", "U/L", "Anemia is graded in g/L, not in U/L: "},
      {"Platelet count decreased", "mmol/L",
       "Platelet count decreased is graded in 10^9/L, not in mmol/L: "},
      {"Hypokalemia", "furlong", "Hypokalemia is graded in mmol/L, not in furlong: "},
  };
  for (const Case& one : cases) {
    const auto found = fit(term_of("5", one.term), one.unit);
    ASSERT_FALSE(found.ok()) << one.term;
    EXPECT_TRUE(found.error().message.starts_with(one.message)) << found.error().message;
  }
}

}  // namespace
}  // namespace trialward::ctcae
