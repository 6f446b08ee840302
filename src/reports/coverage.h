// What a report may show of a formulary. Reports know none: whoever makes them gives such a
// function, or an empty one. It tells in words whether a plan covers a drug, and by which list;
// "" when nothing is known of the code. It may be called by several threads and must not wait.
//
// The list is that of now, and not as of the report's positions; what is asked for as of an earlier
// moment has no coverage.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace trialward::reports {

using TellCoverage = std::function<std::string(std::string_view rxcui, std::string_view plan)>;

// Where the two are looked for: attributes of the medication's record and of the subject.
inline constexpr std::string_view kRxCuiAttribute = "rxcui";
inline constexpr std::string_view kPlanAttribute = "plan";

}  // namespace trialward::reports
