#include "base/clock.h"

#include <gtest/gtest.h>

namespace trialward::base {
namespace {

using std::chrono::milliseconds;

TEST(FakeClock, StandsStillUntilToldToMove) {
  FakeClock clock(5'000);
  const TimePoint start = clock.now();
  EXPECT_EQ(clock.now(), start);
  EXPECT_EQ(clock.utc_ms(), 5'000);
  clock.advance(milliseconds(250));
  EXPECT_EQ(clock.now() - start, milliseconds(250));
  EXPECT_EQ(clock.utc_ms(), 5'250);
}

TEST(FakeClock, AJumpOfTheWallLeavesDurationsAlone) {
  FakeClock clock(5'000);
  const TimePoint start = clock.now();
  clock.jump_wall(milliseconds(-3'000));
  EXPECT_EQ(clock.utc_ms(), 2'000);
  EXPECT_EQ(clock.now(), start);
}

// A time point of zero would be taken for "not set" by code that keeps one in an integer.
TEST(FakeClock, DoesNotStartAtZero) { EXPECT_GT(FakeClock().now(), TimePoint()); }

TEST(SystemClock, NeverGoesBackAndKnowsTheCentury) {
  const SystemClock clock;
  const TimePoint first = clock.now();
  EXPECT_LE(first, clock.now());
  EXPECT_GT(clock.utc_ms(), 1'577'836'800'000) << "before 2020";
  EXPECT_LT(clock.utc_ms(), 4'102'444'800'000) << "after 2100";
}

}  // namespace
}  // namespace trialward::base
