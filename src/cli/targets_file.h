// --targets: the file of who is told of alerts (delivery/targets.h), read and checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "delivery/targets.h"

namespace trialward::cli {

// Null when it has faults, each told on standard error with its line. `studies`: the ids that are
// served.
std::shared_ptr<const delivery::Targets> load_targets_file(const std::string& path,
                                                           const std::vector<std::string>& studies);

// Whether the escalation of the study in a folder names targets of the file alone; each other name
// is told on standard error with its line.
bool names_its_targets(const std::string& folder, const model::Study& study,
                       const delivery::Targets& targets);

}  // namespace trialward::cli
