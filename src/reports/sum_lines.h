// The lines of a table that sum numbers up, below the one that counts them: mean, SD, median, least
// and greatest, a column for each group.
#pragma once

#include <vector>

#include "reports/context.h"
#include "reports/document.h"
#include "reports/summary.h"

namespace trialward::reports {

// `decimals`: of the numbers themselves. Errors: those of the sink.
base::Status write_sum_lines(const Context& context, const std::vector<Summary>& sums,
                             int decimals, Sink& sink);

}  // namespace trialward::reports
