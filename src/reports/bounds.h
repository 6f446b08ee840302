// The reference ranges of measurements, and results that are limits. A study has few that differ,
// so each is kept once, and measurements point to it: of a large dataset that is a third.
// Filled by one thread, then read by any.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

namespace trialward::reports {

// Numbers are NaN where there is none.
struct Bounds {
  double sent_low, sent_high;  // in the unit as sent
  double low, high;            // in the code's own unit
  double limit;  // of a text "<0.2" or ">40", as sent
};

class BoundsTable {
 public:
  // What it gives stays where it is until the table goes.
  const Bounds* add(const Bounds& bounds);
  std::size_t bytes() const { return all_.size() * (sizeof(Bounds) + kOverhead); }

 private:
  static constexpr std::size_t kOverhead = 32;  // of the map's node and bucket

  std::deque<Bounds> all_;
  std::unordered_multimap<std::uint64_t, const Bounds*> known_;  // by a digest of their bits
};

// The number that a text is, whole; NaN for others.
double number_of(std::string_view text);
// Of a result beyond what was measured: "<0.2", ">= 40"; NaN for others.
double limit_of(std::string_view text);

}  // namespace trialward::reports
