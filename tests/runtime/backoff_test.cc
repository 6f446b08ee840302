#include "runtime/backoff.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <vector>

namespace trialward::runtime {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesToItsBoundWithinTheUpperHalf) {
  base::SeededRandom random(1);
  Backoff backoff({.initial = milliseconds(100), .max = milliseconds(500)}, random);
  for (const int step_ms : {100, 200, 400, 500, 500}) {
    const base::Duration pause = backoff.next();
    EXPECT_GE(pause, milliseconds(step_ms) / 2) << step_ms;
    EXPECT_LE(pause, milliseconds(step_ms)) << step_ms;
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(100));
}

TEST(Backoff, JitterSpreadsAndReplays) {
  const auto draw = [](std::uint64_t seed) {
    base::SeededRandom random(seed);
    Backoff backoff({.initial = milliseconds(100), .max = milliseconds(100)}, random);
    std::vector<base::Duration> pauses;
    for (int i = 0; i < 20; ++i) pauses.push_back(backoff.next());
    return pauses;
  };
  const std::vector<base::Duration> pauses = draw(7);
  EXPECT_EQ(pauses, draw(7));
  EXPECT_GT(std::set(pauses.begin(), pauses.end()).size(), 10u);
}

TEST(BackoffDeathTest, ChecksThatItsBoundsAreInOrder) {
  base::SeededRandom random(1);
  EXPECT_DEATH(Backoff({.initial = milliseconds(2), .max = milliseconds(1)}, random), "initial");
}

}  // namespace
}  // namespace trialward::runtime
