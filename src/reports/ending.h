// How subjects left the study: their last disposition event that counts. Pure.
#pragma once

#include <optional>
#include <vector>

#include "reports/dataset.h"

namespace trialward::reports {

// For each of Dataset::subjects; null while there is none. Which events count is the settings'
// affair ([dispositions]).
std::vector<const Entry*> endings_of(const Dataset& data);

// Whether an ending is none of those that the settings call completed.
bool is_dropout(const Dataset& data, const Entry& ending);

// Whether a subject had left before a day. A date that is not whole decides as far as it goes: who
// left in 2014-02 had not before 2014-02-20, as far as is known.
bool left_before(const Entry* ending, std::int32_t day);

// The day (days since 1970-01-01) that the positions of a dataset lie in, in UTC.
std::int32_t today_of(const Dataset& data);

}  // namespace trialward::reports
