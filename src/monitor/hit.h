// Where something holds in what is remembered of a subject. Plain values, which borrow names from
// the series: they are good until one changes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace trialward::monitor {

// Instants lie well within this; windows may be added to them.
inline constexpr std::int64_t kInstantMsMax = std::int64_t{1} << 50;

struct Span {
  std::int64_t from_ms = -kInstantMsMax, until_ms = kInstantMsMax;  // both included

  Span widened(std::int64_t before_ms, std::int64_t after_ms) const {
    return {from_ms - before_ms, until_ms + after_ms};
  }
};

// The condition holds at an instant, that of the last record it takes, because of these records.
struct Hit {
  std::int64_t at_ms = 0;
  std::int64_t from_ms = 0;          // the instant of the first record it takes
  std::int64_t record = 0;           // the last one it takes; what a count counts
  std::string_view name;             // that one's, as of Point: ids follow the order of arrival
  std::vector<std::int64_t> causes;  // ascending, each once
};
using Hits = std::vector<Hit>;

// The first hit at or after an instant, of hits in the order of their instants.
Hits::const_iterator first_from(const Hits& hits, std::int64_t at_ms);

// Ascending, each once.
void sort_causes(std::vector<std::int64_t>& causes);

}  // namespace trialward::monitor
