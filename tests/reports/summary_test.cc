#include "reports/summary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace trialward::reports {
namespace {

// Quantiles by SAS's definition 5, worked by hand from its text: with n * p = j + g the (j+1)th
// number where g > 0, else the mean of the jth and the (j+1)th.
TEST(Summary, SumsUpAsSasDoes) {
  const struct {
    std::vector<double> numbers;
    double mean, sd, median, q1, q3, low, high;
  } cases[] = {
      {{3, 1, 2}, 2, 1, 2, 1, 3, 1, 3},
      {{4, 1, 3, 2}, 2.5, 1.2909944487358056, 2.5, 1.5, 3.5, 1, 4},
      {{2, 4, 4, 4, 5, 5, 7, 9}, 5, 2.138089935299395, 4.5, 4, 6, 2, 9},
      {{1, 2, 3, 4, 5}, 3, 1.5811388300841898, 3, 2, 4, 1, 5},
      {{0.1, 0.1, 0.1}, 0.1, 0, 0.1, 0.1, 0.1, 0.1, 0.1},
      {{1e9 + 1, 1e9 + 2, 1e9 + 3}, 1e9 + 2, 1, 1e9 + 2, 1e9 + 1, 1e9 + 3, 1e9 + 1, 1e9 + 3},
  };
  for (const auto& one : cases) {
    const Summary sum = summarize(one.numbers);
    EXPECT_EQ(sum.n, std::ssize(one.numbers));
    EXPECT_DOUBLE_EQ(sum.mean, one.mean);
    EXPECT_NEAR(sum.sd, one.sd, 1e-15);
    EXPECT_DOUBLE_EQ(sum.median, one.median);
    EXPECT_DOUBLE_EQ(sum.q1, one.q1);
    EXPECT_DOUBLE_EQ(sum.q3, one.q3);
    EXPECT_EQ(sum.low, one.low);
    EXPECT_EQ(sum.high, one.high);
  }
}

TEST(Summary, SaysNothingOfTooFew) {
  const Summary none = summarize({}), one = summarize({7});
  EXPECT_EQ(none.n, 0);
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.median) && std::isnan(none.low));
  EXPECT_EQ(one.mean, 7);
  EXPECT_TRUE(std::isnan(one.sd));
  EXPECT_EQ(quantile({1, 2, 3}, 0), 1);
  EXPECT_EQ(quantile({1, 2, 3}, 1), 3);
}

}  // namespace
}  // namespace trialward::reports
