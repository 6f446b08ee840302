#include "intake/batch_pace.h"

#include <gtest/gtest.h>

namespace trialward::intake {
namespace {

using namespace std::chrono_literals;

TEST(BatchPace, BeforeTheFirstBatchNothingIsKnown) {
  const BatchPace pace(512, 5ms);
  EXPECT_EQ(pace.items_max(), 512u);
  EXPECT_EQ(pace.time_for(1000), 0ms);
}

TEST(BatchPace, ABatchsWorkTakesAboutItsTime) {
  BatchPace pace(512, 5ms);
  pace.observe({.items = 10, .cpu = 500us, .work = 2ms, .rest = 1ms});
  EXPECT_EQ(pace.items_max(), 100u);
  pace.observe({});
  EXPECT_EQ(pace.items_max(), 100u);
}

TEST(BatchPace, OrAsLongAsItsCommit) {
  BatchPace pace(512, 5ms);
  pace.observe({.items = 10, .cpu = 500us, .work = 500us, .rest = 20ms});
  EXPECT_EQ(pace.items_max(), 400u);
  BatchPace slow(512, 5ms);
  slow.observe({.items = 10, .cpu = 500us, .work = 500us, .rest = 1s});
  EXPECT_EQ(slow.items_max(), 512u);
}

TEST(BatchPace, ABatchIsNeverTooSmallToPay) {
  BatchPace pace(512, 5ms);
  pace.observe({.items = 1, .cpu = 1s, .work = 1s, .rest = 1ms});
  EXPECT_EQ(pace.items_max(), 16u);
  BatchPace small(3, 5ms);
  small.observe({.items = 1, .cpu = 1s, .work = 1s, .rest = 1ms});
  EXPECT_EQ(small.items_max(), 3u);
}

TEST(BatchPace, TheTimeOfWhatWaitsIsItsWorkAndItsCommits) {
  BatchPace pace(100, 5ms);
  pace.observe({.items = 10, .cpu = 500us, .work = 1ms, .rest = 50ms});
  EXPECT_EQ(pace.items_max(), 100u);
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(250)).count(), 0.175, 1e-6);
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(1)).count(), 0.0501, 1e-6);
}

// One batch that the machine held up does not turn senders away.
TEST(BatchPace, IsAMean) {
  BatchPace pace(512, 5ms);
  for (int i = 0; i < 100; ++i) pace.observe({.items = 10, .cpu = 1ms, .work = 1ms, .rest = 1ms});
  pace.observe({.items = 10, .cpu = 1ms, .work = 1ms, .rest = 161ms});
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(10)).count(), 0.012, 1e-6);
}

}  // namespace
}  // namespace trialward::intake
