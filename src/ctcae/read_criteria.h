// Reads a table of criteria (tables/v5.toml) and checks it. Every fault is listed, with its line,
// the term and the grade.
//
//   version, full_version   "5", "5.0"
//   [[terms]]  term, soc    as the NCI names them
//              direction    "low" | "high": which way a value is worse
//              si, us       the units of the limits: one SI unit, and other spellings and the
//                           US-conventional ones; absent where all limits are multiples of the
//                           reference range or of the baseline, or have no unit
//              also         further units in which the NCI's text has limits
//              analyte      whose molar mass converts between mass and amount (ucum/analyte.h)
//              needs        ["LLN" | "ULN" | "baseline"]: nothing is graded without
//              refer        { when, text }: where another term is the one to use
//              grades       lines, the lowest grade first:
//                 grade       1 to 4; two lines may have the same
//                 text        the NCI's
//                 when        a condition, or several of which one must hold (read_when.h)
//                 judgement   true in place of `when`: no value shows it
//                 assumes, otherwise   the finding that is assumed, and the grade without it
//
// Of two lines that ask the same in the same way, that of the higher grade must ask for more.
#pragma once

#include <string_view>

#include "base/result.h"
#include "ctcae/criteria.h"
#include "model/fault.h"
#include "model/study.h"

namespace trialward::ctcae {

inline constexpr std::size_t kTermsMax = 500;
inline constexpr std::size_t kLinesMax = 16;       // of one term
inline constexpr std::size_t kConditionsMax = 8;   // of one line

base::Result<Criteria, model::DefinitionFaults> read_criteria(const model::DefinitionFile& file);

}  // namespace trialward::ctcae
