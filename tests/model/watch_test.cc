#include "model/watch.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

TEST(Watch, SeveritiesHaveNames) {
  EXPECT_EQ(to_string(AlertSeverity::info), "info");
  EXPECT_EQ(to_string(AlertSeverity::warning), "warning");
  EXPECT_EQ(to_string(AlertSeverity::critical), "critical");
}

}  // namespace
}  // namespace trialward::model
