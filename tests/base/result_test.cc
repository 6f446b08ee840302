#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace trialward::base {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Errc::invalid, "odd"};
  return number / 2;
}

Status checked(bool good) {
  if (!good) return Error{Errc::refused, "full"};
  return {};
}

TEST(Result, HoldsAValue) {
  const auto result = half(6);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(result.value(), 3);
  EXPECT_EQ(*result, 3);
}

TEST(Result, HoldsTheReason) {
  const auto result = half(7);
  ASSERT_FALSE(result.ok());
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_EQ(result.error().message, "odd");
}

TEST(Result, MovesAValueThatCannotBeCopied) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, IsChangedThroughItsReferences) {
  Result<std::string> result(std::string("ab"));
  result->push_back('c');
  (*result).push_back('d');
  EXPECT_EQ(result.value(), "abcd");
}

TEST(Status, IsFineOrHasAReason) {
  EXPECT_TRUE(checked(true).ok());
  const Status failed = checked(false);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::refused);
  EXPECT_EQ(failed.error().message, "full");
}

TEST(ResultDeathTest, TheOtherSideCannotBeRead) {
  EXPECT_DEATH(static_cast<void>(half(7).value()), "broken invariant: ok\\(\\); odd");
  EXPECT_DEATH(static_cast<void>(half(6).error()), "broken invariant");
  EXPECT_DEATH(static_cast<void>(checked(true).error()), "broken invariant");
}

}  // namespace
}  // namespace trialward::base
