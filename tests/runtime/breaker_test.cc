#include "runtime/breaker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace trialward::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BreakerOptions breaker_options() {
  return {.window = 4,
          .calls_min = 4,
          .failures_max = 0.5,
          .hang_after = seconds(10),
          .probes_max = 1,
          .probes_needed = 2,
          .pause = {seconds(2), seconds(8)}};
}

class BreakerTest : public ::testing::Test {
 protected:
  // One call at once, with the outcome '+' or '-'; 'x' when it was refused.
  char call(char outcome) {
    auto admitted = breaker_.admit();
    if (!admitted) return 'x';
    outcome == '+' ? admitted->succeeded() : admitted->failed();
    return outcome;
  }
  std::string calls(std::string_view outcomes) {
    std::string made;
    for (const char outcome : outcomes) made += call(outcome);
    return made;
  }
  BreakerState state() { return breaker_.stats().state; }

  base::FakeClock clock_;
  base::SeededRandom random_{7};
  Breaker breaker_{breaker_options(), clock_, random_};
};

TEST_F(BreakerTest, ItOpensAtTheShareOfFailuresThatIsStated) {
  struct Case {
    const char *outcomes, *made;
    BreakerState state;
  };
  const Case cases[] = {
      {"++++++++", "++++++++", BreakerState::closed},
      {"-", "-", BreakerState::closed},
      {"---", "---", BreakerState::closed},  // fewer than it judges by
      {"----+", "----x", BreakerState::open},
      {"+-+-+", "+-+-x", BreakerState::open},
      {"-+++-+++-+++", "-+++-+++-+++", BreakerState::closed},
      {"++++++++--+", "++++++++--x", BreakerState::open},  // old successes do not hide them
  };
  for (const Case& one : cases) {
    Breaker breaker(breaker_options(), clock_, random_);
    std::string made;
    for (const char* outcome = one.outcomes; *outcome != '\0'; ++outcome) {
      auto admitted = breaker.admit();
      made += admitted.ok() ? *outcome : 'x';
      if (admitted) *outcome == '+' ? admitted->succeeded() : admitted->failed();
    }
    EXPECT_EQ(made, one.made) << one.outcomes;
    EXPECT_EQ(breaker.stats().state, one.state) << one.outcomes;
  }
}

// The known fault: a breaker that only counts what comes back is blind to a remote that accepts
// every call and answers none.
TEST_F(BreakerTest, CallsThatNeverFinishOpenIt) {
  std::vector<Breaker::Call> hanging;
  for (int i = 0; i < 4; ++i) {
    auto admitted = breaker_.admit();
    ASSERT_TRUE(admitted.ok());
    hanging.push_back(std::move(*admitted));
  }
  clock_.advance(milliseconds(9'999));
  EXPECT_EQ(state(), BreakerState::closed);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_FALSE(breaker_.admit().ok());
  const BreakerStats stats = breaker_.stats();
  EXPECT_EQ(stats.in_flight, 4u);
  EXPECT_EQ(stats.hanging, 4u);
  EXPECT_EQ(stats.hung, 4u);
  // They end at last: counted once, and too late to say anything.
  for (Breaker::Call& call : hanging) call.succeeded();
  EXPECT_EQ(breaker_.stats().in_flight, 0u);
  EXPECT_EQ(breaker_.stats().succeeded, 0u);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(BreakerTest, AfterThePauseProbesCloseIt) {
  calls("----");
  const auto refused = breaker_.admit();
  ASSERT_FALSE(refused.ok());
  const base::Duration pause = refused.error() - clock_.now();
  EXPECT_GE(pause, seconds(1));  // jitter: the upper half of 2 s
  EXPECT_LE(pause, seconds(2));
  clock_.advance(seconds(2));
  auto probe = breaker_.admit();
  ASSERT_TRUE(probe.ok());
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_FALSE(breaker_.admit().ok()) << "one probe at a time";
  probe->succeeded();
  EXPECT_EQ(state(), BreakerState::half_open) << "one success is not enough";
  EXPECT_EQ(call('+'), '+');
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(BreakerTest, AProbeThatFailsOrHangsOpensItForLonger) {
  calls("----");
  base::Duration before{};
  for (int i = 0; i < 6; ++i) {
    clock_.advance(seconds(8));
    auto probe = breaker_.admit();
    ASSERT_TRUE(probe.ok()) << i;
    if (i % 2 == 0) {
      probe->failed();
    } else {
      clock_.advance(seconds(10));
    }
    const auto refused = breaker_.admit();
    ASSERT_FALSE(refused.ok()) << i;
    const base::Duration pause = refused.error() - clock_.now();
    EXPECT_TRUE(i >= 2 || pause > before) << i;
    EXPECT_LE(pause, seconds(8)) << i;
    before = pause;
  }
  EXPECT_EQ(breaker_.stats().opened, 7u);
}

TEST_F(BreakerTest, AProbeThatHangsDoesNotKeepTheNextOneOut) {
  calls("----");
  clock_.advance(seconds(2));
  auto stuck = breaker_.admit();
  ASSERT_TRUE(stuck.ok());
  clock_.advance(seconds(10));
  EXPECT_EQ(state(), BreakerState::open);
  clock_.advance(seconds(4));
  EXPECT_EQ(calls("++"), "++");
  EXPECT_EQ(state(), BreakerState::closed);
  stuck->failed();
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(BreakerTest, WhatBeganBeforeItOpenedSaysNothingAboutTheProbes) {
  auto old = breaker_.admit();
  calls("----");
  clock_.advance(seconds(2));
  auto probe = breaker_.admit();
  ASSERT_TRUE(probe.ok());
  old->failed();
  EXPECT_EQ(state(), BreakerState::half_open);
  probe->succeeded();
}

TEST_F(BreakerTest, ACallThatWeEndOurselvesCountsForNothing) {
  for (int i = 0; i < 8; ++i) breaker_.admit()->abandoned();
  EXPECT_EQ(state(), BreakerState::closed);
  calls("----");
  clock_.advance(seconds(2));
  breaker_.admit()->abandoned();
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_EQ(calls("++"), "++");
}

TEST_F(BreakerTest, ACallThatIsForgottenHasFailed) {
  for (int i = 0; i < 4; ++i) (void)breaker_.admit();
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker_.stats().failed, 4u);
}

TEST_F(BreakerTest, ThreadsMayShareIt) {
  const base::SystemClock clock;
  BreakerOptions patient = breaker_options();
  patient.failures_max = 1;
  Breaker breaker(patient, clock, random_);
  std::atomic<std::uint64_t> admitted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        auto one = breaker.admit();
        if (!one) continue;
        ++admitted;
        j % 2 == 0 ? one->succeeded() : one->failed();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const BreakerStats stats = breaker.stats();
  EXPECT_EQ(stats.succeeded + stats.failed, admitted.load());
  EXPECT_EQ(stats.in_flight, 0u);
}

}  // namespace
}  // namespace trialward::runtime
