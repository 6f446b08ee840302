// The rows of alerts, of their events, and of what is open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/alert.h"
#include "model/escalation.h"
#include "model/record.h"
#include "model/watch.h"
#include "store/writer.h"

namespace trialward::store {

// Whose alert it is, and who is told of it.
struct AlertPlace {
  std::int64_t study = 0;
  std::int64_t subject = 0;  // the subject's row
  std::string_view site;
  std::int64_t definition = 0;
  int shard = 0;
  const model::Escalation* escalation = nullptr;  // of the study; null: only the stream is told
  bool historical = false;  // what causes it is about the past: nobody is told or waited for
};

// Raises an alert, or adds to the open one of the same subject, rule and group the causes that it
// does not have yet. What is historical and what is not are never one alert. The numbers of the
// events that this made in the study, in their order: none when the open alert had all causes
// already, and more than one when the alert makes a storm. Inside a transaction.
struct AlertChange {
  std::int64_t alert = 0;
  bool raised = false;
  std::vector<std::int64_t> events;
  // The one event that raised it, for whom reading it back would take too long; nothing in a storm,
  // or when it is another one. Without the name of the subject and those of the causes.
  std::optional<model::AlertEvent> told;
};
base::Result<AlertChange> raise_or_join(Writer& writer, const AlertPlace& place,
                                        const model::RuleInfo& rule, const model::Match& match,
                                        const Act& act);

// Something that happens to an alert. `act`'s reason is the event's note.
struct AlertStep {
  model::AlertEventType type = model::AlertEventType::raised;
  std::vector<std::int64_t> causes = {};  // records that the alert does not have yet
  model::AlertDetail detail = {};
};

// Appends a later event with its detail, and what it makes of the alert (model/alert_life.h). The
// number of the event in the study. Inside a transaction. Errors: conflict when the alert's state
// does not allow it; the message names what it does. step_alert finds the place; not_found when the
// study has no such alert.
base::Result<std::int64_t> append_alert_event(Writer& writer, const AlertPlace& place,
                                              std::int64_t alert, const AlertStep& step,
                                              const Act& act);
base::Result<std::int64_t> step_alert(Writer& writer, std::int64_t study, std::int64_t alert,
                                      const AlertStep& step, const Act& act);

// The rule holds for an alert no longer (or again), because of these records: a correction, or one
// that came late. The alert is kept in its state; while it does not hold nobody is called for it.
// The event's number; nothing when it is so already. Errors: not_found.
struct Revision {
  bool holds = false;
  std::vector<std::int64_t> because;
  std::string_view reason;
};
base::Result<std::optional<std::int64_t>> revise_alert(Writer& writer, std::int64_t study,
                                                       std::int64_t alert,
                                                       const Revision& revision, const Act& act);

// Whether an alert becomes a delivered one when the event of this row arrives: it is still raised,
// and was not reopened since the event.
base::Result<bool> first_arrival(Connection& connection, std::int64_t alert, std::int64_t event);

// The site that an alert of a study is of. Errors: not_found.
base::Result<std::string> alert_site(Connection& connection, std::int64_t study,
                                        std::int64_t alert);

// Errors: not_found.
base::Result<model::AlertSeverity> alert_severity(Connection& connection, std::int64_t alert);

// Alerts of a study with an id above `after`, up to `until` if it is not 0, in order of their ids.
// `site`, `status` (open or acknowledged), `state`, `storm`, `historical`: only these; empty or 0
// for all.
struct AlertPage {
  std::int64_t study = 0;
  std::int64_t after = 0, until = 0;
  std::string site, status, state;
  std::int64_t storm = 0;
  std::optional<bool> historical = std::nullopt;
  std::size_t limit = 500;
};
base::Result<std::vector<model::Alert>> read_alerts(Connection& connection, const AlertPage& page);

// The events numbered above `after`, in order.
base::Result<std::vector<model::AlertEvent>> read_alert_events(Connection& connection,
                                                               std::int64_t study,
                                                               std::int64_t after,
                                                               std::size_t limit);
// The same of one alert.
base::Result<std::vector<model::AlertEvent>> read_alert_history(Connection& connection,
                                                                std::int64_t study,
                                                                std::int64_t alert,
                                                                std::int64_t after,
                                                                std::size_t limit);
// The alerts that a record is a cause of.
base::Result<std::vector<std::int64_t>> alerts_of_record(Connection& connection,
                                                         std::int64_t record);

// The number of the study's newest event; 0 when there is none.
base::Result<std::int64_t> last_alert_event(Connection& connection, std::int64_t study);

}  // namespace trialward::store
