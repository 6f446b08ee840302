#include "reports/date.h"

#include <gtest/gtest.h>

namespace trialward::reports {
namespace {

TEST(Date, KeepsWhatIsGiven) {
  for (const char* text : {"2014-01-16", "2014-01", "2014", ""}) {
    EXPECT_EQ(to_string(parse_date(text)), text);
  }
  EXPECT_EQ(to_string(parse_date("2014-01-16T14:45")), "2014-01-16");
  EXPECT_EQ(to_string(parse_date("2014-13-16")), "2014");
  EXPECT_EQ(to_string(parse_date("2014-01-40")), "2014-01");
  EXPECT_EQ(to_string(parse_date("UNK")), "");
}

TEST(Date, IsComparedAtThePrecisionOfBoth) {
  const struct {
    const char *a, *b;
    int order;
  } cases[] = {{"2014-01-16", "2014-01-17", -1}, {"2014-01-16", "2014-01-16", 0},
               {"2014-02-01", "2014-01-31", 1},  {"2014-01", "2014-01-16", 0},
               {"2014", "2014-12-31", 0},        {"2013", "2014-01-01", -1},
               {"2014-02", "2014-01-31", 1}};
  for (const auto& [a, b, order] : cases) {
    EXPECT_EQ(order_at_common(parse_date(a), parse_date(b)), order) << a << " " << b;
    EXPECT_EQ(order_at_common(parse_date(b), parse_date(a)), -order) << a << " " << b;
  }
}

TEST(Date, NumbersWholeDays) {
  EXPECT_EQ(day_number(parse_date("1970-01-02")), 1);
  EXPECT_EQ(day_number(parse_date("2024-03-01")), 19783);
  EXPECT_FALSE(day_number(parse_date("2024-03")));
  EXPECT_FALSE(day_number(parse_date("2023-02-30")));
}

}  // namespace
}  // namespace trialward::reports
