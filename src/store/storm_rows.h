// Storms: one rule's alerts of many subjects within a short time. Each alert stays in its own
// right, but whoever is on call is told of the storm and not of each alert. It is named by the
// alert that made it one, its lead; that alert's events tell of it, and its row in alert_storms
// counts and waits for all of them. The row is a cache of the events, like alert_states.
// All inside the transaction of the event.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/alert_life.h"
#include "model/escalation.h"
#include "store/writer.h"

namespace trialward::store {

struct StormRow {
  std::int64_t lead = 0;
  std::int64_t count = 0;  // alerts
  bool waits = false;      // one of them does, for somebody to acknowledge it
  int tier = 0;            // that was told last
};

// The storm that an alert of the rule that is raised now belongs to.
base::Result<std::optional<StormRow>> current_storm(Connection& connection, std::int64_t study,
                                                    std::string_view rule,
                                                    const model::StormLimit& limit,
                                                    std::int64_t now_ms);
base::Result<std::optional<StormRow>> read_storm(Connection& connection, std::int64_t lead);

// Whether an alert that is raised now, of this subject, makes a storm with those before it: then
// the alerts of the rule that wait by themselves, without it. Nothing when there are too few
// subjects.
struct Gathering {
  std::int64_t study = 0;
  std::string_view rule;
  std::int64_t subject = 0;
  std::int64_t now_ms = 0;
};
base::Result<std::optional<std::vector<std::int64_t>>> gathering_storm(
    Connection& connection, const Gathering& of, const model::StormLimit& limit);

// Keeps alert_storms in step with what an event has made of one alert; for put_alert_life.
base::Status count_in_storm(Writer& writer, std::int64_t alert,
                            const std::optional<model::AlertLife>& before,
                            const model::AlertLife& after, std::int64_t at_ms);
// A storm's tier was told.
base::Status storm_told(Writer& writer, std::int64_t lead, int tier, std::int64_t at_ms);

}  // namespace trialward::store
