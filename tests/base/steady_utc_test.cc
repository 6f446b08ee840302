#include "base/steady_utc.h"

#include <gtest/gtest.h>

namespace trialward::base {
namespace {

using namespace std::chrono_literals;

TEST(SteadyUtc, FollowsTheClockWhileThatGoesOn) {
  FakeClock clock(1'000'000);
  SteadyUtc utc(clock);
  EXPECT_EQ(utc.now_ms(), 1'000'000);
  clock.advance(90min);
  EXPECT_EQ(utc.now_ms(), 1'000'000 + 90 * 60'000);
}

TEST(SteadyUtc, DoesNotJumpEitherWay) {
  for (const auto jump : {60min, -60min}) {
    FakeClock clock(100'000'000);
    SteadyUtc utc(clock);
    clock.jump_wall(jump);
    EXPECT_EQ(utc.now_ms(), 100'000'000);
    clock.advance(10min);
    EXPECT_EQ(utc.now_ms(), 100'000'000 + 600'000);
    clock.jump_wall(-2 * jump);
    EXPECT_EQ(utc.now_ms(), 100'000'000 + 600'000);
    clock.jump_wall(jump);
    clock.advance(1s);
    EXPECT_EQ(utc.now_ms(), clock.utc_ms());
  }
}

TEST(SteadyUtc, FollowsWhatDriftsAlsoBesideAJump) {
  FakeClock clock(100'000'000);
  SteadyUtc utc(clock);
  clock.jump_wall(60min);
  EXPECT_EQ(utc.now_ms(), 100'000'000);
  for (int i = 0; i < 100; ++i) {
    clock.jump_wall(SteadyUtc::kDriftMax);
    EXPECT_EQ(utc.now_ms(), 100'000'000 + (i + 1) * SteadyUtc::kDriftMax.count());
  }
  clock.jump_wall(SteadyUtc::kDriftMax + 1ms);
  EXPECT_EQ(utc.now_ms(), 100'000'000 + 100 * SteadyUtc::kDriftMax.count());
}

TEST(SteadyUtc, BelievesAJumpThatLasts) {
  FakeClock clock(100'000'000);
  SteadyUtc utc(clock);
  clock.jump_wall(60min);
  (void)utc.now_ms();
  clock.advance(SteadyUtc::kBelievedAfter - 1ms);
  EXPECT_EQ(utc.now_ms(), clock.utc_ms() - 3'600'000);
  clock.advance(1ms);
  EXPECT_EQ(utc.now_ms(), clock.utc_ms());
  clock.advance(1h);
  EXPECT_EQ(utc.now_ms(), clock.utc_ms());
}

}  // namespace
}  // namespace trialward::base
