// AlertRoutes: who outside is told of an alert event. The seam between the commit, which writes
// down that they are to be told, and delivery/, which knows them. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/alert.h"

namespace trialward::model {

class AlertRoutes {
 public:
  virtual ~AlertRoutes() = default;
  // The names of the targets that are to be told of this event of a study; each once.
  virtual std::vector<std::string> targets(std::string_view study,
                                           const AlertEvent& event) const = 0;
};

}  // namespace trialward::model
