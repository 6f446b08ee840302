#include "monitor/series.h"

#include <algorithm>
#include <tuple>

namespace trialward::monitor {
namespace {

bool is_value(const Point& point) { return !point.superseded && point.number; }

}  // namespace

bool operator<(const Point& a, const Point& b) {
  return std::tie(a.at_ms, a.name) < std::tie(b.at_ms, b.name);
}

std::optional<Series> Series::restore(std::uint64_t seen, std::vector<Point> points) {
  Series series;
  series.seen_ = seen;
  series.points_ = std::move(points);
  const std::size_t size = series.points_.size();
  for (std::size_t i = 1; i < size; ++i) {
    if (!(series.points_[i - 1] < series.points_[i])) return std::nullopt;
  }
  if (seen < size || (seen > size && size < kEarliest + kLatest)) return std::nullopt;
  std::vector<Point> forgotten;
  series.forget(forgotten);
  if (!forgotten.empty()) return std::nullopt;
  return series;
}

bool Series::has(const Point& point) const {
  return std::binary_search(points_.begin(), points_.end(), point);
}

std::vector<Point> Series::insert(Point point) {
  std::vector<Point> forgotten;
  // What may throw comes before anything is changed.
  const std::size_t size = points_.size() + 1;
  if (size > kEarliest + kLatest) forgotten.reserve(size - kEarliest - kLatest);
  points_.insert(std::lower_bound(points_.begin(), points_.end(), point), std::move(point));
  ++seen_;
  forget(forgotten);
  return forgotten;
}

void Series::take_back(std::int64_t record, std::vector<Point> forgotten) {
  std::erase_if(points_, [&](const Point& point) { return point.record == record; });
  for (Point& point : forgotten) {
    if (point.record == record) continue;
    points_.insert(std::lower_bound(points_.begin(), points_.end(), point), std::move(point));
  }
  --seen_;
}

void Series::forget(std::vector<Point>& forgotten) {
  if (points_.size() <= kEarliest + kLatest) return;
  const std::size_t latest = points_.size() - kLatest;
  std::size_t marked = 0;
  for (std::size_t i = points_.size(); i-- > kEarliest;) {
    const bool keep = i >= latest || (points_[i].marked && marked < kMarked);
    marked += points_[i].marked ? 1 : 0;
    if (keep) continue;
    forgotten.push_back(std::move(points_[i]));
    points_.erase(points_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::optional<std::size_t> Series::find(std::int64_t record) const {
  const auto found = std::find_if(points_.begin(), points_.end(), [&](const Point& point) {
    return point.record == record && !point.superseded;
  });
  if (found == points_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - points_.begin());
}

bool Series::knows(std::int64_t record) const {
  return std::any_of(points_.begin(), points_.end(),
                     [&](const Point& point) { return point.record == record; });
}

void Series::set_superseded(std::int64_t record, bool superseded) {
  for (Point& point : points_) {
    if (point.record == record) point.superseded = superseded;
  }
}

std::optional<Series::Gap> Series::gap() const {
  if (!forgot()) return std::nullopt;
  return Gap{points_[kEarliest - 1].at_ms, points_[points_.size() - kLatest].at_ms};
}

std::optional<std::size_t> Series::baseline() const {
  for (std::size_t i = points_.size(); i-- > 0;) {
    if (points_[i].marked && is_value(points_[i])) return i;
  }
  const std::size_t end = forgot() ? kEarliest : points_.size();
  for (std::size_t i = 0; i < end; ++i) {
    if (is_value(points_[i])) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> Series::value_from(std::int64_t at_ms) const {
  auto point = std::lower_bound(points_.begin(), points_.end(), at_ms,
                                [](const Point& one, std::int64_t at) { return one.at_ms < at; });
  point = std::find_if(point, points_.end(), is_value);
  if (point == points_.end()) return std::nullopt;
  return static_cast<std::size_t>(point - points_.begin());
}

std::optional<std::size_t> Series::value_before(std::size_t place) const {
  while (place > 0) {
    const bool neighbours = !forgot() || place < kEarliest || place > points_.size() - kLatest;
    if (!neighbours) return std::nullopt;
    if (is_value(points_[--place])) return place;
  }
  return std::nullopt;
}

}  // namespace trialward::monitor
