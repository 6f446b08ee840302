#include "intake/batch_pace.h"

#include <gtest/gtest.h>

namespace trialward::intake {
namespace {

using namespace std::chrono_literals;

TEST(BatchPace, BeforeTheFirstBatchNothingIsKnown) {
  const BatchPace pace({.items_max = 512});
  EXPECT_EQ(pace.items_max(), 16u) << "subjects may have to be read";
  EXPECT_EQ(pace.time_for(1000), 0ms);
}

TEST(BatchPace, ABatchsWorkTakesAboutItsTime) {
  BatchPace pace({.items_max = 512, .work_max = 5ms});
  pace.observe({.items = 10, .cpu = 500us, .commit = 1ms, .all = 3ms});
  EXPECT_EQ(pace.items_max(), 100u);
  pace.observe({});
  EXPECT_EQ(pace.items_max(), 100u);
}

TEST(BatchPace, OrAsLongAsItsCommit) {
  BatchPace pace({.items_max = 512});
  pace.observe({.items = 10, .cpu = 500us, .commit = 20ms, .all = 21ms});
  EXPECT_EQ(pace.items_max(), 400u);
  BatchPace slow({.items_max = 512});
  slow.observe({.items = 10, .cpu = 500us, .commit = 1s, .all = 2s});
  EXPECT_EQ(slow.items_max(), 512u);
}

TEST(BatchPace, ABatchWithAnUrgentItemIsSmaller) {
  BatchPace pace({.items_max = 512, .work_max = 5ms});
  pace.observe({.items = 10, .cpu = 500us, .commit = 1ms, .all = 3ms});
  EXPECT_EQ(pace.urgent_items_max(), 20u);
  BatchPace slow({.items_max = 512});
  slow.observe({.items = 10, .cpu = 500us, .commit = 20ms, .all = 21ms});
  EXPECT_EQ(slow.urgent_items_max(), 400u) << "as long as its commit";
}

TEST(BatchPace, ABatchIsNeverTooSmallToPay) {
  BatchPace pace({.items_max = 512});
  pace.observe({.items = 1, .cpu = 1s, .commit = 1ms, .all = 1s});
  EXPECT_EQ(pace.items_max(), 16u);
  BatchPace small({.items_max = 3});
  small.observe({.items = 1, .cpu = 1s, .commit = 1ms, .all = 1s});
  EXPECT_EQ(small.items_max(), 3u);
}

TEST(BatchPace, TheTimeOfWhatWaitsIsItsWorkAndItsCommits) {
  BatchPace pace({.items_max = 100});
  pace.observe({.items = 10, .cpu = 500us, .commit = 50ms, .all = 51ms});
  EXPECT_EQ(pace.items_max(), 100u);
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(250)).count(), 0.175, 1e-6);
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(1)).count(), 0.0501, 1e-6);
}

// One batch that the machine held up does not turn senders away.
TEST(BatchPace, IsAMean) {
  BatchPace pace({.items_max = 512});
  for (int i = 0; i < 100; ++i) pace.observe({.items = 10, .cpu = 1ms, .commit = 1ms, .all = 2ms});
  pace.observe({.items = 10, .cpu = 1ms, .commit = 161ms, .all = 162ms});
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(10)).count(), 0.012, 1e-6);
}

}  // namespace
}  // namespace trialward::intake
