#include "runtime/cancel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/runtime/yield.h"

namespace trialward::runtime {
namespace {

TEST(Cancel, TheFirstReasonStays) {
  const Cancel cancel;
  EXPECT_FALSE(cancel.fired());
  EXPECT_EQ(cancel.reason(), CancelReason::none);
  cancel.fire(CancelReason::disconnected);
  cancel.fire(CancelReason::shutdown);
  EXPECT_TRUE(cancel.fired());
  EXPECT_EQ(cancel.reason(), CancelReason::disconnected);
}

TEST(Cancel, NamesEveryReason) {
  EXPECT_EQ(to_string(CancelReason::none), "none");
  EXPECT_EQ(to_string(CancelReason::deadline), "deadline");
  EXPECT_EQ(to_string(CancelReason::disconnected), "disconnected");
  EXPECT_EQ(to_string(CancelReason::requested), "requested");
  EXPECT_EQ(to_string(CancelReason::shutdown), "shutdown");
  EXPECT_EQ(to_string(CancelReason::sibling_failed), "sibling_failed");
}

TEST(Cancel, CallbacksRunOnceInOrderWithTheReason) {
  const Cancel cancel;
  std::vector<std::pair<int, CancelReason>> ran;
  const auto one = cancel.on_fire([&](CancelReason reason) { ran.emplace_back(1, reason); });
  const auto two = cancel.on_fire([&](CancelReason reason) { ran.emplace_back(2, reason); });
  cancel.fire(CancelReason::deadline);
  cancel.fire(CancelReason::deadline);
  const std::vector<std::pair<int, CancelReason>> expected = {{1, CancelReason::deadline},
                                                              {2, CancelReason::deadline}};
  EXPECT_EQ(ran, expected);
}

TEST(Cancel, AFiredTokenCallsBackAtOnce) {
  const Cancel cancel;
  cancel.fire(CancelReason::requested);
  CancelReason seen = CancelReason::none;
  const auto registration = cancel.on_fire([&](CancelReason reason) { seen = reason; });
  EXPECT_EQ(seen, CancelReason::requested);
}

TEST(Cancel, ATakenBackCallbackDoesNotRun) {
  const Cancel cancel;
  int ran = 0;
  {
    const auto gone = cancel.on_fire([&](CancelReason) { ++ran; });
  }
  auto moved_from = cancel.on_fire([&](CancelReason) { ran += 10; });
  auto moved_to = std::move(moved_from);
  moved_from.reset();
  cancel.fire(CancelReason::requested);
  EXPECT_EQ(ran, 10);
}

TEST(Cancel, AChildFiresWithItsParentAndNotTheOtherWayRound) {
  const Cancel parent;
  const Cancel child = parent.child();
  const Cancel other = parent.child();
  const Cancel grandchild = other.child();
  child.fire(CancelReason::deadline);
  EXPECT_FALSE(parent.fired());
  EXPECT_FALSE(other.fired());
  parent.fire(CancelReason::shutdown);
  EXPECT_EQ(child.reason(), CancelReason::deadline);
  EXPECT_EQ(grandchild.reason(), CancelReason::shutdown);
  EXPECT_EQ(parent.child().reason(), CancelReason::shutdown);
}

TEST(Cancel, ACallbackMayDestroyItsOwnRegistrationAndToken) {
  auto cancel = std::make_unique<Cancel>();
  std::optional<Cancel::Registration> registration;
  bool after_ran = false;
  registration = cancel->on_fire([&](CancelReason) {
    registration.reset();
    cancel.reset();
  });
  const auto after = cancel->on_fire([&](CancelReason) { after_ran = true; });
  cancel->fire(CancelReason::requested);
  EXPECT_TRUE(after_ran);
}

TEST(Cancel, TakingBackWaitsForARunningCallback) {
  const Cancel cancel;
  std::latch running(1);
  std::atomic<bool> ended = false;
  auto registration = cancel.on_fire([&](CancelReason) {
    running.count_down();
    yield_often();
    ended = true;
  });
  std::jthread firing([&] { cancel.fire(CancelReason::requested); });
  running.wait();
  registration.reset();
  EXPECT_TRUE(ended);
}

TEST(Cancel, AWaitEndsWhenItFires) {
  const base::SystemClock clock;
  const Cancel cancel;
  std::jthread firing([&] { cancel.fire(CancelReason::requested); });
  EXPECT_TRUE(cancel.wait_until(clock, base::TimePoint::max()));
}

TEST(Cancel, AWaitEndsWhenTheTimeIsOver) {
  const base::FakeClock clock;
  EXPECT_FALSE(Cancel().wait_until(clock, clock.now()));
}

// For the thread sanitizer: whoever wins, a callback never runs after its registration is gone.
TEST(Cancel, RacingFireAndTakeBackNeverTouchesTheDead) {
  for (int round = 0; round < 300; ++round) {
    const Cancel parent;
    const Cancel child = parent.child();
    std::latch start(3);
    std::jthread fire_parent([&] {
      start.arrive_and_wait();
      parent.fire(CancelReason::shutdown);
    });
    std::jthread fire_child([&] {
      start.arrive_and_wait();
      child.fire(CancelReason::deadline);
    });
    auto alive = std::make_unique<int>(0);
    auto registration = child.on_fire([&](CancelReason) { ++*alive; });
    start.arrive_and_wait();
    registration.reset();
    ASSERT_LE(*alive, 1);
    alive.reset();
  }
}

}  // namespace
}  // namespace trialward::runtime
