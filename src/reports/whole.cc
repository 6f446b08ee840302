#include "reports/whole.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace trialward::reports {
namespace {

constexpr int kBits = 32;

}  // namespace

Whole::Whole(std::uint32_t number) {
  if (number != 0) digits_.push_back(number);
}

void Whole::add(const Whole& other) {
  if (digits_.size() < other.digits_.size()) digits_.resize(other.digits_.size());
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < digits_.size(); ++i) {
    carry += digits_[i];
    if (i < other.digits_.size()) carry += other.digits_[i];
    digits_[i] = static_cast<std::uint32_t>(carry);
    carry >>= kBits;
  }
  if (carry != 0) digits_.push_back(static_cast<std::uint32_t>(carry));
}

void Whole::multiply(std::uint32_t factor) {
  std::uint64_t carry = 0;
  for (std::uint32_t& digit : digits_) {
    carry += static_cast<std::uint64_t>(digit) * factor;
    digit = static_cast<std::uint32_t>(carry);
    carry >>= kBits;
  }
  if (carry != 0) digits_.push_back(static_cast<std::uint32_t>(carry));
  trim();
}

void Whole::divide_exactly(std::uint32_t divisor) {
  std::uint64_t rest = 0;
  for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit) {
    rest = (rest << kBits) | *digit;
    *digit = static_cast<std::uint32_t>(rest / divisor);
    rest %= divisor;
  }
  TW_CHECK(rest == 0);
  trim();
}

void Whole::trim() {
  while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
}

int Whole::order(const Whole& a, const Whole& b) {
  if (a.digits_.size() != b.digits_.size()) return a.digits_.size() < b.digits_.size() ? -1 : 1;
  for (std::size_t i = a.digits_.size(); i-- > 0;) {
    if (a.digits_[i] != b.digits_[i]) return a.digits_[i] < b.digits_[i] ? -1 : 1;
  }
  return 0;
}

// Three digits are more than a long double holds.
long double Whole::top(std::int64_t& exponent) const {
  long double value = 0;
  const std::size_t from = digits_.size() > 3 ? digits_.size() - 3 : 0;
  for (std::size_t i = digits_.size(); i-- > from;) value = value * 4294967296.0L + digits_[i];
  exponent = static_cast<std::int64_t>(from) * kBits;
  return value;
}

double Whole::ratio(const Whole& a, const Whole& b) {
  TW_CHECK(!b.digits_.empty());
  std::int64_t of_a = 0, of_b = 0;
  const long double value = a.top(of_a) / b.top(of_b);
  // Beyond these a double has no numbers.
  const std::int64_t exponent = std::clamp<std::int64_t>(of_a - of_b, -20'000, 20'000);
  return static_cast<double>(std::ldexp(value, static_cast<int>(exponent)));
}

}  // namespace trialward::reports
