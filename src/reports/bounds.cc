#include "reports/bounds.h"

#include <array>
#include <bit>
#include <charconv>
#include <limits>

namespace trialward::reports {
namespace {

// By their bits: one NaN is another's equal.
std::array<std::uint64_t, 5> bits_of(const Bounds& one) {
  const auto bits = [](double number) { return std::bit_cast<std::uint64_t>(number); };
  return {bits(one.sent_low), bits(one.sent_high), bits(one.low), bits(one.high),
          bits(one.limit)};
}

std::uint64_t digest_of(const std::array<std::uint64_t, 5>& bits) {
  std::uint64_t digest = 0;
  for (const std::uint64_t one : bits) {
    digest = std::rotl(digest ^ one, 29) * 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio
  }
  return digest ^ (digest >> 32);
}

}  // namespace

const Bounds* BoundsTable::add(const Bounds& bounds) {
  const auto bits = bits_of(bounds);
  const std::uint64_t digest = digest_of(bits);
  const auto [from, until] = known_.equal_range(digest);
  for (auto one = from; one != until; ++one) {
    if (bits_of(*one->second) == bits) return one->second;
  }
  const Bounds* added = &all_.emplace_back(bounds);
  known_.emplace(digest, added);
  return added;
}

double number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? number : std::numeric_limits<double>::quiet_NaN();
}

double limit_of(std::string_view text) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (text.empty() || (text.front() != '<' && text.front() != '>')) return kNone;
  const std::size_t digits = text.find_first_not_of("<>= ");
  return digits == text.npos ? kNone : number_of(text.substr(digits));
}

}  // namespace trialward::reports
