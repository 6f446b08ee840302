// The language of `when` in the tables: what must hold for a line to apply. Pure; expected faults
// are answers that name the word at fault.
//
//   condition = clause { " and " clause } [ " if known" ]
//   clause    = op limit                   of the value
//             | "change" op number "%"     of the change from the baseline; a fall is below 0
//             | "baseline high" | "baseline not high" | "baseline low" | "baseline not low"
//             | "adult" | "child" | "male" | "female"
//   op        = "<" | "<=" | ">" | ">="
//   limit     = [ number " x " ] reference [ " + " amounts ]
//             | amounts
//   reference = "LLN" | "ULN" | "baseline" | "upper"     upper: the baseline if it is above the
//                                                        ULN, else the ULN
//   amounts   = number unit { " | " number unit }        each unit of the term once
//             | number                                   where the term has no units
// Words are parted by one blank. "if known": what is missing counts as not holding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctcae/criteria.h"

namespace trialward::ctcae {

inline constexpr std::size_t kWhenCharsMax = 400;
inline constexpr std::size_t kClausesMax = 8;

// The error is the reason.
base::Result<Condition, std::string> read_when(std::string_view text,
                                               const std::vector<std::string>& units);

}  // namespace trialward::ctcae
