#include "cli/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace trialward::cli {
namespace {

using std::chrono::microseconds;

// Values below 128 have a bucket each. Above, a value of 7 + e bits is known by its upper 7 bits:
// they are 64 to 127, so the buckets of e follow those of e - 1 at once.
constexpr unsigned kKeptBits = 7;
constexpr unsigned kHalf = 1U << (kKeptBits - 1);
constexpr unsigned kValueBits = 36;
constexpr std::uint64_t kValueMax = (std::uint64_t{1} << kValueBits) - 1;

struct Bucket {
  unsigned shift = 0;
  std::uint64_t upper = 0;

  std::size_t index() const { return shift * kHalf + upper; }
};

Bucket bucket_of(std::uint64_t value) {
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = bits > kKeptBits ? bits - kKeptBits : 0;
  return {shift, value >> shift};
}

// The largest value that falls into a bucket.
std::uint64_t last_of(std::size_t index) {
  const auto shift = static_cast<unsigned>(index < 2 * kHalf ? 0 : index / kHalf - 1);
  const std::uint64_t upper = index - shift * kHalf;
  return ((upper + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(bucket_of(kValueMax).index() + 1) {}

void LatencyHistogram::record(base::Duration took) {
  took = std::max(took, base::Duration::zero());
  max_ = std::max(max_, took);
  // Rounded up: a latency is never understated.
  const auto us = static_cast<std::uint64_t>(std::chrono::ceil<microseconds>(took).count());
  ++buckets_[bucket_of(std::min(us, kValueMax)).index()];
  ++count_;
}

base::Duration LatencyHistogram::quantile(double share) const {
  TW_CHECK(share > 0 && share <= 1);
  if (count_ == 0) return {};
  // A product that is a whole number but for the last bit of a double must not be rounded up.
  const double rank = std::ceil(share * static_cast<double>(count_) * (1 - 1e-12));
  std::uint64_t left = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] >= left) {
      return std::min<base::Duration>(max_, microseconds(last_of(i)));
    }
    left -= buckets_[i];
  }
  return max_;
}

void LatencyCurve::record(base::Duration at, base::Duration took) {
  if (const std::int64_t window = at / kWindow; window != window_) {
    if (times_.count() > 0 && ended_.size() < kWindowsMax) ended_.push_back(point());
    window_ = window;
    times_ = {};
  }
  times_.record(took);
}

std::vector<LatencyCurve::Point> LatencyCurve::points() const {
  std::vector<Point> all = ended_;
  if (times_.count() > 0 && all.size() < kWindowsMax) all.push_back(point());
  return all;
}

}  // namespace trialward::cli
