#include "reports/chance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace trialward::reports {
namespace {

// By Python's fractions and math.comb (binomial), and by decimal with 60 digits (Poisson).
TEST(Chance, IsExact) {
  const struct {
    Chance chance;
    std::int64_t count;
    double at_most, at_least;
  } cases[] = {
      {{.mean = 2.5, .of = 10}, 0, 0.056313514709472656, 1.0},
      {{.mean = 2.5, .of = 10}, 2, 0.5255928039550781, 0.7559747695922852},
      {{.mean = 2.5, .of = 10}, 9, 0.9999990463256836, 2.956390380859375e-05},
      {{.mean = 43.75, .of = 306}, 17, 9.22864390627679e-07, 0.9999996856335879},
      {{.mean = 43.75, .of = 306}, 60, 0.9957132896152475, 0.006589105590881047},
      {{.mean = 120.5, .of = 1000}, 90, 0.0012693460916393705, 0.9991089410897199},
      {{.mean = 0.125, .of = 1}, 1, 1.0, 0.125},
      {{.mean = 0.125, .of = 1}, 0, 0.875, 1.0},
      {{.mean = 0.125}, 0, 0.8824969025845955, 1.0},
      {{.mean = 0.125}, 2, 0.999703522459112, 0.007190984592330172},
      {{.mean = 10}, 3, 0.010336050675925718, 0.9972306042844884},
      {{.mean = 10}, 18, 0.9928134953961457, 0.014277613597049613},
      {{.mean = 312.5}, 250, 0.0001449052025946517, 0.9998857069190049},
      {{.mean = 312.5}, 390, 0.9999895326008684, 1.3217945855449194e-05},
      {{.mean = 1024.75}, 1024, 0.4989616672682366, 0.5135008427431147},
  };
  for (const auto& one : cases) {
    EXPECT_NEAR(at_most(one.chance, one.count) / one.at_most, 1, 1e-12) << one.count;
    EXPECT_NEAR(at_least(one.chance, one.count) / one.at_least, 1, 1e-12) << one.count;
  }
}

TEST(Chance, OfWhatCannotBeOtherwise) {
  EXPECT_EQ(at_most({.mean = 0}, 0), 1);
  EXPECT_EQ(at_least({.mean = 0}, 0), 1);
  EXPECT_EQ(at_least({.mean = 0}, 1), 0);
  EXPECT_EQ(at_most({.mean = 5, .of = 5}, 4), 0);
  EXPECT_EQ(at_most({.mean = 5, .of = 5}, 5), 1);
  EXPECT_EQ(at_least({.mean = 5, .of = 5}, 5), 1);
  EXPECT_EQ(at_least({.mean = 2, .of = 5}, 6), 0);
  EXPECT_EQ(at_most({.mean = 2, .of = 5}, -1), 0);
  EXPECT_EQ(upper_limit({.mean = 0}, 0.025), 0);
  EXPECT_EQ(lower_limit({.mean = 5, .of = 5}, 0.025), 5);
}

// The limits for the mean of 10 are those of every table of the Poisson distribution: P(X <= 3) is
// 0.0103 and P(X <= 4) 0.0293; P(X >= 17) is 0.0270 and P(X >= 18) 0.0143.
TEST(Chance, LimitsAreTheLastCountsThatAreLikelier) {
  EXPECT_EQ(lower_limit({.mean = 10}, 0.025), 4);
  EXPECT_EQ(upper_limit({.mean = 10}, 0.025), 17);
  const Chance cases[] = {{.mean = 0.3},   {.mean = 12.5}, {.mean = 5000.25},
                          {.mean = 0.2, .of = 1},  {.mean = 2.04, .of = 12},
                          {.mean = 47'000.5, .of = 1'192'000}};
  for (const Chance& chance : cases) {
    for (const double alpha : {0.025, 0.001}) {
      const std::int64_t low = lower_limit(chance, alpha), high = upper_limit(chance, alpha);
      EXPECT_LE(low, high);
      EXPECT_GT(at_most(chance, low), alpha);
      EXPECT_LE(at_most(chance, low - 1), alpha);
      EXPECT_GT(at_least(chance, high), alpha);
      EXPECT_LE(at_least(chance, high + 1), alpha);
    }
  }
}

// One site with one subject, who dropped out where a third does: nothing to be found.
TEST(Chance, ASmallSiteIsNotBeyondTheLimits) {
  EXPECT_EQ(upper_limit({.mean = 0.33, .of = 1}, 0.025), 1);
  EXPECT_EQ(lower_limit({.mean = 0.33, .of = 1}, 0.025), 0);
}

}  // namespace
}  // namespace trialward::reports
