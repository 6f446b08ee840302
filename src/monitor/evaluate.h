// Where a tree of conditions holds in what is remembered of a subject. Pure.
#pragma once

#include <vector>

#include "monitor/hit.h"
#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

// The hits within a span, in the order of their instants. `series` has an entry for each index
// that the tree names.
Hits hits(const Node& node, const std::vector<const Series*>& series, Span span);

}  // namespace trialward::monitor
