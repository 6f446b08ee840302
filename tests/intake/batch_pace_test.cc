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

// A database's server takes 2 ms for a batch, and 16 us for each item of it.
base::Duration of_server(std::size_t items) {
  return 2ms + static_cast<base::Duration::rep>(items) * base::Duration(16us);
}

TEST(BatchPace, WhatAServerTakesIsFittedToWholeBatches) {
  BatchPace pace({.items_max = 1024, .work_max = 7ms, .fitted = true});
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::size_t items = 1 + i * 37 % 500;
    pace.observe({.items = items, .cpu = 1us, .commit = 1s, .all = of_server(items)});
  }
  EXPECT_NEAR(static_cast<double>(pace.items_max()), 437, 5);
  EXPECT_NEAR(static_cast<double>(pace.urgent_items_max()), 75, 5) << "0.6 of the 2 ms";
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(100)).count(), 0.0036, 1e-5);
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(100, true)).count(), 0.0056, 1e-5)
      << "in two batches";
}

TEST(BatchPace, ASlowServerIsFoundOutAtOnce) {
  BatchPace pace({.items_max = 1024, .fitted = true});
  for (std::size_t i = 1; i <= 4; ++i) pace.observe({.items = 16 * i, .all = i * 320ms});
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(40)).count(), 0.8, 0.3);
}

TEST(BatchPace, BatchesOfOneSizeAreFitted) {
  BatchPace pace({.items_max = 1024, .fitted = true});
  pace.observe({.items = 1, .all = of_server(1)});
  for (int i = 0; i < 200; ++i) pace.observe({.items = 300, .all = of_server(300)});
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(300)).count(), 0.0068, 1e-4);
}

// Nor do few at a time keep it from finding out that many would take no longer.
TEST(BatchPace, WhatTookLongOnceIsForgotten) {
  BatchPace pace({.items_max = 1024, .work_max = 7ms, .fitted = true});
  for (std::size_t i = 0; i < 500; ++i) {
    const std::size_t items = 1 + i % 16;
    pace.observe({.items = items, .all = static_cast<base::Duration::rep>(items) * 5ms});
  }
  ASSERT_LT(pace.items_max(), 250U);
  for (int i = 0; i < 200; ++i) {
    pace.observe({.items = pace.items_max(), .all = of_server(pace.items_max())});
  }
  EXPECT_GT(pace.items_max(), 400U);
}

TEST(BatchPace, ABatchThatTheServerHeldUpCountsFourTimesAtMost) {
  BatchPace pace({.items_max = 1024, .fitted = true});
  for (int i = 0; i < 200; ++i) pace.observe({.items = 300, .all = of_server(300)});
  pace.observe({.items = 300, .all = 60s});
  EXPECT_NEAR(std::chrono::duration<double>(pace.time_for(300)).count(), 0.0068 * 19 / 16, 1e-4);
}

}  // namespace
}  // namespace trialward::intake
