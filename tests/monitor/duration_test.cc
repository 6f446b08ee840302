#include "monitor/duration.h"

#include <gtest/gtest.h>

namespace trialward::monitor {
namespace {

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("1 s"), 1000);
  EXPECT_EQ(parse_duration("10 min"), 600'000);
  EXPECT_EQ(parse_duration("2 h"), 7'200'000);
  EXPECT_EQ(parse_duration("3660 d"), std::int64_t{3660} * 86'400'000);
  EXPECT_EQ(parse_duration("1 wk"), 604'800'000);
  for (const char* wrong : {"", "s", "1", "1s", "1  s", "0 s", "-1 s", "1.5 h", "1 month", "1 s ",
                            "3661 d", "99999999999999999999 s"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace trialward::monitor
