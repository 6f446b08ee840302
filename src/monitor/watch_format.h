// The saved form of what is remembered of a subject. Pure.
//
//   watch   = version (1 byte: 2), series that are not empty, checksum
//   series  = index (its distance from the index before, the first from -1), seen, number of
//             points, points
//   point   = instant (ms since the point before, or 1970), shared (bytes of the name that are
//             those of the name before), length of the rest of the name, that rest, record id
//             (distance from that of the point before, or 0), flags (1 superseded, 2 marked,
//             4 has a number, 8 has a multiple of the upper limit, 16 has a lower and 32 an upper
//             end of its range), bits, the number, the multiple and the ends (8 bytes each,
//             little-endian) if there are
//   checksum = the first 8 bytes of the SHA-256 of all before it
// Integers are LEB128, signed ones zigzag. Of a subject of whom nothing is remembered: no bytes.
// There is one encoding of one content: what reads back and would be written otherwise is corrupt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitor/series.h"

namespace trialward::monitor {

inline constexpr std::size_t kPointBytesMax = 1104;  // two ids of 128 characters, and 80 bytes
inline constexpr std::size_t kSeriesBytesMax = Series::kPointsMax * kPointBytesMax;

std::string save_series(const std::vector<Series>& all);
// As many series as the rules have. Errors: corrupt.
base::Result<std::vector<Series>> load_series(std::string_view saved, std::size_t count);

}  // namespace trialward::monitor
