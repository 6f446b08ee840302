#include "reports/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace trialward::reports {
namespace {

TEST(Decimal, RoundsTheDecimalNumber) {
  const struct {
    double number;
    int decimals;
    const char *sas, *r;
  } cases[] = {
      {0, 0, "0", "0"},          {0, 2, "0.00", "0.00"},      {-0.0, 1, "0.0", "0.0"},
      {12.65, 1, "12.7", "12.7"}, {12.75, 1, "12.8", "12.8"},  {0.5, 0, "1", "0"},
      {1.5, 0, "2", "2"},        {2.5, 0, "3", "2"},          {-2.5, 0, "-3", "-2"},
      {1.005, 2, "1.01", "1.00"}, {1.015, 2, "1.02", "1.01"},  {42.65, 1, "42.7", "42.6"},
      {0.1 + 0.2, 1, "0.3", "0.3"}, {0.15000000000000002, 1, "0.2", "0.2"},
      {9.995, 2, "10.00", "9.99"}, {99.95, 1, "100.0", "100.0"}, {0.05, 1, "0.1", "0.1"},
      {0.04, 1, "0.0", "0.0"},   {-0.04, 1, "0.0", "0.0"},    {0.0004, 2, "0.00", "0.00"},
      {123456.7, 3, "123456.700", "123456.700"}, {1e20, 1, "100000000000000000000.0",
                                                   "100000000000000000000.0"},
      {2.5000001, 0, "3", "3"},
      {60.55, 1, "60.6", "60.5"},
  };
  for (const auto& [number, decimals, sas, r] : cases) {
    EXPECT_EQ(format_fixed(number, decimals, Rounding::sas), sas) << number;
    EXPECT_EQ(format_fixed(number, decimals, Rounding::r), r) << number;
  }
  EXPECT_EQ(format_fixed(std::nan(""), 1), "");
  EXPECT_EQ(format_fixed(std::numeric_limits<double>::infinity(), 1), "");
}

TEST(Decimal, PercentagesAreExact) {
  const struct {
    std::int64_t count, of;
    int decimals;
    const char *sas, *r;
  } cases[] = {
      {0, 7, 0, "0", "0"},     {7, 7, 0, "100", "100"},  {1, 40, 0, "3", "2"},
      {39, 40, 0, "98", "98"}, {1, 8, 1, "12.5", "12.5"}, {1, 8, 0, "13", "12"},
      {3, 8, 0, "38", "38"},   {2, 3, 1, "66.7", "66.7"}, {1, 3, 1, "33.3", "33.3"},
      {1, 0, 1, "", ""},       {1, 1'000'000'000'000, 1, "0.0", "0.0"},
      {9'000'000'000'000'000, 9'000'000'000'000'001, 0, "100", "100"},
  };
  for (const auto& [count, of, decimals, sas, r] : cases) {
    EXPECT_EQ(format_percent(count, of, decimals, Rounding::sas), sas) << count << "/" << of;
    EXPECT_EQ(format_percent(count, of, decimals, Rounding::r), r) << count << "/" << of;
  }
}

TEST(Decimal, ShortTextsSayTheSame) {
  const std::pair<double, const char*> cases[] = {
      {0.1 + 0.2, "0.3"}, {1500, "1500"}, {-0.0, "0"}, {2.5e-7, "2.5e-07"}, {1.0 / 3,
                                                                           "0.333333333333333"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(format_short(number), text);
  EXPECT_EQ(rounded(68.95, 1), 69.0);
}

}  // namespace
}  // namespace trialward::reports
