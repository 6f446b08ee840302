// What is remembered of one subject's records of one code: the points that rules count or compare,
// in the order (instant, source, source id).
//
// It stays bounded, and what is forgotten depends on the points that came, never on the order in
// which they came: kept are the first kEarliest, the last kLatest and the last kMarked of the
// points marked as baseline. For the same reason a point whose record was corrected is not removed
// but marked as superseded: it holds nothing any more and still counts towards these limits.
// A plain value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "monitor/point.h"

namespace trialward::monitor {

class Series {
 public:
  static constexpr std::size_t kEarliest = 8, kLatest = 240, kMarked = 8;
  static constexpr std::size_t kPointsMax = kEarliest + kLatest + kMarked;

  Series() = default;
  // From what was saved; nothing when it cannot have been a series. `seen`: points ever inserted.
  static std::optional<Series> restore(std::uint64_t seen, std::vector<Point> points);

  // Whether a point stands at this one's place.
  bool has(const Point& point) const;
  // Takes in a point whose place is free, and forgets what is too much, which is given back and may
  // be the same one. When it throws nothing has changed.
  std::vector<Point> insert(Point point);
  // Undoes the last insert(): of this record's point, which forgot these.
  void take_back(std::int64_t record, std::vector<Point> forgotten);
  // The place of a record that is not superseded.
  std::optional<std::size_t> find(std::int64_t record) const;
  void supersede(std::size_t place, bool superseded = true);

  // Whether a record has a point, superseded or not.
  bool knows(std::int64_t record) const;
  // Hides a record's point at an instant, or shows it again: for asking what would hold without it.
  void set_superseded(std::int64_t at_ms, std::int64_t record, bool superseded);

  // Between these instants, both included, there were points that are forgotten.
  struct Gap {
    std::int64_t from_ms = 0, until_ms = 0;
  };
  std::optional<Gap> gap() const;

  const std::vector<Point>& points() const { return points_; }
  std::uint64_t seen() const { return seen_; }
  // What it takes of memory beside itself.
  std::size_t bytes() const;
  // Whether a point has, or had, such a bit: most series have none of most.
  bool may_have(std::size_t bit) const { return (bits_ >> bit & 1) != 0; }

  // Places of the baseline, and of the value before a place; nothing when there is none, or when
  // too much was forgotten to say.
  std::optional<std::size_t> baseline() const { return baseline_; }
  std::optional<std::size_t> value_before(std::size_t place) const;
  // Place of the first value from an instant on; nothing when there is none.
  std::optional<std::size_t> value_from(std::int64_t at_ms) const;
  // Place of the first point from an instant on; their number when there is none.
  std::size_t first_from(std::int64_t at_ms) const;

 private:
  bool forgot() const { return seen_ > points_.size(); }
  void forget(std::vector<Point>& forgotten);
  void count_names();
  void know_last();
  // Where a point stands or would stand; most come last.
  std::size_t place_of(const Point& point) const;
  // Whether a change of this point, or its coming to this place, may make another the baseline.
  bool moves_baseline(std::size_t place, const Point& point) const;
  std::optional<std::size_t> find_baseline() const;

  std::uint64_t seen_ = 0;
  std::vector<Point> points_;
  // Known of the points, so that a record that comes last need not fetch them from cold memory.
  std::int64_t last_ms_ = 0;             // the last one's instant; only where there is one
  std::optional<std::size_t> baseline_;  // a place
  std::uint64_t bits_ = 0;               // of all points that ever came
  std::size_t names_bytes_ = 0;          // of all points
};

}  // namespace trialward::monitor
