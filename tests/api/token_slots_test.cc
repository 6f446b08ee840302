#include "api/token_slots.h"

#include <gtest/gtest.h>

namespace trialward::api {
namespace {

TEST(TokenSlots, AreLimitedForEachTokenAndInAll) {
  TokenSlots slots(3, 2);
  auto first = slots.take(1);
  auto copy = first;
  const auto second = slots.take(1);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(slots.take(1), nullptr);
  EXPECT_NE(slots.take(2), nullptr);  // given back at once
  const auto other = slots.take(2);
  EXPECT_NE(other, nullptr);
  EXPECT_EQ(slots.take(3), nullptr);
  EXPECT_EQ(slots.used(), 3u);
  first.reset();
  EXPECT_EQ(slots.used(), 3u);
  copy.reset();
  EXPECT_EQ(slots.used(), 2u);
  EXPECT_NE(slots.take(3), nullptr);
}

}  // namespace
}  // namespace trialward::api
