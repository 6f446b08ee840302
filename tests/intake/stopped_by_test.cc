// Here, because store/ knows no runtime::Cancel.
#include "store/stopped_by.h"

#include <gtest/gtest.h>

#include "runtime/cancel.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using StoppedByTest = StoreBench;

TEST_F(StoppedByTest, P5WhatIsStoppedBetweenTwoStatementsBeginsNoMore) {
  auto reader = store_->open_reader();
  ASSERT_TRUE(reader.ok()) << why(reader);
  const auto ask = [&] { return (*reader)->integer("SELECT 7"); };
  const runtime::Cancel cancel;
  {
    const StoppedBy stopping(cancel, **reader);
    EXPECT_EQ(ask().value(), 7);
    cancel.fire(runtime::CancelReason::requested);
    EXPECT_EQ(ask().error().code, base::Errc::cancelled);
    EXPECT_EQ(ask().error().code, base::Errc::cancelled);
  }
  EXPECT_EQ(ask().value(), 7);
  {
    const StoppedBy stopping(cancel, **reader);  // it was before it began
    EXPECT_EQ(ask().error().code, base::Errc::cancelled);
  }
  EXPECT_EQ(ask().value(), 7);
}

}  // namespace
}  // namespace trialward::store
