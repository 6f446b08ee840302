// One record as a series remembers it. A subject has hundreds of these, and a server thousands of
// subjects: so they are small, and most of what a rule asks is in one cache line.
// Plain values; one thread.
#pragma once

#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

namespace trialward::monitor {

// A number or none, in the eight bytes of the number: NaN, which nobody remembers, stands for none.
class OptionalNumber {
 public:
  OptionalNumber() = default;
  OptionalNumber(double value) : value_(value) {}  // NOLINT: as of std::optional
  OptionalNumber(const std::optional<double>& value) {  // NOLINT: the same
    if (value) value_ = *value;
  }

  bool has_value() const { return !std::isnan(value_); }
  explicit operator bool() const { return has_value(); }
  double operator*() const { return value_; }
  double value_or(double other) const { return has_value() ? value_ : other; }
  void reset() { value_ = kNone; }
  operator std::optional<double>() const {  // NOLINT: the same
    return has_value() ? std::optional(value_) : std::nullopt;
  }
  friend bool operator==(const OptionalNumber& a, const OptionalNumber& b) {
    return a.value_ == b.value_ || (!a.has_value() && !b.has_value());
  }

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double value_ = kNone;
};

// Source, a zero byte, source id: sorts as the pair does. Up to 64 KiB, in a block of just its
// size; the empty one has none.
class PointName {
 public:
  PointName() = default;
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  PointName(const Text& text) {  // NOLINT: as of std::string
    assign(text);
  }
  PointName(std::string_view source, std::string_view source_id);
  PointName(const PointName& other) { assign(other.view()); }
  PointName(PointName&&) noexcept = default;
  PointName& operator=(const PointName& other);
  PointName& operator=(PointName&&) noexcept = default;
  ~PointName() = default;

  std::string_view view() const;
  operator std::string_view() const { return view(); }  // NOLINT: as of std::string
  std::size_t size() const { return view().size(); }
  // What it takes beside itself.
  std::size_t bytes() const;

  friend bool operator==(const PointName& a, const PointName& b) { return a.view() == b.view(); }
  friend auto operator<=>(const PointName& a, const PointName& b) { return a.view() <=> b.view(); }

 private:
  char* make(std::size_t size);  // where the text goes
  void assign(std::string_view text);

  std::unique_ptr<char[]> block_;  // two bytes for the size, and the text
};

// All but the name.
struct PointData {
  std::int64_t at_ms = 0;
  std::int64_t record = 0;
  bool superseded = false;
  bool marked = false;       // as a baseline
  OptionalNumber number;     // in the code's own unit; only where values are compared
  OptionalNumber of_uln;     // in multiples of the upper limit; only where those are compared
  OptionalNumber low, high;  // its reference range; only where values are graded
  std::uint64_t bits = 0;    // which of the series' tests hold, see Track
};

struct Point : PointData {
  PointName name;
};
static_assert(sizeof(Point) == 72);

inline bool operator<(const Point& a, const Point& b) {
  return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.name < b.name;
}

}  // namespace trialward::monitor
