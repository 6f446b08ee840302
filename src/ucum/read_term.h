// Reads a UCUM expression. The grammar (UCUM's exhibit 1; an annotation may follow a number, too):
//
//   expression  "/" term | term
//   term        component (("." | "/") component)*         from left to right, of equal rank
//   component   symbol [exponent] [annotation] | number [annotation] | annotation | "(" term ")"
//   symbol      a prefix and a metric atom, or an atom; "[...]" within it may have any character
//   exponent    ["+" | "-"] digits, right behind the symbol
//   annotation  "{" any character but braces "}": means nothing, and so is 1
//
// For unit.cc, and for the table of atoms while it is being made. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ucum/atoms.h"
#include "ucum/unit.h"

namespace trialward::ucum {

// The unit, its text as given. When `words` is not null, also the expression in words. The error
// names the expression, the place and the reason.
base::Result<Unit> read_term(std::string_view expression, const AtomTable& table,
                             std::string* words = nullptr);

}  // namespace trialward::ucum
