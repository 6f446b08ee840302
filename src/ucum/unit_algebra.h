// Products and powers of units, checked: their exponents and sizes stay within limits. Pure; the
// error's message is a reason without a place. For read_term.cc and unit.cc.
#pragma once

#include "base/result.h"
#include "ucum/unit.h"

namespace trialward::ucum {

// left * right ^ sign, sign being 1 or -1. Of special units only multiples exist. The text is left
// as it was in `left`.
base::Status multiply_into(Unit& left, const Unit& right, int sign);

// A unit to the power of `exponent`, which special units do not have, but for 1.
base::Status raise(Unit& unit, int exponent);

}  // namespace trialward::ucum
