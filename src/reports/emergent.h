// Adverse events of treated subjects, and which of them emerged under treatment. Pure.
#pragma once

#include <string_view>

#include "reports/context.h"
#include "reports/dataset.h"

namespace trialward::reports {

// It began on or after the day of the first dose, as far as its date says: a partial date is
// compared at the precision that both have, and without a date it counts.
bool treatment_emergent(const Dataset& data, const Entry& event);

// Of a subject with an arm that was treated, in the report's scope.
bool in_safety(const Context& context, const Entry& event);

// The attribute that the study's settings name for it; "UNCODED" where there is none.
std::string_view body_system(const Dataset& data, const Entry& event);

}  // namespace trialward::reports
