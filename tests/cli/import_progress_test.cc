#include "cli/import_progress.h"

#include <gtest/gtest.h>

namespace trialward::cli {
namespace {

using namespace std::chrono_literals;

TEST(ProgressLine, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line(0.5, 1'234'567, 10s),
            "[###############...............] 50 %  1,234,567 rows  123,456/s  0:10 left");
  EXPECT_EQ(progress_line(0.25, 999, 60s),
            "[#######.......................] 25 %  999 rows  16/s  3:00 left");
}

TEST(ProgressLine, SaysNothingThatItDoesNotKnow) {
  EXPECT_EQ(progress_line(0, 0, 0s), "[..............................] 0 %  0 rows");
  EXPECT_EQ(progress_line(7, 10, 1s),
            "[##############################] 100 %  10 rows  10/s  0:00 left");
}

}  // namespace
}  // namespace trialward::cli
