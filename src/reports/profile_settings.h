// What the profile of a subject draws: [profile] in a study's reports.toml. Its lists have all
// records, whatever is drawn.
//
//   labs, vitals, questionnaires   lists of codes, in the order of their lanes (default: all codes,
//                     by category and name)
#pragma once

#include <string>
#include <vector>

#include "model/record.h"
#include "model/table_reader.h"

namespace trialward::reports {

struct ProfileSettings {
  std::vector<std::string> labs, vitals, questionnaires;  // empty: all

  const std::vector<std::string>& codes(model::Kind kind) const;  // of a measured kind
};

// Faults go to the table's.
ProfileSettings read_profile_settings(model::TableReader& table);

}  // namespace trialward::reports
