// Who belongs to which population of a study. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/dataset.h"

namespace trialward::reports {

// A population with its members: one flag for each of Dataset::subjects.
struct Members {
  std::string id, title;
  std::vector<bool> is_member;
};

// "itt", "safety", then those of the settings, in their order. The dataset holds the settings'
// population_domains().
std::vector<Members> populations_of(const Dataset& data);

}  // namespace trialward::reports
