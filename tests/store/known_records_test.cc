#include "store/known_records.h"

#include <gtest/gtest.h>

namespace trialward::store {
namespace {

TEST(KnownRecords, WhatAPartAddedIsForgottenWithIt) {
  const RecordKey before{1, "lab", "1"}, within{1, "lab", "2"}, other{2, "lab", "1"};
  KnownRecords known;
  known.presume_new({before, within});
  known.begin_part();
  known.add(before, {.id = 7});
  known.begin_part();
  known.add(within, {.id = 8});
  known.add(other, {.id = 9});  // was not asked after
  EXPECT_FALSE(known.presumed_new(within));
  known.rolled_back_part();
  EXPECT_TRUE(known.presumed_new(within));
  EXPECT_FALSE(known.presumed_new(before));
  EXPECT_FALSE(known.presumed_new(other));
  known.forget();
  EXPECT_FALSE(known.presumed_new(within));
}

}  // namespace
}  // namespace trialward::store
