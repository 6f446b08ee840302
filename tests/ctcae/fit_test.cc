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
  const Term& potassium = term_of("6", "Hyperkalemia");
  EXPECT_EQ(listed_unit(potassium, "MMOL/L", UnitSystem::si), 0u);
  EXPECT_EQ(listed_unit(potassium, "mmol/L", UnitSystem::us_conventional), 0u);
  EXPECT_EQ(listed_unit(term_of("6", "LDL increased"), "whatever", UnitSystem::si), 0u);
}

TEST(Fit, ConvertsWhatLaboratoriesWrite) {
  struct Case {
    const char *version, *term, *unit;
    double number, in_term_unit;
  };
  const std::vector<Case> cases = {
      {"5", "Anemia", "mmol/L", 6.2, 99.9099},
      {"5", "Anemia", "mg/mL", 80, 80},
      {"5", "Platelet count decreased", "THOU/uL", 49, 49},
      {"5", "Platelet count decreased", "/mm3", 75000, 75},
      {"5", "Hypokalemia", "mEq/L", 2.9, 2.9},
      {"5", "Hypomagnesemia", "mEq/L", 1, 0.5},
      {"4", "Hyperuricemia", "mmol/L", 0.59, 590},
      {"5", "Hypoglycemia", "g/L", 0.3, 1.66522},
      {"5", "Cholesterol high", "umol/L", 7750, 7.75},
      {"5", "Proteinuria", "mg/(24.h)", 3500, 3.5},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.term) + " in " + one.unit);
    const auto found = fit(term_of(one.version, one.term), one.unit);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->unit, 0u);
    EXPECT_NEAR(found->conversion(one.number), one.in_term_unit, 1e-4);
  }
  const auto listed = fit(term_of("5", "Hypoglycemia"), "mg/dL");
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->unit, 1u);
  EXPECT_EQ(listed->conversion(30), 30);
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
