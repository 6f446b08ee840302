// What waits for somebody to acknowledge it, and since when: single alerts and storms, on the clock
// of boot_row.h. The escalation asks for what is due; a commit asks again before it tells anybody.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/watch.h"
#include "store/connection.h"

namespace trialward::store {

struct Wait {
  std::int64_t alert = 0;  // of a storm: its lead
  bool storm = false;
  model::AlertSeverity severity = model::AlertSeverity::warning;
  int tier = 0;  // that was told last
  std::int64_t since_ms = 0;
  std::int64_t count = 0;  // alerts of the storm
};

// Nothing when the alert (or the storm that it leads) does not wait.
base::Result<std::optional<Wait>> read_wait(Connection& connection, std::int64_t alert,
                                            bool storm);

// Those of a study that wait for the same: a severity and the tier that was told last.
struct WaitClass {
  std::int64_t study = 0;
  model::AlertSeverity severity = model::AlertSeverity::warning;
  int tier = 0;
};
// The longest waiting first: single alerts, then storms.
base::Result<std::vector<Wait>> read_waits(Connection& connection, const WaitClass& of,
                                           std::size_t limit);

}  // namespace trialward::store
