#include "monitor/point.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::monitor {
namespace {

TEST(OptionalNumber, IsANumberOrNone) {
  OptionalNumber none;
  EXPECT_FALSE(none.has_value());
  EXPECT_FALSE(none);
  EXPECT_EQ(none.value_or(3), 3);
  EXPECT_EQ(std::optional<double>(none), std::nullopt);
  EXPECT_EQ(none, OptionalNumber(std::optional<double>()));
  OptionalNumber zero = std::optional(0.0);
  ASSERT_TRUE(zero);
  EXPECT_EQ(*zero, 0.0);
  EXPECT_EQ(zero.value_or(3), 0.0);
  EXPECT_EQ(std::optional<double>(zero), 0.0);
  EXPECT_EQ(zero, OptionalNumber(-0.0));
  EXPECT_NE(zero, none);
  zero.reset();
  EXPECT_EQ(zero, none);
}

TEST(PointName, SortsAsThePairDoes) {
  const PointName ordered[] = {PointName(), PointName("a", ""), PointName("a", "1"),
                               PointName("a", "10"), PointName("a", "\xff"), PointName("a-", "1"),
                               PointName("b", "1")};
  for (std::size_t i = 0; i < std::size(ordered); ++i) {
    for (std::size_t j = 0; j < std::size(ordered); ++j) {
      EXPECT_EQ(ordered[i] < ordered[j], i < j) << i << " and " << j;
      EXPECT_EQ(ordered[i] == ordered[j], i == j) << i << " and " << j;
    }
  }
}

TEST(PointName, KeepsItsTextThroughCopiesAndMoves) {
  using namespace std::string_literals;
  const std::string text = "lab\0A-1"s;
  PointName name("lab", "A-1");
  EXPECT_EQ(name.view(), text);
  EXPECT_EQ(name.size(), text.size());
  EXPECT_EQ(name.bytes(), 16u);
  PointName copy = name;
  EXPECT_EQ(copy, name);
  EXPECT_NE(copy.view().data(), name.view().data());
  const PointName& self = copy;
  copy = self;
  EXPECT_EQ(copy.view(), text);
  copy = PointName("b");
  EXPECT_EQ(copy.view(), "b");
  EXPECT_EQ(name.view(), text);
  const PointName moved = std::move(name);
  EXPECT_EQ(moved.view(), text);
  const PointName longest(std::string(65'535, 'x'));
  EXPECT_EQ(longest.size(), 65'535u);
  const PointName empty("");
  EXPECT_EQ(empty.view(), "");
  EXPECT_EQ(empty.bytes(), 0u);
}

}  // namespace
}  // namespace trialward::monitor
