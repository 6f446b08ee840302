#include "monitor/point_block.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/heap_bytes.h"
#include "monitor/packed_points.h"

namespace trialward::monitor {
namespace {

constexpr std::size_t kRoom = 4;  // for so many points that come late

std::ptrdiff_t offset(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

}  // namespace

PointBlock::PointBlock(std::span<const Point> points) {
  set(points.size(), [&](std::size_t i) -> const PointData& { return points[i]; },
      [&](std::size_t i) { return points[i].name.view(); });
}

template <class DataAt, class NameAt>
void PointBlock::set(std::size_t size, DataAt data, NameAt name) {
  TW_CHECK(size > 0 && size <= UINT16_MAX);
  PointPacker packer(size);
  for (std::size_t i = 0; i < size; ++i) packer.add(data(i), name(i));
  const std::string packed = packer.take();
  auto bytes = std::make_unique_for_overwrite<char[]>(packed.size());
  std::copy(packed.begin(), packed.end(), bytes.get());
  packed_ = std::move(bytes);
  packed_bytes_ = static_cast<std::uint32_t>(packed.size());
  size_ = static_cast<std::uint16_t>(size);
  from_ms_ = data(0).at_ms;
  until_ms_ = data(size - 1).at_ms;
  record_min_ = record_max_ = data(0).record;
  bits_ = 0;
  marked_ = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const PointData& point = data(i);
    record_min_ = std::min(record_min_, point.record);
    record_max_ = std::max(record_max_, point.record);
    bits_ |= point.bits;
    marked_ = static_cast<std::uint16_t>(marked_ + (point.marked ? 1 : 0));
  }
}

std::size_t PointBlock::marked() const {
  if (packed_) return marked_;
  return static_cast<std::size_t>(
      std::count_if(unpacked_->points.begin(), unpacked_->points.end(),
                    [](const PointData& point) { return point.marked; }));
}

void PointBlock::unpack_anew() const {
  unpacked_ = std::make_unique<Unpacked>(Unpacked{unpack_points(packed(), size_), {}});
}

PointBlock::Unpacked& PointBlock::unpack_names() const {
  Unpacked& unpacked = unpack();
  if (unpacked.names.size() != unpacked.points.size()) {
    unpacked.names = monitor::unpack_names(packed(), size_);
  }
  return unpacked;
}

void PointBlock::append_to(std::vector<Point>& points) const {
  const auto data = unpacked_ ? unpacked_->points : unpack_points(packed(), size_);
  auto names = packed_ ? monitor::unpack_names(packed(), size_) : unpacked_->names;
  for (std::size_t i = 0; i < data.size(); ++i) points.push_back({data[i], std::move(names[i])});
}

void PointBlock::to_change() {
  (void)unpack_names();
  packed_.reset();
}

void PointBlock::make_room() {
  to_change();
  auto& [points, names] = *unpacked_;
  points.reserve(points.size() + (points.size() == points.capacity() ? kRoom : 1));
  names.reserve(points.capacity());
}

void PointBlock::insert(std::size_t index, Point point) {
  to_change();
  auto& [points, names] = *unpacked_;
  points.insert(points.begin() + offset(index), point);
  names.insert(names.begin() + offset(index), std::move(point.name));
}

Point PointBlock::take(std::size_t index) {
  to_change();
  auto& [points, names] = *unpacked_;
  Point taken{points[index], std::move(names[index])};
  points.erase(points.begin() + offset(index));
  names.erase(names.begin() + offset(index));
  return taken;
}

void PointBlock::set_superseded(std::size_t index, bool superseded) {
  to_change();
  unpacked_->points[index].superseded = superseded;
}

PointBlock PointBlock::split(std::size_t index) {
  to_change();
  auto& points = unpacked_->points;
  auto& names = unpacked_->names;
  PointBlock later;
  later.set(points.size() - index,
            [&](std::size_t i) -> const PointData& { return points[index + i]; },
            [&](std::size_t i) { return names[index + i].view(); });
  points.erase(points.begin() + offset(index), points.end());
  names.erase(names.begin() + offset(index), names.end());
  return later;
}

void PointBlock::pack() {
  if (!packed_) {
    const auto& points = unpacked_->points;
    const auto& names = unpacked_->names;
    set(points.size(), [&](std::size_t i) -> const PointData& { return points[i]; },
        [&](std::size_t i) { return names[i].view(); });
  }
  unpacked_.reset();
}

std::size_t PointBlock::bytes() const {
  std::size_t bytes = packed_ ? base::heap_bytes(packed_bytes_) : 0;
  if (unpacked_) {
    const auto& [points, names] = *unpacked_;
    bytes += base::heap_bytes(sizeof *unpacked_) +
             base::heap_bytes(points.capacity() * sizeof(PointData)) +
             base::heap_bytes(names.capacity() * sizeof(PointName));
    for (const PointName& name : names) bytes += name.bytes();
  }
  return bytes;
}

}  // namespace trialward::monitor
