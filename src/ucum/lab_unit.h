// Units as laboratories, sites and datasets write them, which is often not as UCUM does: "THOU/uL",
// "10E3/uL", "MMOL/L", "mmHg", "F", "µmol/L". CDISC's codelist UNIT has many of these spellings.
//
// A spelling may be read in more than one way: G/L is grams per litre, 10^9/L (as giga per litre),
// and to UCUM gauss per litre. The readings are tried in the order
//   1. the spellings listed as never meant as UCUM has them ("C" is no coulomb, "K/uL" no kelvin);
//   2. UCUM; but after 3 when the text has capital letters alone ("MG/L", "PG")
//   3. what stands between the slashes, piece by piece: each by UCUM or by a table, in any case
//   4. the same with U for [iU] and IU for U
// and the first that measures what is expected wins, else the first.
//
// Pure functions; any thread. What cannot be read is an error with the text and what UCUM says.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ucum/unit.h"

namespace trialward::ucum {

struct LabUnit {
  Unit unit;              // its text is what was written
  std::string ucum;       // how UCUM writes it
  std::string_view from;  // which reading it is: "UCUM", or the table's name
};

// `like`: a unit of the kind that is expected, or null.
base::Result<LabUnit> parse_lab_unit(std::string_view text, const Unit* like = nullptr);

}  // namespace trialward::ucum
