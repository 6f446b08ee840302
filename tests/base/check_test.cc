#include "base/check.h"

#include <gtest/gtest.h>

namespace trialward::base {
namespace {

TEST(Check, TrueIsSilentAndEvaluatedOnce) {
  int evaluated = 0;
  TW_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, FalseNamesThePlaceAndAborts) {
  EXPECT_DEATH(TW_CHECK(1 + 1 == 3), "check_test\\.cc:[0-9]+: broken invariant: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace trialward::base
