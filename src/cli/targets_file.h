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

}  // namespace trialward::cli
