#include "model/issue.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

TEST(Issue, AListHasALimitAndSaysSo) {
  Issues issues;
  for (std::size_t i = 0; i < kIssuesMax; ++i) {
    add_issue(issues, {IssueSeverity::warning, "w", std::to_string(i), "words"});
  }
  EXPECT_EQ(issues.size(), kIssuesMax);
  EXPECT_FALSE(has_fault(issues));
  add_issue(issues, {IssueSeverity::information, "i", "next", "words"});
  add_issue(issues, {IssueSeverity::error, "e", "last", "words"});
  add_issue(issues, {IssueSeverity::warning, "w", "after", "words"});
  EXPECT_EQ(issues.size(), kIssuesMax + 1);
  EXPECT_EQ(issues.back().code, "tooMany");
  EXPECT_EQ(issues.back().path, "next");
  EXPECT_TRUE(has_fault(issues));
}

}  // namespace
}  // namespace trialward::model
