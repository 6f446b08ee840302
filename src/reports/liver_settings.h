// Which laboratory codes tell of the liver: [liver] in a study's reports.toml.
//
//   alt, ast, bilirubin, alp   lists of codes of labs, for those that the study calls otherwise
//                     than SDTM does (default: ["ALT"], ["AST"], ["BILI"], ["ALP"]). Several codes
//                     of one list are the same substance; bilirubin is the total one
#pragma once

#include <string>
#include <vector>

#include "model/table_reader.h"

namespace trialward::reports {

struct LiverSettings {
  std::vector<std::string> alt = {"ALT"}, ast = {"AST"}, bilirubin = {"BILI"}, alp = {"ALP"};
};

// Faults go to the table's: a list without codes, a code that stands in two lists.
LiverSettings read_liver_settings(model::TableReader& table);

}  // namespace trialward::reports
