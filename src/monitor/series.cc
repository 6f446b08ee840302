#include "monitor/series.h"

#include <algorithm>

#include "base/heap_bytes.h"

namespace trialward::monitor {
namespace {

bool is_value(const Point& point) { return !point.superseded && point.number; }

}  // namespace

std::optional<Series> Series::restore(std::uint64_t seen, std::vector<Point> points) {
  Series series;
  series.seen_ = seen;
  series.points_ = std::move(points);
  const std::size_t size = series.points_.size();
  for (std::size_t i = 1; i < size; ++i) {
    if (!(series.points_[i - 1] < series.points_[i])) return std::nullopt;
  }
  if (seen < size || (seen > size && size < kEarliest + kLatest)) return std::nullopt;
  series.count_names();
  std::vector<Point> forgotten;
  series.forget(forgotten);
  if (!forgotten.empty()) return std::nullopt;
  for (const Point& point : series.points_) series.bits_ |= point.bits;
  series.baseline_ = series.find_baseline();
  series.know_last();
  return series;
}

bool Series::has(const Point& point) const {
  const std::size_t place = place_of(point);
  return place < points_.size() && !(point < points_[place]);
}

std::vector<Point> Series::insert(Point point) {
  std::vector<Point> forgotten;
  // What may throw comes before anything is changed.
  const std::size_t size = points_.size() + 1;
  if (size > kEarliest + kLatest) forgotten.reserve(size - kEarliest - kLatest);
  const std::size_t place = place_of(point);
  const bool moves = moves_baseline(place, point);
  const std::uint64_t bits = point.bits;
  const std::size_t name_bytes = point.name.bytes();
  points_.insert(points_.begin() + static_cast<std::ptrdiff_t>(place), std::move(point));
  bits_ |= bits;
  names_bytes_ += name_bytes;
  ++seen_;
  forget(forgotten);
  if (moves) baseline_ = find_baseline();
  know_last();
  return forgotten;
}

void Series::take_back(std::int64_t record, std::vector<Point> forgotten) {
  std::erase_if(points_, [&](const Point& point) { return point.record == record; });
  for (Point& point : forgotten) {
    if (point.record == record) continue;
    const auto place = static_cast<std::ptrdiff_t>(place_of(point));
    points_.insert(points_.begin() + place, std::move(point));
  }
  --seen_;
  baseline_ = find_baseline();
  know_last();
  count_names();
}

std::size_t Series::bytes() const {
  return base::heap_bytes(points_.capacity() * sizeof(Point)) + names_bytes_;
}

void Series::count_names() {
  names_bytes_ = 0;
  for (const Point& point : points_) names_bytes_ += point.name.bytes();
}

void Series::know_last() {
  if (!points_.empty()) last_ms_ = points_.back().at_ms;
}

void Series::supersede(std::size_t place, bool superseded) {
  Point& point = points_[place];
  point.superseded = superseded;
  if (moves_baseline(place, point)) baseline_ = find_baseline();
}

std::size_t Series::place_of(const Point& point) const {
  if (points_.empty() || last_ms_ < point.at_ms || points_.back() < point) return points_.size();
  const auto found = std::lower_bound(points_.begin(), points_.end(), point);
  return static_cast<std::size_t>(found - points_.begin());
}

// A baseline among the earliest, which are not forgotten, is moved by what comes before it and by
// a mark.
bool Series::moves_baseline(std::size_t place, const Point& point) const {
  if (!baseline_) return point.number.has_value();
  return place <= *baseline_ || *baseline_ >= kEarliest || point.marked;
}

void Series::forget(std::vector<Point>& forgotten) {
  if (points_.size() <= kEarliest + kLatest) return;
  const std::size_t latest = points_.size() - kLatest;
  std::size_t marked = 0;
  for (std::size_t i = points_.size(); i-- > kEarliest;) {
    const bool keep = i >= latest || (points_[i].marked && marked < kMarked);
    marked += points_[i].marked ? 1 : 0;
    if (keep) continue;
    names_bytes_ -= points_[i].name.bytes();
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

void Series::set_superseded(std::int64_t at_ms, std::int64_t record, bool superseded) {
  for (std::size_t i = first_from(at_ms); i < points_.size() && points_[i].at_ms == at_ms; ++i) {
    if (points_[i].record == record) supersede(i, superseded);
  }
}

std::size_t Series::first_from(std::int64_t at_ms) const {
  std::size_t place = points_.size();
  if (place == 0 || last_ms_ < at_ms) return place;
  // Most ask for what is near the end.
  for (int step = 0; step < 4 && place > 0 && points_[place - 1].at_ms >= at_ms; ++step) --place;
  if (place == 0 || points_[place - 1].at_ms < at_ms) return place;
  const auto found =
      std::lower_bound(points_.begin(), points_.end(), at_ms,
                       [](const Point& point, std::int64_t at) { return point.at_ms < at; });
  return static_cast<std::size_t>(found - points_.begin());
}

std::optional<Series::Gap> Series::gap() const {
  if (!forgot()) return std::nullopt;
  return Gap{points_[kEarliest - 1].at_ms, points_[points_.size() - kLatest].at_ms};
}

std::optional<std::size_t> Series::find_baseline() const {
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
  const auto from = points_.begin() + static_cast<std::ptrdiff_t>(first_from(at_ms));
  const auto point = std::find_if(from, points_.end(), is_value);
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
