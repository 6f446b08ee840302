#include "runtime/lane_book.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::runtime {
namespace {

LaneBook book_of(std::vector<LaneOptions> lanes) {
  return LaneBook({.lanes = std::move(lanes), .aging = std::chrono::seconds(1)});
}

struct ReserveCase {
  std::string_view name;
  std::vector<std::size_t> sizes;  // reserved one after the other; all but the last fit in
  std::optional<Refusal> last;
};

class LaneBookReserve : public testing::TestWithParam<ReserveCase> {};

// The lane holds 3 items and 100 bytes.
TEST_P(LaneBookReserve, AnswersTheLast) {
  LaneBook book = book_of({{"live", 3, 100, 1}});
  const std::vector<std::size_t>& sizes = GetParam().sizes;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    ASSERT_EQ(book.reserve({0, sizes[i]}, {}, false), std::nullopt);
  }
  EXPECT_EQ(book.reserve({0, sizes.back()}, {}, false), GetParam().last);
  std::uint64_t refused = 0;
  for (const std::uint64_t count : book.stats(0, {}).counts.refused) refused += count;
  EXPECT_EQ(refused, GetParam().last ? 1u : 0u);
}

constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();

INSTANTIATE_TEST_SUITE_P(
    All, LaneBookReserve,
    testing::Values(ReserveCase{"exactly_full_in_items", {1, 1, 1}, std::nullopt},
                    ReserveCase{"one_item_too_many", {1, 1, 1, 1}, Refusal::items_full},
                    ReserveCase{"an_empty_item_counts", {0, 0, 0, 0}, Refusal::items_full},
                    ReserveCase{"exactly_full_in_bytes", {60, 40}, std::nullopt},
                    ReserveCase{"one_byte_too_many", {60, 41}, Refusal::bytes_full},
                    ReserveCase{"larger_than_the_lane", {101}, Refusal::bytes_full},
                    ReserveCase{"a_size_that_would_overflow", {1, kHuge}, Refusal::bytes_full}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(LaneBook, AClosedQueueRefusesBeforeItLooksAtLimits) {
  LaneBook book = book_of({{"live", 0, 0, 1}});
  EXPECT_EQ(book.reserve({0, 1}, {}, true), Refusal::closed);
  EXPECT_EQ(book.reserve({0, 1}, {}, false), Refusal::items_full);
  EXPECT_EQ(to_string(Refusal::items_full), "items_full");
  EXPECT_EQ(to_string(Refusal::bytes_full), "bytes_full");
  EXPECT_EQ(to_string(Refusal::share_full), "share_full");
  EXPECT_EQ(to_string(Refusal::too_slow), "too_slow");
  EXPECT_EQ(to_string(Refusal::closed), "closed");
}

TEST(LaneBook, APlaceChangesItsSizeWithoutCountingItselfTwice) {
  LaneBook book = book_of({{"live", 1, 100, 1}});
  ASSERT_EQ(book.reserve({0, 90}, {}, false), std::nullopt);
  EXPECT_EQ(book.change({0, 90}, {0, 100}, {}), std::nullopt);
  EXPECT_EQ(book.change({0, 100}, {0, 101}, {}), Refusal::bytes_full);
  EXPECT_EQ(book.stats(0, {}).counts.bytes, 100u);
  EXPECT_EQ(book.stats(0, {}).counts.tickets, 1u);
}

TEST(LaneBook, APlaceThatCannotMoveStays) {
  LaneBook book = book_of({{"safety", 1, 100, 1}, {"live", 2, 100, 1}});
  ASSERT_EQ(book.reserve({0, 10}, {}, false), std::nullopt);
  ASSERT_EQ(book.reserve({1, 20}, {}, false), std::nullopt);
  EXPECT_EQ(book.change({1, 20}, {0, 20}, {}), Refusal::items_full);
  EXPECT_EQ(book.stats(1, {}).counts.bytes, 20u);
  EXPECT_EQ(book.stats(0, {}).counts.refused[0], 0u);
  book.release({0, 10}, {});
  EXPECT_EQ(book.change({1, 20}, {0, 25}, {}), std::nullopt);
  EXPECT_EQ(book.stats(0, {}).counts.bytes, 25u);
  EXPECT_EQ(book.stats(1, {}).counts.bytes, 0u);
  EXPECT_EQ(book.tickets(), 1u);
}

TEST(LaneBook, EachRoundGivesEveryLaneItsWeightTheFirstLaneFirst) {
  LaneBook book = book_of({{"safety", 100, 0, 3}, {"live", 100, 0, 2}, {"bulk", 100, 0, 1}});
  for (std::size_t lane = 0; lane < 3; ++lane) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(book.reserve({lane, 0}, {}, false), std::nullopt);
      book.pushed(lane);
    }
  }
  std::string order;
  for (int turn = 0; turn < 12; ++turn) {
    const std::size_t lane = book.next_lane();
    order += "slb"[lane];
    book.take_turn(lane);
    book.popped({lane, 0}, {});
  }
  EXPECT_EQ(order, "sssllbsssllb");
  // 14, 16 and 18 wait.
  EXPECT_EQ(book.items_before(0), 14u + 5 * 2 + 5 * 1);
  EXPECT_EQ(book.items_before(1), 16u + 14 + 9 * 1);
  EXPECT_EQ(book.items_before(2), 18u + 14 + 16);
}

// With a share of 2 a flow alone gets two thirds, two get two fifths each, and so on.
TEST(LaneBook, P4AFlowLeavesRoomForOthers) {
  LaneBook book = book_of({{.name = "live", .items_max = 30, .bytes_max = 1000, .share = 2}});
  const auto fill = [&](const Flow& flow) {
    int held = 0;
    while (!book.reserve({0, 1}, flow, false)) ++held;
    EXPECT_EQ(book.reserve({0, 1}, flow, false), Refusal::share_full);
    return held;
  };
  EXPECT_EQ(fill({1, 1}), 20);
  EXPECT_EQ(fill({1, 2}), 6);
  EXPECT_EQ(fill({2, 1}), 2);
  EXPECT_EQ(book.reserve({0, 1}, {3, 1}, false), std::nullopt);
  // What was given back counts at once.
  book.pushed(0);
  book.popped({0, 1}, {1, 2});
  book.release({0, 1}, {1, 2});
  book.release({0, 1}, {1, 2});
  EXPECT_EQ(book.reserve({0, 1}, {1, 2}, false), std::nullopt);
}

TEST(LaneBook, AFlowsShareIsOfTheBytesToo) {
  LaneBook book = book_of({{.name = "live", .items_max = 30, .bytes_max = 300, .share = 2}});
  EXPECT_EQ(book.reserve({0, 201}, 1, false), Refusal::share_full);
  EXPECT_EQ(book.reserve({0, 200}, 1, false), std::nullopt);
  EXPECT_EQ(book.reserve({0, 1}, 1, false), Refusal::share_full);
  EXPECT_EQ(book.change({0, 200}, {0, 201}, 1), Refusal::share_full);
  EXPECT_EQ(book.change({0, 200}, {0, 199}, 1), std::nullopt);
  EXPECT_EQ(book.reserve({0, 50}, 2, false), std::nullopt);
  book.release({0, 199}, 1);
  EXPECT_EQ(book.reserve({0, 150}, 1, false), std::nullopt);
}

TEST(LaneBookDeathTest, ChecksItsOptions) {
  EXPECT_DEATH(book_of({}), "lanes.empty");
  EXPECT_DEATH(book_of({{"live", 1, 1, 0}}), "weight");
  EXPECT_DEATH(LaneBook({.lanes = {{"live", 1, 1, 1}}, .aging = {}}), "aging");
}

}  // namespace
}  // namespace trialward::runtime
