#include "monitor/series.h"

#include <gtest/gtest.h>
#include <malloc.h>

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
    auto undo = series.insert(point);
    EXPECT_NE(state(), before);
    series.take_back(std::move(undo));
    ASSERT_EQ(state(), before) << i;
    (void)series.insert(point);
    (void)series.pack();
  }
  EXPECT_GT(series.seen(), 600u);
}

// What the C library's allocator has given; nothing where another one is in its place.
std::size_t heap_taken() { return ::mallinfo2().uordblks; }

// What it says that it takes of memory is what it takes, about: the allocator adds to each block.
TEST(Series, CountsTheBytesThatItTakes) {
  std::mt19937 random(5);
  std::size_t forgotten_ever = 0;
  const std::size_t before = heap_taken();
  if (before == 0) GTEST_SKIP() << "a sanitizer's allocator does not tell";
  std::vector<Series> all(20);
  EXPECT_EQ(all[0].bytes(), 0u);
  for (int i = 0; i < 600; ++i) {
    for (Series& series : all) {
      Point point = point_at(static_cast<std::int64_t>(random() % 100'000), random() % 10 == 0);
      point.name = std::string(random() % 40, 'n');
      point.record = i + 1;
      if (series.has(point)) continue;
      auto undo = series.insert(std::move(point));
      forgotten_ever += undo.forgotten();
      if (random() % 4 == 0) series.take_back(std::move(undo));
      ASSERT_TRUE(series.pack());
    }
    if (i % 50 != 0) continue;
    std::size_t said = 0;
    for (const Series& series : all) said += series.bytes();
    const auto taken = static_cast<double>(heap_taken() - before);
    EXPECT_NEAR(static_cast<double>(said), taken, 0.25 * taken + 8192) << i;
  }
  EXPECT_GT(forgotten_ever, 2000u);
  for (const Series& series : all) {
    const auto again = Series::restore(series.seen(), series.points());
    ASSERT_TRUE(again);
    EXPECT_LE(again->bytes(), series.bytes() + 4096);
  }
}

// As records of a laboratory are: what all this is for.
TEST(Series, TakesThirtyBytesForAPoint) {
  std::mt19937 random(1);
  Series series;
  const auto add = [&](std::int64_t until) {
    for (std::int64_t i = static_cast<std::int64_t>(series.seen()); i < until; ++i) {
      Point point;
      point.at_ms = 1'736'150'400'000 + i * 6'667'000 + static_cast<std::int64_t>(random() % 1000);
      point.name = PointName("simulate-1", "R-" + std::to_string(i * 6'667 + random() % 1000));
      point.record = i * 6'667 + 1;
      point.number = static_cast<double>(20 + random() % 100) / 100;
      point.of_uln = *point.number / 1.2;
      point.low = 0.2;
      point.high = 1.2;
      (void)series.insert(point);
      (void)series.pack();
    }
  };
  add(40);
  const std::size_t at_first = series.bytes();
  EXPECT_LE(at_first, 5'000u);
  add(40 + 192);
  EXPECT_LE(series.bytes() - at_first, 192 * 30u);
  add(1000);
  EXPECT_LE(series.bytes(), Series::kPointsMax * 30 + 6'000);
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
    for (const Point& point : points) {
      (void)series.insert(point);
      if (random() % 2 == 0) (void)series.pack();
    }
    ASSERT_EQ(instants(series), std::vector<std::int64_t>(kept.begin(), kept.end()));
    ASSERT_LE(series.size(), Series::kPointsMax);
    EXPECT_EQ(series.seen(), count);
  }
}

TEST(Series, SupersededCountsForTheLimitAndForNothingElse) {
  Series series;
  for (std::int64_t i = 0; i < 3; ++i) (void)series.insert(point_at(i));
  EXPECT_EQ(series.baseline(), 0u);
  EXPECT_EQ(series.find(1), 0u);
  series.supersede(0);
  EXPECT_EQ(series.size(), 3u);
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
  (void)series.insert(no_number);
  EXPECT_EQ(series.baseline(), std::nullopt);
  (void)series.insert(point_at(10));
  (void)series.insert(point_at(20));
  EXPECT_EQ(series.baseline(), 1u);
  (void)series.insert(point_at(30, true));
  (void)series.insert(point_at(40, true));
  EXPECT_EQ(series.baseline(), 4u);
  series.supersede(4);
  EXPECT_EQ(series.baseline(), 3u);
}

// As baseline() says it, over all points; it is remembered from change to change.
TEST(Series, KeepsTheBaselineThroughAllChanges) {
  std::mt19937 random(3);
  const auto expected = [](const Series& series) -> std::optional<std::size_t> {
    const auto points = series.points();
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
        auto undo = series.insert(point);
        if (random() % 3 == 0) series.take_back(std::move(undo));
      }
      ASSERT_EQ(series.baseline(), expected(series)) << round << " " << i;
      if (series.size() == 0) continue;
      const std::size_t place = random() % std::min<std::size_t>(series.size(), 20);
      const PointData other = series[place];
      series.set_superseded(other.at_ms, other.record, random() % 2 == 0);
      (void)series.pack();
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
  for (std::int64_t i = 0; i < count; ++i) (void)series.insert(point_at(i, i == 500));
  (void)series.pack();
  const auto points = series.points();
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

// The same, but in one vector: what every Series should answer.
struct Plain {
  std::vector<Point> points;
  std::uint64_t seen = 0;

  bool forgot() const { return seen > points.size(); }
  void insert(const Point& point) {
    points.insert(std::lower_bound(points.begin(), points.end(), point), point);
    ++seen;
    std::vector<Point> kept;
    std::size_t marked = 0;
    for (std::size_t i = points.size(); i-- > 0;) {
      const bool counts = points[i].marked && marked++ < Series::kMarked;
      const bool within = i < Series::kEarliest || i + Series::kLatest >= points.size();
      if (counts || within) kept.push_back(points[i]);
    }
    points.assign(kept.rbegin(), kept.rend());
  }
  std::size_t first_from(std::int64_t at_ms) const {
    const auto found = std::find_if(points.begin(), points.end(),
                                    [&](const Point& point) { return point.at_ms >= at_ms; });
    return static_cast<std::size_t>(found - points.begin());
  }
  std::optional<std::size_t> find(std::int64_t record, bool superseded) const {
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].record == record && (superseded || !points[i].superseded)) return i;
    }
    return std::nullopt;
  }
  std::optional<std::size_t> value(std::size_t from, std::ptrdiff_t step) const {
    for (std::size_t i = from; i < points.size(); i += static_cast<std::size_t>(step)) {
      if (!points[i].superseded && points[i].number) return i;
    }
    return std::nullopt;
  }
};

void expect_same(const Series& series, const Plain& plain, std::mt19937& random) {
  ASSERT_EQ(series.size(), plain.points.size());
  ASSERT_EQ(series.seen(), plain.seen);
  const auto same = [](const PointData& a, const PointData& b) {
    EXPECT_EQ(a.at_ms, b.at_ms);
    EXPECT_EQ(a.record, b.record);
    EXPECT_EQ(a.superseded, b.superseded);
    EXPECT_EQ(a.marked, b.marked);
    EXPECT_EQ(a.number, b.number);
    EXPECT_EQ(a.bits, b.bits);
  };
  const auto copy = series.points();
  ASSERT_EQ(copy.size(), plain.points.size());
  for (std::size_t i = 0; i < copy.size(); ++i) {
    same(copy[i], plain.points[i]);
    EXPECT_EQ(copy[i].name, plain.points[i].name);
  }
  const std::int64_t at_ms = static_cast<std::int64_t>(random() % 3'000);
  EXPECT_EQ(series.first_from(at_ms), plain.first_from(at_ms));
  EXPECT_EQ(series.value_from(at_ms), plain.value(plain.first_from(at_ms), 1));
  const auto record = static_cast<std::int64_t>(random() % 1'000);
  EXPECT_EQ(series.find(record), plain.find(record, false));
  EXPECT_EQ(series.knows(record), plain.find(record, true).has_value());
  if (copy.empty()) return;
  const std::size_t place = random() % copy.size();
  EXPECT_EQ(series.at_ms(place), plain.points[place].at_ms);
  same(series[place], plain.points[place]);
  EXPECT_EQ(series.name(place), plain.points[place].name.view());
  EXPECT_TRUE(series.has(plain.points[place]));
  if (!plain.forgot() && place > 0) {
    EXPECT_EQ(series.value_before(place), plain.value(place - 1, -1));
  }
  const std::size_t bit = random() % 3;
  std::size_t next = place;
  while (next < copy.size() && (copy[next].bits >> bit & 1) == 0) ++next;
  EXPECT_GE(series.skip_to(bit, place), place);
  EXPECT_LE(series.skip_to(bit, place), next);
  ASSERT_EQ(series.gap().has_value(), plain.forgot());
  if (!series.gap()) return;
  EXPECT_EQ(series.gap()->from_ms, plain.points[Series::kEarliest - 1].at_ms);
  EXPECT_EQ(series.gap()->until_ms, plain.points[copy.size() - Series::kLatest].at_ms);
}

// Whatever comes, in whatever order, and whenever it packs.
TEST(Series, IsTheSameAsOneThatPacksNothing) {
  std::mt19937 random(17);
  for (int round = 0; round < 24; ++round) {
    Series series;
    Plain plain;
    const auto late = round % 3 * 40u;  // in a hundred
    for (int i = 1; i < 800; ++i) {
      const bool is_late = random() % 100 < late;
      Point point = point_at(is_late ? static_cast<std::int64_t>(random() % 3'000) : 4 * i,
                             random() % 100 < round % 4 * 4u);
      point.name = PointName("s" + std::to_string(random() % 3), std::to_string(random() % 4));
      point.record = i;
      point.bits = random() % 12 == 0 ? 1 + random() % 7 : 0;
      if (random() % 8 == 0) point.number.reset();
      if (!series.has(point)) {
        if (random() % 5 == 0) series.take_back(series.insert(point));
        (void)series.insert(point);
        plain.insert(point);
      }
      if (random() % 4 == 0) {
        const std::size_t place = random() % series.size();
        const bool superseded = random() % 2 == 0;
        series.supersede(place, superseded);
        plain.points[place].superseded = superseded;
      }
      if (random() % 3 != 0) {
        ASSERT_TRUE(series.pack());
      }
      if (i % 7 == 0) expect_same(series, plain, random);
      ASSERT_FALSE(::testing::Test::HasFailure()) << round << " " << i;
    }
    EXPECT_GT(series.seen(), 300u);
  }
}

// What points to a point stays good while others are looked at.
TEST(Series, StaysAsItIsUntilItPacks) {
  Series series;
  bool to_pack = false;
  series.tell(&to_pack);
  for (std::int64_t i = 0; i < 200; ++i) (void)series.insert(point_at(i));
  EXPECT_TRUE(to_pack);
  EXPECT_TRUE(series.pack());
  to_pack = false;
  const std::size_t packed = series.bytes();
  (void)series[199];
  (void)series.first_from(195);
  (void)series.at_ms(0);
  EXPECT_FALSE(to_pack) << "the last are not packed";
  std::vector<const PointData*> points;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < series.size(); ++i) {
    points.push_back(&series[i]);
    names.push_back(series.name(i));
  }
  EXPECT_TRUE(to_pack);
  for (std::size_t i = 0; i < series.size(); ++i) {
    EXPECT_EQ(names[i].data(), series.name(i).data());
    EXPECT_EQ(names[i], "p");
    EXPECT_EQ(points[i], &series[i]);
    EXPECT_EQ(points[i]->at_ms, static_cast<std::int64_t>(i));
  }
  EXPECT_TRUE(series.pack());
  EXPECT_EQ(series.bytes(), packed);
}

}  // namespace
}  // namespace trialward::monitor
