#include "reports/group_tests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace trialward::reports {
namespace {

TEST(GroupTests, TailsOfChiSquareAreThoseInClosedForm) {
  for (const double x : {0.01, 0.5, 1.0, 2.0, 3.84, 10.0, 40.0, 200.0}) {
    // With 2 degrees of freedom an exponential, with 1 a normal's two tails, with 4 by parts.
    EXPECT_NEAR(chi_square_tail(x, 2), std::exp(-x / 2), 1e-14);
    EXPECT_NEAR(chi_square_tail(x, 1), std::erfc(std::sqrt(x / 2)), 1e-14);
    EXPECT_NEAR(chi_square_tail(x, 4), std::exp(-x / 2) * (1 + x / 2), 1e-14);
  }
  EXPECT_EQ(chi_square_tail(0, 3), 1);
}

TEST(GroupTests, TailsOfFAreThoseInClosedForm) {
  for (const double x : {0.001, 0.3, 1.0, 2.5, 4.0, 30.0, 1000.0}) {
    for (const double freedom : {1.0, 3.0, 10.0, 251.0}) {
      EXPECT_NEAR(f_tail(x, 2, freedom), std::pow(1 + 2 * x / freedom, -freedom / 2), 1e-13);
    }
    // One and one: a Cauchy's two tails.
    EXPECT_NEAR(f_tail(x, 1, 1), 1 - 2 / std::numbers::pi * std::atan(std::sqrt(x)), 1e-13);
  }
}

TEST(GroupTests, ComparesGroups) {
  // F = 9.3, 2 and 15 degrees of freedom: p by the closed form above for 2.
  const std::vector<std::vector<double>> three = {
      {6, 8, 4, 5, 3, 4}, {8, 12, 9, 11, 6, 8}, {13, 9, 11, 8, 7, 12}};
  const double f = (84.0 / 2) / (68.0 / 15);
  EXPECT_NEAR(*anova_p(three), std::pow(1 + 2 * f / 15, -7.5), 1e-13);
  // Two by two, x = 100 * (20 * 25 - 30 * 25)^2 / (50 * 50 * 45 * 55).
  EXPECT_NEAR(*chi_square_p({{20, 30}, {25, 25}}),
              std::erfc(std::sqrt(100.0 * 250 * 250 / (50.0 * 50 * 45 * 55) / 2)), 1e-13);
  EXPECT_EQ(*chi_square_p({{20, 30, 0}, {25, 25, 0}}), *chi_square_p({{20, 30}, {25, 25}}));
}

TEST(GroupTests, SaysNothingWhereThereIsNothingToCompare) {
  EXPECT_FALSE(anova_p({}));
  EXPECT_FALSE(anova_p({{1, 2}, {}}));
  EXPECT_FALSE(anova_p({{1, 1}, {1, 1}}));
  EXPECT_FALSE(anova_p({{1}, {2}}));
  EXPECT_FALSE(chi_square_p({}));
  EXPECT_FALSE(chi_square_p({{1, 2}, {0, 0}}));
  EXPECT_FALSE(chi_square_p({{1, 0}, {2, 0}}));
}

}  // namespace
}  // namespace trialward::reports
