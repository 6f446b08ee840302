// A whole number of any size, not negative; as much arithmetic as exact tests need. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace trialward::reports {

class Whole {
 public:
  explicit Whole(std::uint32_t number = 0);

  void add(const Whole& other);
  void multiply(std::uint32_t factor);
  // The remainder must be 0 (checked).
  void divide_exactly(std::uint32_t divisor);

  // -1, 0, 1
  static int order(const Whole& a, const Whole& b);
  // a / b to about 2^-63 of itself; b is not 0.
  static double ratio(const Whole& a, const Whole& b);

 private:
  // As top * 2^exponent, top with its highest bit set.
  long double top(std::int64_t& exponent) const;
  void trim();

  std::vector<std::uint32_t> digits_;  // the lowest first, none of them leading zeros
};

}  // namespace trialward::reports
