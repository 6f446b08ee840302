// What an alert's events have made of it: the rows of alert_states and alert_storms, read and
// brought up to date. Both are caches of the events; only append_alert_event (alert_rows.h) and
// storm_rows.h write them, in the transaction of the event.
#pragma once

#include <cstdint>
#include <optional>

#include "model/alert_life.h"
#include "model/watch.h"
#include "store/writer.h"

namespace trialward::store {

// Nothing when there is no such alert.
base::Result<std::optional<model::AlertLife>> read_alert_life(Connection& connection,
                                                              std::int64_t alert);
// Writes what its first event made of an alert.
struct NewAlert {
  std::int64_t id = 0, study = 0;
  model::AlertSeverity severity = model::AlertSeverity::info;
};
base::Status put_new_life(Writer& writer, const NewAlert& alert, const model::AlertLife& life,
                          std::int64_t at_ms);
// Writes what a later one made of it.
struct AlertChangeCause {
  model::AlertEventType type = model::AlertEventType::raised;
  std::int64_t at_ms = 0;
  bool of_storm = false;  // a storm was told to its next tier, and not the alert that leads it
};
base::Status put_alert_life(Writer& writer, std::int64_t alert, const model::AlertLife& before,
                            const model::AlertLife& after, const AlertChangeCause& cause);

}  // namespace trialward::store
