// Where a tree of conditions holds in what is remembered of a subject. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

// Instants lie well within this; windows may be added to them.
inline constexpr std::int64_t kInstantMsMax = std::int64_t{1} << 50;

struct Span {
  std::int64_t from_ms = -kInstantMsMax, until_ms = kInstantMsMax;  // both included
};

// The condition holds at an instant, that of the last record it takes, because of these records.
struct Hit {
  std::int64_t at_ms = 0;
  std::int64_t record = 0;           // the last one it takes; what a count counts
  std::vector<std::int64_t> causes;  // ascending, each once
};

// The hits within a span, in the order of their instants. `series` has an entry for each index
// that the tree names.
std::vector<Hit> hits(const Node& node, const std::vector<const Series*>& series, Span span);

}  // namespace trialward::monitor
