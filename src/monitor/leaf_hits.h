// Where the leaves of a tree of conditions hold in what is remembered of a subject. Pure.
//
// Nothing is said of what hangs on points that are forgotten: see Series::gap.
#pragma once

#include <vector>

#include "monitor/hit.h"
#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

// Adds the leaf's hits within a span, in no particular order. `series` has an entry for each index
// that the leaf names.
void add_leaf_hits(const Leaf& leaf, const std::vector<const Series*>& series, Span span,
                   Hits& found);

// Whether points are forgotten that may have lain within a span.
bool forgot_within(const Series& series, Span span);

}  // namespace trialward::monitor
