// What is remembered of one subject's records of one code: the points that rules count or compare,
// in the order (instant, source, source id).
//
// It stays bounded, and what is forgotten depends on the points that came, never on the order in
// which they came: kept are the first kEarliest, the last kLatest and the last kMarked of the
// points marked as baseline. For the same reason a point whose record was corrected is not removed
// but marked as superseded: it holds nothing any more and still counts towards these limits.
//
// The last points lie as they are, the tail: most records come last and are compared with these.
// Those before them are packed in blocks (point_block.h), as most of what a server takes of memory
// are points. A look at one unpacks its block, and pack() packs what was unpacked since: to be
// called when whoever looked is done. Where a block ends depends on the order of arrival; nobody
// but bytes() tells.
//
// Should memory run out, nothing has changed but what is unpacked. A plain value, that may be
// moved; one thread, also for what is const.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "monitor/point.h"
#include "monitor/point_block.h"

namespace trialward::monitor {

class Series {
 public:
  static constexpr std::size_t kEarliest = 8, kLatest = 240, kMarked = 8;
  static constexpr std::size_t kPointsMax = kEarliest + kLatest + kMarked;

  // Between these instants, both included, there were points that are forgotten.
  struct Gap {
    std::int64_t from_ms = 0, until_ms = 0;
  };
  class Undo;  // of an insert()

  Series() = default;
  // From what was saved; nothing when it cannot have been a series. `seen`: points ever inserted.
  static std::optional<Series> restore(std::uint64_t seen, std::vector<Point> points);

  // Whether a point stands at this one's place.
  bool has(const Point& point) const;
  // Takes in a point whose place is free, and forgets what is too much, which may be the same one.
  Undo insert(Point point);
  // Undoes the last insert(), before the next pack().
  void take_back(Undo undo);
  void supersede(std::size_t place, bool superseded = true);
  // Hides a record's point at an instant, or shows it again: for asking what would hold without it.
  void set_superseded(std::int64_t at_ms, std::int64_t record, bool superseded);

  std::size_t size() const { return in_blocks_ + tail_.size(); }
  std::uint64_t seen() const { return seen_; }
  // Good until the next change or pack().
  const PointData& operator[](std::size_t place) const {
    if (place >= in_blocks_) return tail_[place - in_blocks_];
    return last_look_.has(place) ? last_look_[place] : look_at(place);
  }
  std::string_view name(std::size_t place) const { return name_at(spot_of(place)); }
  // Its instant; seldom needs to unpack anything.
  std::int64_t at_ms(std::size_t place) const {
    if (place >= in_blocks_) return tail_[place - in_blocks_].at_ms;
    return last_look_.has(place) ? last_look_[place].at_ms : at_ms_in_block(place);
  }
  // A copy of all of them.
  std::vector<Point> points() const;

  // Whether a record has a point, superseded or not.
  bool knows(std::int64_t record) const { return place_of(record, false).has_value(); }
  // The place of a record that is not superseded.
  std::optional<std::size_t> find(std::int64_t record) const { return place_of(record, true); }
  const std::optional<Gap>& gap() const { return gap_; }
  // Whether a point has, or had, such a bit: most series have none of most.
  bool may_have(std::size_t bit) const { return (bits_ >> bit & 1) != 0; }
  // This place, or a later one if none in between has the bit.
  std::size_t skip_to(std::size_t bit, std::size_t place) const {
    return place >= in_blocks_ || last_look_.has(place) ? place : skip_blocks(bit, place);
  }

  // Place of the baseline, and of the value before a place; nothing when there is none, or when
  // too much was forgotten to say.
  std::optional<std::size_t> baseline() const;
  std::optional<std::size_t> value_before(std::size_t place) const;
  // A copy of the baseline: it is asked for often and may be packed.
  const PointData& baseline_point() const { return baseline_->point; }
  // Place of the first value from an instant on; nothing when there is none.
  std::optional<std::size_t> value_from(std::int64_t at_ms) const;
  // Place of the first point from an instant on; their number when there is none.
  std::size_t first_from(std::int64_t at_ms) const;

  // False when memory ran out: what could not be packed is left to the next time.
  bool pack() const noexcept;
  // Is set whenever there is something to pack, so that nobody need ask each of many series.
  void tell(bool* to_pack) { told_ = to_pack; }
  // What it takes of memory beside itself, but for what pack() takes away.
  std::size_t bytes() const;

 private:
  // A block, or their number for the tail, and a place in it.
  struct Spot {
    std::size_t block = 0, index = 0;
  };
  // The block of the last look into one, until something changes: who looks at one point soon looks
  // at the next.
  struct Look {
    std::size_t from = 0, count = 0;  // places
    const PointData* points = nullptr;

    bool has(std::size_t place) const { return place - from < count; }
    // Whether the first point from an instant on is one of these, and not the first of them.
    bool ends_in(std::int64_t at_ms) const {
      return count > 0 && points[0].at_ms < at_ms && at_ms <= points[count - 1].at_ms;
    }
    const PointData& operator[](std::size_t place) const { return points[place - from]; }
  };
  struct Baseline {
    std::size_t place = 0;
    PointData point;
  };

  bool forgot() const { return seen_ > size(); }
  bool in_tail(const Spot& spot) const { return spot.block == blocks_.size(); }
  Spot spot_of(std::size_t place) const;
  // Where a point stands or would stand; most come last.
  Spot spot_of(const Point& point) const;
  std::size_t place_of(const Spot& spot) const;
  std::optional<std::size_t> place_of(std::int64_t record, bool not_superseded) const;
  std::int64_t at_ms_in_block(std::size_t place) const;
  const PointData& look_at(std::size_t place) const;
  std::size_t skip_blocks(std::size_t bit, std::size_t place) const;
  std::size_t size_of(std::size_t block) const;
  const PointData& at(const Spot& spot) const;
  const std::vector<PointData>& points_of(std::size_t block) const;
  std::string_view name_at(const Spot& spot) const;
  bool precedes(const Spot& spot, const Point& point) const;
  // The index in a block, or the tail, of the first point that does not satisfy this.
  template <class IsBefore>
  static std::size_t first_not(std::size_t size, IsBefore is_before);
  void make_room(std::size_t block);

  bool is_marked(const Spot& spot) const;
  std::size_t marked_from(std::size_t place) const;
  void forget(Undo& undo);
  void put(const Spot& spot, Point point);  // where there is room
  Point take(const Spot& spot);
  // Whether a change of this point, or its coming to this place, may make another the baseline.
  bool moves_baseline(std::size_t place, const PointData& point) const;
  std::optional<Baseline> find_baseline() const;
  std::optional<Gap> find_gap(bool earliest_stay) const;
  void note() const;
  void settle() const;
  void count_bytes() const;

  std::uint64_t seen_ = 0;
  // What pack() changes is mutable: it makes no difference to what is remembered.
  mutable std::vector<Point> tail_;  // empty only if all is
  mutable std::vector<PointBlock> blocks_;
  mutable std::size_t in_blocks_ = 0;
  // Known of the points, so that a record that comes last need not fetch them from cold memory.
  std::int64_t last_ms_ = 0;  // the last one's instant; only where there is one
  std::size_t marked_ = 0;
  std::optional<Baseline> baseline_;
  std::optional<Gap> gap_;
  std::uint64_t bits_ = 0;                // of all points that ever came
  mutable std::size_t names_bytes_ = 0;   // of the tail
  mutable std::size_t blocks_bytes_ = 0;  // of what the blocks hold
  mutable Look last_look_;
  mutable bool to_pack_ = false;
  bool* told_ = nullptr;
};

class Series::Undo {
 public:
  // How many points the new one made it forget, itself included.
  std::size_t forgotten() const { return forgotten_.size(); }

 private:
  friend class Series;

  Spot spot_;
  std::vector<std::pair<Spot, Point>> forgotten_;  // each where it was when it went
  std::optional<Baseline> baseline_;
  std::optional<Gap> gap_;
};

}  // namespace trialward::monitor
