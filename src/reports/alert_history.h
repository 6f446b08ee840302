// The alerts of a study as of recorded positions: what their events up to then made of them, by
// the same rules as in model/alert_life.h. Read once with the records; see dataset.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "model/alert_life.h"
#include "reports/readers.h"
#include "reports/words.h"

namespace trialward::reports {

class Dataset;
struct Source;

struct AlertHistory {
  std::int64_t alert = 0;
  std::uint32_t subject = 0;  // index into Dataset::subjects
  Word rule = 0, title = 0, severity = 0;
  std::int64_t raised_ms = 0;
  std::optional<std::int64_t> acknowledged_ms;  // the last time; none while it is open
  std::optional<model::AlertLife> life;         // always there once it is loaded
  std::vector<std::int64_t> causes;             // record ids, as they came; ended ones, too
};

// Appends the alerts of the dataset's subjects, who are sorted by id, in the order of their first
// events, to Dataset::alerts; nothing if they are none of its domains. Pages as load_dataset does.
// Errors: corrupt, refused (bytes_max of the source), those of Readers.
base::Status load_alerts(const Source& source, const Reading& reading, Dataset& data);

}  // namespace trialward::reports
