// Some points that follow on one another, packed (packed_points.h) until somebody looks at them or
// changes them, and again after pack(). What is asked of all blocks to find the right one is known
// without unpacking. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "monitor/point.h"

namespace trialward::monitor {

class PointBlock {
 public:
  // Packed; at least one.
  explicit PointBlock(std::span<const Point> points);

  std::size_t size() const { return packed_ ? size_ : unpacked_->points.size(); }
  // Of the first and the last point, where there are any.
  std::int64_t from_ms() const { return packed_ ? from_ms_ : unpacked_->points.front().at_ms; }
  std::int64_t until_ms() const { return packed_ ? until_ms_ : unpacked_->points.back().at_ms; }
  // False is sure.
  bool may_have(std::size_t bit) const { return !packed_ || (bits_ >> bit & 1) != 0; }
  bool may_have_record(std::int64_t record) const {
    return !packed_ || (record_min_ <= record && record <= record_max_);
  }
  std::size_t marked() const;

  bool unpacked() const { return unpacked_ != nullptr; }
  bool changed() const { return packed_ == nullptr; }  // since it was packed
  // Unpacks all of them, or their names. Good until pack() or a change.
  const std::vector<PointData>& points() const { return unpack().points; }
  std::string_view name(std::size_t index) const { return unpack_names().names[index]; }
  // A copy, which leaves them packed.
  void append_to(std::vector<Point>& points) const;

  // After these they stay unpacked until pack(). When they throw nothing has changed; after
  // make_room() one insert() does not, and after to_change() nothing does that adds none.
  void to_change();
  void make_room();
  void insert(std::size_t index, Point point);
  Point take(std::size_t index);
  void set_superseded(std::size_t index, bool superseded);
  // Takes away those from there on: there are some, and some before.
  PointBlock split(std::size_t index);

  // Not of none. When it throws nothing has changed.
  void pack();
  // What it takes beside itself.
  std::size_t bytes() const;

 private:
  struct Unpacked {
    std::vector<PointData> points;
    std::vector<PointName> names;  // of all or, until somebody asks, of none
  };

  PointBlock() = default;
  template <class DataAt, class NameAt>
  void set(std::size_t size, DataAt data, NameAt name);
  std::string_view packed() const { return {packed_.get(), packed_bytes_}; }
  Unpacked& unpack() const {
    if (!unpacked_) unpack_anew();
    return *unpacked_;
  }
  void unpack_anew() const;
  Unpacked& unpack_names() const;

  std::int64_t from_ms_ = 0, until_ms_ = 0;
  std::int64_t record_min_ = 0, record_max_ = 0;
  std::uint64_t bits_ = 0;  // of all of them
  std::uint16_t size_ = 0, marked_ = 0;
  std::uint32_t packed_bytes_ = 0;
  std::unique_ptr<char[]> packed_;               // null since they were changed
  mutable std::unique_ptr<Unpacked> unpacked_;  // null while packed
};
static_assert(sizeof(PointBlock) == 64);

}  // namespace trialward::monitor
