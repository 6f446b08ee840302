#include "monitor/packed_points.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace trialward::monitor {
namespace {

std::uint64_t bits_of(OptionalNumber number) {
  return number ? std::bit_cast<std::uint64_t>(*number) : ~std::uint64_t{0};
}

// To the bit: -0 is not 0.
void expect_same(const PointData& a, const PointData& b) {
  EXPECT_EQ(a.at_ms, b.at_ms);
  EXPECT_EQ(a.record, b.record);
  EXPECT_EQ(a.superseded, b.superseded);
  EXPECT_EQ(a.marked, b.marked);
  EXPECT_EQ(bits_of(a.number), bits_of(b.number));
  EXPECT_EQ(bits_of(a.of_uln), bits_of(b.of_uln));
  EXPECT_EQ(bits_of(a.low), bits_of(b.low));
  EXPECT_EQ(bits_of(a.high), bits_of(b.high));
  EXPECT_EQ(a.bits, b.bits);
}

std::string pack(const std::vector<Point>& points) {
  PointPacker packer(points.size());
  for (const Point& point : points) packer.add(point, point.name);
  return packer.take();
}

void expect_kept(const std::vector<Point>& points) {
  const std::string packed = pack(points);
  const auto again = unpack_points(packed, points.size());
  const auto names = unpack_names(packed, points.size());
  ASSERT_EQ(again.size(), points.size());
  ASSERT_EQ(names.size(), points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    expect_same(again[i], points[i]);
    EXPECT_EQ(names[i], points[i].name);
  }
}

constexpr double kOdd[] = {0,
                           -0.0,
                           1,
                           -1,
                           23.4,
                           -0.001,
                           0.0001,
                           1.0 / 3,
                           1e300,
                           -1e-300,
                           0.1 + 0.2,
                           1'099'511'627'775,
                           1'099'511'627'776,
                           1'099'511'627.776,
                           std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::lowest(),
                           std::numeric_limits<double>::denorm_min(),
                           std::numeric_limits<double>::infinity()};

TEST(PackedPoints, KeepsEveryNumberToTheBit) {
  std::vector<Point> points;
  for (const double number : kOdd) {
    for (const double other : kOdd) {
      Point point;
      point.number = number;
      point.high = other;
      if (other != 0 && !std::isnan(number / other)) point.of_uln = number / other;
      points.push_back(point);
      point.of_uln = other;
      point.low = number;
      points.push_back(point);
      points.emplace_back();
    }
  }
  expect_kept(points);
}

TEST(PackedPoints, KeepsTheLeastAndTheMost) {
  expect_kept({});
  Point most;
  most.at_ms = INT64_MAX;
  most.record = INT64_MIN;
  most.name = std::string(65'535, '\xff');
  most.bits = ~std::uint64_t{0};
  most.superseded = most.marked = true;
  Point least;
  least.at_ms = INT64_MIN;
  least.record = INT64_MAX;
  expect_kept({least, most, least, most, most});
}

TEST(PackedPoints, KeepsPointsOfAllKinds) {
  std::mt19937_64 random(23);
  const auto number = [&]() -> OptionalNumber {
    switch (random() % 4) {
      case 0:
        return {};
      case 1:
        return static_cast<double>(random() % 40) / 10;
      case 2:
        return static_cast<double>(random() % 100'000) / 1000;
      default:
        return std::ldexp(static_cast<double>(random()), -40);
    }
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Point> points(random() % 40);
    for (Point& point : points) {
      point.at_ms = static_cast<std::int64_t>(random() >> random() % 64);
      point.name = PointName(std::string(random() % 9, 's'), std::to_string(random() % 1000));
      point.record = static_cast<std::int64_t>(random() >> random() % 64);
      point.superseded = random() % 4 == 0;
      point.marked = random() % 4 == 0;
      point.number = number();
      point.low = number();
      point.high = number();
      point.of_uln = number();
      if (point.number && point.high && *point.high > 0 && random() % 2 == 0) {
        point.of_uln = *point.number / *point.high;
      }
      if (random() % 2 == 0) point.bits = random() >> random() % 64;
    }
    expect_kept(points);
  }
}

// A laboratory value with its range, after another.
TEST(PackedPoints, TakesTwentyBytesForMost) {
  std::vector<Point> points;
  for (int i = 0; i < 16; ++i) {
    Point point;
    point.at_ms = 1'736'150'400'000 + std::int64_t{i} * 6'667'000;
    point.name = PointName("central-lab", "R-" + std::to_string(100'000 + i * 6'667));
    point.record = 5 + i * 6'667;
    point.number = 23.4 + i;
    point.low = 7;
    point.high = 40;
    point.of_uln = *point.number / 40;
    points.push_back(point);
  }
  EXPECT_LE(pack(points).size(), 16 * 20u);
}

}  // namespace
}  // namespace trialward::monitor
