#include "monitor/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "base/heap_bytes.h"

namespace trialward::monitor {
namespace {

Point point_at(std::int64_t at_ms, bool marked = false) {
  Point point;
  point.at_ms = at_ms;
  point.name = "p";
  point.record = at_ms + 1;
  point.marked = marked;
  point.number = static_cast<double>(at_ms);
  return point;
}

std::vector<std::int64_t> instants(const Series& series) {
  std::vector<std::int64_t> all;
  for (const Point& point : series.points()) all.push_back(point.at_ms);
  return all;
}

TEST(Series, OrdersByInstantThenSourceThenSourceId) {
  const auto named = [](std::int64_t at_ms, const char* source, const char* source_id) {
    Point point = point_at(at_ms);
    point.name = std::string(source) + '\0' + source_id;
    return point;
  };
  const std::vector<Point> ordered = {named(1, "z", "z"), named(2, "a", "2"), named(2, "a", "3"),
                                      named(2, "a-", "1"), named(2, "b", "1")};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      EXPECT_EQ(ordered[i] < ordered[j], i < j) << i << " and " << j;
    }
  }
}

TEST(Series, WhatWasTakenBackLeavesNoTrace) {
  std::mt19937 random(11);
  Series series;
  const auto state = [&] {
    std::vector<std::pair<std::int64_t, bool>> all;
    for (const Point& point : series.points()) all.emplace_back(point.at_ms, point.marked);
    return std::pair(series.seen(), all);
  };
  for (int i = 0; i < 700; ++i) {
    const Point point = point_at(static_cast<std::int64_t>(random() % 100'000),
                                 random() % 10 == 0);
    if (series.has(point)) continue;
    const auto before = state();
    auto forgotten = series.insert(point);
    EXPECT_NE(state(), before);
    series.take_back(point.record, std::move(forgotten));
    ASSERT_EQ(state(), before) << i;
    series.insert(point);
  }
  EXPECT_GT(series.seen(), 600u);
}

// What a series says that it takes of memory, beside what its points say.
TEST(Series, CountsTheBytesThatItTakes) {
  std::mt19937 random(5);
  Series series;
  EXPECT_EQ(series.bytes(), 0u);
  std::size_t forgotten_ever = 0;
  for (int i = 0; i < 600; ++i) {
    Point point = point_at(static_cast<std::int64_t>(random() % 100'000), random() % 10 == 0);
    point.name = std::string(random() % 40, 'n');
    const std::int64_t record = point.record = i + 1;
    if (series.has(point)) continue;
    auto forgotten = series.insert(std::move(point));
    forgotten_ever += forgotten.size();
    if (random() % 4 == 0) series.take_back(record, std::move(forgotten));
    std::size_t bytes = base::heap_bytes(series.points().capacity() * sizeof(Point));
    for (const Point& one : series.points()) bytes += one.name.bytes();
    ASSERT_EQ(series.bytes(), bytes) << i;
  }
  EXPECT_GT(forgotten_ever, 100u);
  const auto again = Series::restore(series.seen(), series.points());
  ASSERT_TRUE(again);
  EXPECT_GE(again->bytes(), series.points().size() * sizeof(Point));
  EXPECT_LE(again->bytes(), series.bytes()) << "there is nothing in reserve";
}

// What stays is named by the rule at the top of series.h, here written as a sentence over all
// points, whatever the order in which they came.
TEST(Series, ForgetsByTheirOrderNotByTheirArrival) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::vector<Point> points;
    const auto count = 1 + random() % 600;
    for (std::size_t i = 0; i < count; ++i) {
      points.push_back(point_at(static_cast<std::int64_t>(i), random() % 20 == 0));
    }
    std::set<std::int64_t> kept;
    std::size_t marked = 0;
    for (std::size_t i = count; i-- > 0;) {
      const bool early = i < Series::kEarliest;
      const bool late = count - i <= Series::kLatest;
      if (points[i].marked) ++marked;
      const bool baseline = points[i].marked && marked <= Series::kMarked;
      if (early || late || baseline) kept.insert(points[i].at_ms);
    }
    std::shuffle(points.begin(), points.end(), random);
    Series series;
    for (const Point& point : points) series.insert(point);
    ASSERT_EQ(instants(series), std::vector<std::int64_t>(kept.begin(), kept.end()));
    ASSERT_LE(series.points().size(), Series::kPointsMax);
    EXPECT_EQ(series.seen(), count);
  }
}

TEST(Series, SupersededCountsForTheLimitAndForNothingElse) {
  Series series;
  for (std::int64_t i = 0; i < 3; ++i) series.insert(point_at(i));
  EXPECT_EQ(series.baseline(), 0u);
  EXPECT_EQ(series.find(1), 0u);
  series.supersede(0);
  EXPECT_EQ(series.points().size(), 3u);
  EXPECT_EQ(series.find(1), std::nullopt);
  EXPECT_EQ(series.baseline(), 1u);
  EXPECT_EQ(series.value_before(1), std::nullopt);
  series.supersede(1);
  EXPECT_EQ(series.value_before(2), std::nullopt);
  EXPECT_EQ(series.baseline(), 2u);
}

TEST(Series, BaselineIsTheLastMarkedValueElseTheEarliest) {
  Series series;
  EXPECT_EQ(series.baseline(), std::nullopt);
  Point no_number = point_at(0, true);
  no_number.number.reset();
  series.insert(no_number);
  EXPECT_EQ(series.baseline(), std::nullopt);
  series.insert(point_at(10));
  series.insert(point_at(20));
  EXPECT_EQ(series.baseline(), 1u);
  series.insert(point_at(30, true));
  series.insert(point_at(40, true));
  EXPECT_EQ(series.baseline(), 4u);
  series.supersede(4);
  EXPECT_EQ(series.baseline(), 3u);
}

// As baseline() says it, over all points; it is remembered from change to change.
TEST(Series, KeepsTheBaselineThroughAllChanges) {
  std::mt19937 random(3);
  const auto expected = [](const Series& series) -> std::optional<std::size_t> {
    const auto& points = series.points();
    const auto is_value = [](const Point& point) { return !point.superseded && point.number; };
    for (std::size_t i = points.size(); i-- > 0;) {
      if (points[i].marked && is_value(points[i])) return i;
    }
    const bool forgot = series.seen() > points.size();
    for (std::size_t i = 0; i < (forgot ? Series::kEarliest : points.size()); ++i) {
      if (is_value(points[i])) return i;
    }
    return std::nullopt;
  };
  for (int round = 0; round < 40; ++round) {
    Series series;
    const auto marks = round % 4 * 3u;  // in a hundred
    for (int i = 0; i < 600; ++i) {
      Point point = point_at(static_cast<std::int64_t>(random() % 5'000), random() % 100 < marks);
      if (random() % 4 == 0) point.number.reset();
      if (!series.has(point)) {
        auto forgotten = series.insert(point);
        if (random() % 3 == 0) series.take_back(point.record, std::move(forgotten));
      }
      ASSERT_EQ(series.baseline(), expected(series)) << round << " " << i;
      if (series.points().empty()) continue;
      const std::size_t place = random() % std::min<std::size_t>(series.points().size(), 20);
      const Point& other = series.points()[place];
      series.set_superseded(other.at_ms, other.record, random() % 2 == 0);
      ASSERT_EQ(series.baseline(), expected(series)) << round << " " << i;
    }
    const auto again = Series::restore(series.seen(), series.points());
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->baseline(), series.baseline());
  }
}

// Across what was forgotten nothing is called the value before.
TEST(Series, SaysNothingAboutWhatItForgot) {
  Series series;
  const std::int64_t count = 1000;
  for (std::int64_t i = 0; i < count; ++i) series.insert(point_at(i, i == 500));
  const auto& points = series.points();
  const std::size_t latest = points.size() - Series::kLatest;
  ASSERT_EQ(latest, Series::kEarliest + 1);
  ASSERT_EQ(points[Series::kEarliest].at_ms, 500);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool known = points[i].at_ms > 0 && i != Series::kEarliest && i != latest;
    const auto before = series.value_before(i);
    ASSERT_EQ(before.has_value(), known) << i;
    if (!known) continue;
    ASSERT_EQ(points[*before].at_ms, points[i].at_ms - 1);
  }
  EXPECT_EQ(series.baseline(), Series::kEarliest);

  // All of the first ones corrected, and no mark: the earliest value is not known any more.
  for (std::size_t i = 0; i <= Series::kEarliest; ++i) series.supersede(i);
  EXPECT_EQ(series.baseline(), std::nullopt);
}

TEST(Series, RestoresOnlyWhatASeriesCanBe) {
  Series full;
  for (std::int64_t i = 0; i < 300; ++i) full.insert(point_at(i));
  const std::vector<Point> points = full.points();
  EXPECT_TRUE(Series::restore(300, points));
  EXPECT_TRUE(Series::restore(0, {}));
  EXPECT_FALSE(Series::restore(1, {}));                      // forgot, though there was room
  EXPECT_FALSE(Series::restore(points.size() - 1, points));  // more than ever came
  std::vector<Point> swapped = points;
  std::swap(swapped[3], swapped[4]);
  EXPECT_FALSE(Series::restore(300, swapped));
  std::vector<Point> twice = points;
  twice[4] = twice[3];
  EXPECT_FALSE(Series::restore(300, twice));
  std::vector<Point> too_many = points;
  too_many.push_back(point_at(300));
  EXPECT_FALSE(Series::restore(301, too_many));
}

TEST(Series, KnowsBetweenWhichInstantsItForgot) {
  Series series;
  constexpr std::int64_t kAll = Series::kEarliest + Series::kLatest;
  for (std::int64_t at_ms = 0; at_ms < kAll; ++at_ms) (void)series.insert(point_at(at_ms));
  EXPECT_FALSE(series.gap());
  (void)series.insert(point_at(kAll));
  ASSERT_TRUE(series.gap());
  EXPECT_EQ(series.gap()->from_ms, 7);
  EXPECT_EQ(series.gap()->until_ms, 9);
  EXPECT_FALSE(series.knows(9));  // the record at 8
  EXPECT_TRUE(series.knows(8) && series.knows(10));
}

}  // namespace
}  // namespace trialward::monitor
