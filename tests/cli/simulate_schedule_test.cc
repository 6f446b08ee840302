#include "cli/simulate_schedule.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::cli {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Row {
  double per_second, seconds;
  std::uint64_t total;
};

class ScheduleTotal : public testing::TestWithParam<Row> {};

TEST_P(ScheduleTotal, IsWhatFallsIntoTheTime) {
  const Row& row = GetParam();
  const Schedule schedule(row.per_second, row.seconds);
  EXPECT_EQ(schedule.total(), row.total);
  EXPECT_LT(std::chrono::duration<double>(schedule.due(row.total - 1)).count(), row.seconds);
}

INSTANTIATE_TEST_SUITE_P(Rows, ScheduleTotal,
                         testing::Values(Row{500, 30, 15000}, Row{0.1, 3, 1}, Row{0.1, 10, 1},
                                         Row{0.1, 10.5, 2}, Row{3, 1, 3}, Row{7, 0.1, 1},
                                         Row{1e6, 60, 60'000'000}, Row{1.1, 10, 11}));

TEST(Schedule, RequestsAreDueAtEvenDistances) {
  const Schedule schedule(200, 10);
  EXPECT_EQ(schedule.due(0), base::Duration::zero());
  EXPECT_EQ(schedule.due(1), milliseconds(5));
  EXPECT_EQ(schedule.due(1999), milliseconds(9995));
}

// Errors of rounding must not add up: a day later the distance is still the same.
TEST(Schedule, DoesNotDrift) {
  const Schedule schedule(3, 86400);
  EXPECT_EQ(schedule.due(3 * 86400), seconds(86400));
}

TEST(Schedule, CountsWhatIsDue) {
  const Schedule schedule(100, 1);
  EXPECT_EQ(schedule.due_after(seconds(-1)), 0U);
  EXPECT_EQ(schedule.due_after(base::Duration::zero()), 1U);
  EXPECT_EQ(schedule.due_after(microseconds(10'001)), 2U);
  EXPECT_EQ(schedule.due_after(milliseconds(495)), 50U);
  EXPECT_EQ(schedule.due_after(seconds(5)), 100U);
}

struct RateRow {
  const char* text;
  double rate;  // 0: refused
};

class Rate : public testing::TestWithParam<RateRow> {};

TEST_P(Rate, IsReadOrRefused) {
  const RateRow& row = GetParam();
  const auto rate = parse_rate(row.text);
  ASSERT_EQ(rate.ok(), row.rate > 0) << row.text;
  if (rate) {
    EXPECT_EQ(*rate, row.rate);
  } else {
    EXPECT_TRUE(rate.error().message.starts_with('"' + std::string(row.text) + '"'));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Rate,
                         testing::Values(RateRow{"500", 500}, RateRow{"0.5/s", 0.5},
                                         RateRow{"1e3/s", 1000}, RateRow{"1000000", 1e6},
                                         RateRow{"", 0}, RateRow{"/s", 0}, RateRow{"0", 0},
                                         RateRow{"-5", 0}, RateRow{"5/h", 0}, RateRow{"nan", 0},
                                         RateRow{"inf", 0}, RateRow{"2000000", 0}, RateRow{"5 ", 0},
                                         RateRow{"maximum", 0}));

TEST(ParseRate, MaxIsNone) {
  const auto rate = parse_rate("max");
  ASSERT_TRUE(rate.ok());
  EXPECT_FALSE(rate->has_value());
}

}  // namespace
}  // namespace trialward::cli
