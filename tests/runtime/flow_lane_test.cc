#include "runtime/flow_lane.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace trialward::runtime {
namespace {

// Items are letters, which are members of the group of their case; digits tell them apart:
// "a1 a2 b1 A1".
FlowLane<std::string> lane_of(std::string_view items) {
  FlowLane<std::string> lane;
  for (std::size_t i = 0; i < items.size(); i += 3) {
    const auto letter = static_cast<unsigned char>(items[i]);
    lane.append({.value = std::string(items.substr(i, 2)), .flow = {letter / 32u, letter}});
  }
  return lane;
}

struct Case {
  std::string_view name;
  std::string_view pushed;
  std::string_view takes;  // n: by turn, o: the oldest
  std::string_view expected;
};

class FlowLaneOrder : public testing::TestWithParam<Case> {};

TEST_P(FlowLaneOrder, Is) {
  auto lane = lane_of(GetParam().pushed);
  std::string taken;
  for (const char take : GetParam().takes) {
    ASSERT_FALSE(lane.empty());
    const std::string promised = take == 'n' ? lane.next().value : lane.oldest().value;
    const std::string got = take == 'n' ? lane.take_next().value : lane.take_oldest().value;
    EXPECT_EQ(promised, got);
    taken += (taken.empty() ? "" : " ") + got;
  }
  EXPECT_EQ(taken, GetParam().expected);
  EXPECT_TRUE(lane.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, FlowLaneOrder,
    testing::Values(Case{"one_flow_is_fifo", "a1 a2 a3", "nnn", "a1 a2 a3"},
                    Case{"flows_take_turns", "a1 a2 a3 a4 b1 c1 b2", "nnnnnnn",
                         "a1 b1 c1 a2 b2 a3 a4"},
                    Case{"groups_take_turns_first", "a1 a2 b1 b2 A1 A2 A3", "nnnnnnn",
                         "a1 A1 b1 A2 a2 A3 b2"},
                    Case{"oldest_is_by_arrival", "b1 a1 a2 b2", "oooo", "b1 a1 a2 b2"},
                    Case{"the_oldest_uses_up_its_flows_turn", "a1 a2 b1 b2", "onnn", "a1 b1 a2 b2"},
                    Case{"turns_then_oldest", "a1 a2 a3 b1", "nnoo", "a1 b1 a2 a3"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FlowLane, AFlowThatComesBackStartsAnew) {
  FlowLane<int> lane;
  for (int i = 0; i < 3; ++i) {
    lane.append({.value = i, .flow = 7});
    EXPECT_EQ(lane.take_next().value, i);
    EXPECT_TRUE(lane.empty());
  }
}

TEST(FlowLaneDeathTest, TakingFromNothingStopsTheProcess) {
  FlowLane<int> lane;
  EXPECT_DEATH((void)lane.take_next(), "nodes_.empty");
}

}  // namespace
}  // namespace trialward::runtime
