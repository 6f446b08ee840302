// What laboratories measure, and what a mole of it weighs: a table by CDISC's LBTESTCD.
// Read-only; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "ucum/unit.h"

namespace trialward::ucum {

struct Analyte {
  std::string_view code, name;
  MolarMass molar_mass;
  std::string_view basis;  // what the molar mass is of, and by whose convention
  // Laboratories differ in what a mole of it is, as of a protein or of its chains, and not in what
  // a gram is. Of others it is the gram: of phosphate, or of the phosphorus in it.
  bool moles_differ = false;
};

// Nothing when the table does not have it. Case counts.
const Analyte* analyte(std::string_view code);
const std::vector<Analyte>& analytes();  // sorted by code

}  // namespace trialward::ucum
