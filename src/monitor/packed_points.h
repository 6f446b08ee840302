// Points in few bytes: what a point has in common with the one before costs little, and a value of
// a few decimals is an integer. Some 20 bytes a point, a tenth of what they take by themselves.
//
//   packed = length of all points, points, names
//   point  = flags (1 superseded, 2 marked, 4 has bits), kinds, instant (ms since the point before,
//            or 1970), record id (distance from that of the point before, or 0), bits if there are,
//            and the number, the multiple of the upper limit, the low and the high end as their
//            kinds say
//   kinds  = of these four, two bits each, the number's first: 0 none, 1 as of the point before, 2
//            short, 3 eight bytes as they are in memory. Short is a decimal, decimals in the lowest
//            two bits below zigzag(mantissa); but a multiple is short when it is the number over
//            the high end: no bytes.
//   name   = shared (bytes that are those of the name before), length of the rest, that rest
// Integers are LEB128, signed ones zigzag. It never leaves memory: what it unpacks it has packed.
// Names are apart because few ask for them. Fails by std::bad_alloc only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/point.h"

namespace trialward::monitor {

class PointPacker {
 public:
  explicit PointPacker(std::size_t count);

  // The name is to stay as it is until the next one is added.
  void add(const PointData& point, std::string_view name);
  std::string take();

 private:
  void add_name(std::string_view name);
  unsigned add_number(OptionalNumber number, OptionalNumber before);
  unsigned add_multiple(const PointData& point);
  unsigned add_whole(double number);

  PointData before_;
  std::string_view name_before_;
  std::string points_, names_;
};

// Of so many points.
std::vector<PointData> unpack_points(std::string_view packed, std::size_t count);
std::vector<PointName> unpack_names(std::string_view packed, std::size_t count);

}  // namespace trialward::monitor
