#include "monitor/watch_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/sha256.h"
#include "monitor/evaluate.h"
#include "monitor/leb128.h"

namespace trialward::monitor {
namespace {

constexpr char kVersion = 2;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kNameBytesMax = 1025;  // two ids of 128 characters of up to 4 bytes

enum PointFlag : std::uint8_t {
  kSuperseded = 1,
  kMarked = 2,
  kHasNumber = 4,
  kHasMultiple = 8,
  kHasLow = 16,
  kHasHigh = 32,
};

std::string checksum(std::string_view bytes) {
  return std::string(base::as_bytes(base::sha256(bytes)).substr(0, kChecksumBytes));
}

std::size_t shared_bytes(std::string_view a, std::string_view b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

class Writer {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) { append_leb128(bytes_, value); }
  void difference(std::int64_t value, std::int64_t before) {
    number(zigzag(value, before));
  }
  void real(double value) {
    static_assert(std::endian::native == std::endian::little);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) { bytes_.append(text); }

  void point(const Point& point, const Point& before) {
    difference(point.at_ms, before.at_ms);
    const std::size_t shared = shared_bytes(point.name, before.name);
    number(shared);
    number(point.name.size() - shared);
    text(point.name.view().substr(shared));
    difference(point.record, before.record);
    byte(static_cast<std::uint8_t>(
        (point.superseded ? kSuperseded : 0) | (point.marked ? kMarked : 0) |
        (point.number ? kHasNumber : 0) | (point.of_uln ? kHasMultiple : 0) |
        (point.low ? kHasLow : 0) | (point.high ? kHasHigh : 0)));
    number(point.bits);
    for (const auto& one : {point.number, point.of_uln, point.low, point.high}) {
      if (one) real(*one);
    }
  }

  std::string take() {
    bytes_ += checksum(bytes_);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Reads as long as it is ok(); after the first fault everything is 0. What it accepts beyond what
// Writer writes, load_series finds by writing it again.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  std::uint8_t byte() {
    const std::string_view one = text(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
      if (next < 0x80) return value;
    }
    return fail();
  }
  std::uint64_t number(std::uint64_t max) {
    const std::uint64_t value = number();
    return value <= max ? value : fail();
  }
  std::int64_t difference(std::int64_t before) { return from_zigzag(number(), before); }
  double real() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    const auto value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) fail();
    return value;
  }
  std::string_view text(std::size_t size) {
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Point point(const Point& before) {
    Point point;
    point.at_ms = difference(before.at_ms);
    const std::uint64_t shared = number(before.name.size());
    std::string name(before.name.view().substr(0, shared));
    name += text(number(kNameBytesMax - shared));
    point.name = name;
    point.record = difference(before.record);
    const std::uint8_t flags = byte();
    point.superseded = (flags & kSuperseded) != 0;
    point.marked = (flags & kMarked) != 0;
    point.bits = number();
    if ((flags & kHasNumber) != 0) point.number = real();
    if ((flags & kHasMultiple) != 0) point.of_uln = real();
    if ((flags & kHasLow) != 0) point.low = real();
    if ((flags & kHasHigh) != 0) point.high = real();
    const bool fits =
        std::abs(static_cast<double>(point.at_ms)) < kInstantMsMax && point.record > 0;
    if (!fits) fail();
    return point;
  }

 private:
  std::uint64_t fail() {
    ok_ = false;
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

base::Error corrupt(const char* what) {
  return {base::Errc::corrupt, std::string("a saved watch ") + what};
}

}  // namespace

std::string save_series(const std::vector<Series>& all) {
  Writer writer;
  std::size_t next = 0;
  for (std::size_t index = 0; index < all.size(); ++index) {
    const Series& series = all[index];
    if (series.seen() == 0) continue;
    if (next == 0) writer.byte(kVersion);
    writer.number(index + 1 - next);
    next = index + 1;
    writer.number(series.seen());
    const std::vector<Point> points = series.points();
    writer.number(points.size());
    const Point none;
    const Point* before = &none;
    for (const Point& point : points) {
      writer.point(point, *before);
      before = &point;
    }
  }
  return next == 0 ? std::string() : writer.take();
}

base::Result<std::vector<Series>> load_series(std::string_view saved, std::size_t count) {
  std::vector<Series> all(count);
  if (saved.empty()) return all;
  if (saved.front() != kVersion) return corrupt("has another version");
  if (saved.size() <= kChecksumBytes || checksum(saved.substr(0, saved.size() - kChecksumBytes)) !=
                                            saved.substr(saved.size() - kChecksumBytes)) {
    return corrupt("does not have its checksum");
  }
  Reader reader(saved.substr(1, saved.size() - kChecksumBytes - 1));
  for (std::size_t next = 0; reader.ok() && !reader.at_end();) {
    const std::uint64_t distance = reader.number(count - next);
    next += distance;
    const std::uint64_t seen = reader.number();
    std::vector<Point> points(reader.number(Series::kPointsMax));
    const Point none;
    const Point* before = &none;
    for (Point& point : points) {
      point = reader.point(*before);
      before = &point;
      if (!reader.ok()) break;
    }
    if (!reader.ok() || distance == 0) return corrupt("cannot be read");
    auto series = Series::restore(seen, std::move(points));
    if (!series) return corrupt("has points that cannot be of one series");
    all[next - 1] = std::move(*series);
  }
  if (!reader.ok() || save_series(all) != saved) return corrupt("was written by something else");
  return all;
}

}  // namespace trialward::monitor
