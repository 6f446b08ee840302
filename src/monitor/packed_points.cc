#include "monitor/packed_points.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "monitor/leb128.h"

namespace trialward::monitor {
namespace {

enum Flag : std::uint8_t { kSuperseded = 1, kMarked = 2, kHasBits = 4 };
enum Coding : unsigned { kNone, kSame, kShort, kWhole };

constexpr std::array<double, 4> kPowers = {1, 10, 100, 1000};
constexpr double kMantissaMax = 1LL << 40;
constexpr std::size_t kUsualBytes = 16;  // of a point, and of a name; more than most take

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// The bytes of a short value; nothing when it is none.
std::optional<std::uint64_t> decimal_of(double value) {
  for (std::size_t decimals = 0; decimals < kPowers.size(); ++decimals) {
    const double scaled = value * kPowers[decimals];
    if (!(std::abs(scaled) < kMantissaMax)) return std::nullopt;
    const double mantissa = std::nearbyint(scaled);
    if (!same(mantissa / kPowers[decimals], value)) continue;
    const auto whole = static_cast<std::int64_t>(mantissa);
    if (whole == 0 && std::signbit(value)) return std::nullopt;
    return zigzag(whole, 0) << 2 | decimals;
  }
  return std::nullopt;
}

double of_decimal(std::uint64_t coded) {
  return static_cast<double>(from_zigzag(coded >> 2, 0)) / kPowers[coded & 3];
}

// Reads what was packed, and nothing else: so it need not look where that ends.
class Unpacker {
 public:
  explicit Unpacker(std::string_view packed)
      : next_(packed.data()), end_(packed.data() + packed.size()) {}

  unsigned byte() { return static_cast<unsigned char>(*next_++); }
  std::uint64_t integer() {
    std::uint64_t value = byte();
    if (value < 0x80) return value;
    value &= 0x7F;
    for (int shift = 7;; shift += 7) {
      const unsigned next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
      if (next < 0x80) return value;
    }
  }
  std::string_view text(std::size_t size) {
    next_ += size;
    return {next_ - size, size};
  }
  OptionalNumber number(unsigned kind, OptionalNumber before) {
    if (kind == kNone) return {};
    if (kind == kSame) return before;
    if (kind == kShort) return of_decimal(integer());
    double number = 0;
    std::memcpy(&number, text(sizeof number).data(), sizeof number);
    return number;
  }
  void read(PointData& point, const PointData& before) {
    const unsigned flags = byte();
    const unsigned kinds = byte();
    point.superseded = (flags & kSuperseded) != 0;
    point.marked = (flags & kMarked) != 0;
    point.at_ms = from_zigzag(integer(), before.at_ms);
    point.record = from_zigzag(integer(), before.record);
    if ((flags & kHasBits) != 0) point.bits = integer();
    const unsigned of_multiple = kinds >> 2 & 3;
    point.number = number(kinds & 3, before.number);
    if (of_multiple != kShort) point.of_uln = number(of_multiple, before.of_uln);
    point.low = number(kinds >> 4 & 3, before.low);
    point.high = number(kinds >> 6, before.high);
    if (of_multiple == kShort) point.of_uln = *point.number / *point.high;
  }
  bool at_end() const { return next_ == end_; }

 private:
  const char* next_;
  const char* const end_;
};

}  // namespace

PointPacker::PointPacker(std::size_t count) {
  points_.reserve(count * kUsualBytes);
  names_.reserve(count * kUsualBytes);
}

void PointPacker::add(const PointData& point, std::string_view name) {
  points_.push_back(static_cast<char>((point.superseded ? kSuperseded : 0) |
                                      (point.marked ? kMarked : 0) |
                                      (point.bits != 0 ? kHasBits : 0)));
  const std::size_t kinds_at = points_.size();
  points_.push_back(0);
  append_leb128(points_, zigzag(point.at_ms, before_.at_ms));
  append_leb128(points_, zigzag(point.record, before_.record));
  if (point.bits != 0) append_leb128(points_, point.bits);
  unsigned kinds = add_number(point.number, before_.number);
  kinds |= add_multiple(point) << 2;
  kinds |= add_number(point.low, before_.low) << 4;
  kinds |= add_number(point.high, before_.high) << 6;
  points_[kinds_at] = static_cast<char>(kinds);
  add_name(name);
  before_ = point;
}

std::string PointPacker::take() {
  std::string packed;
  append_leb128(packed, points_.size());
  packed += points_;
  packed += names_;
  return packed;
}

void PointPacker::add_name(std::string_view name) {
  const auto end =
      std::mismatch(name.begin(), name.end(), name_before_.begin(), name_before_.end()).first;
  const auto shared = static_cast<std::size_t>(end - name.begin());
  append_leb128(names_, shared);
  append_leb128(names_, name.size() - shared);
  names_.append(name.substr(shared));
  name_before_ = name;
}

unsigned PointPacker::add_number(OptionalNumber number, OptionalNumber before) {
  if (!number) return kNone;
  if (before && same(*number, *before)) return kSame;
  if (const auto decimal = decimal_of(*number)) {
    append_leb128(points_, *decimal);
    return kShort;
  }
  return add_whole(*number);
}

unsigned PointPacker::add_multiple(const PointData& point) {
  if (!point.of_uln) return kNone;
  if (before_.of_uln && same(*point.of_uln, *before_.of_uln)) return kSame;
  const bool quotient =
      point.number && point.high && same(*point.of_uln, *point.number / *point.high);
  return quotient ? kShort : add_whole(*point.of_uln);
}

unsigned PointPacker::add_whole(double number) {
  points_.append(reinterpret_cast<const char*>(&number), sizeof number);
  return kWhole;
}

std::vector<PointData> unpack_points(std::string_view packed, std::size_t count) {
  Unpacker head(packed);
  const std::size_t size = head.integer();
  Unpacker unpacker(head.text(size));
  std::vector<PointData> points(count);
  const PointData none;
  const PointData* before = &none;
  for (PointData& point : points) {
    unpacker.read(point, *before);
    before = &point;
  }
  TW_CHECK(unpacker.at_end());
  return points;
}

std::vector<PointName> unpack_names(std::string_view packed, std::size_t count) {
  Unpacker unpacker(packed);
  (void)unpacker.text(unpacker.integer());
  std::vector<PointName> names(count);
  std::string text;
  for (PointName& name : names) {
    text.resize(unpacker.integer());
    text += unpacker.text(unpacker.integer());
    name = text;
  }
  TW_CHECK(unpacker.at_end());
  return names;
}

}  // namespace trialward::monitor
