#include "runtime/memory_ladder.h"

#include <gtest/gtest.h>

#include <vector>

namespace trialward::runtime {
namespace {

TEST(MemoryLadder, ClimbsAtItsLimitsAndComesDownALittleLower) {
  using enum MemoryStep;
  MemoryLadder ladder({.bytes_max = 1000, .tight_percent = 75, .scarce_percent = 90});
  struct Step {
    std::size_t bytes;
    MemoryStep expected;
  };
  for (const auto& [bytes, expected] : std::vector<Step>{{749, calm},
                                                         {750, tight},
                                                         {710, tight},
                                                         {699, calm},
                                                         {2000, scarce},
                                                         {860, scarce},
                                                         {849, tight},
                                                         {900, scarce},
                                                         {0, calm}}) {
    ladder.observe(bytes);
    EXPECT_EQ(ladder.step(), expected) << bytes;
  }
}

TEST(MemoryLadder, TheProcessUsesSomeMemory) {
  EXPECT_GT(resident_bytes(), 1u << 20);
  EXPECT_LT(resident_bytes(), std::size_t{1} << 40);
}

TEST(MemoryLadderDeathTest, ChecksItsLimits) {
  EXPECT_DEATH(MemoryLadder({.bytes_max = 0}), "bytes_max");
  EXPECT_DEATH(MemoryLadder({.tight_percent = 95}), "tight_percent");
}

}  // namespace
}  // namespace trialward::runtime
