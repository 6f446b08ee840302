// An alert: a rule holds for a subject, and somebody must look. Until it is acknowledged, further
// records for which the rule holds join it; afterwards the next raises a new one. What may happen
// to it is in alert_life.h.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/alert_detail.h"
#include "model/alert_life.h"

namespace trialward::model {

// A record by the names its sender knows.
struct RecordName {
  std::int64_t id = 0;
  std::string source, source_id;
};

struct Alert {
  std::int64_t id = 0;
  std::string subject, site;
  std::string rule;
  int rule_version = 1;
  std::string title, severity;
  std::int64_t raised_ms = 0;
  std::int64_t definition = 0;
  std::vector<RecordName> records;  // what caused it, oldest first
  std::set<std::int64_t> ended;     // those of them that are no reasons for it any more
  AlertLife life;
  std::string finding;  // what its rule last said of them, such as a grade; may be empty
  // Of the last acknowledgement; none while the alert is open.
  std::optional<std::int64_t> acknowledged_ms;
  std::string acknowledged_by, note;
  std::optional<Assessment> assessment;  // the last one
  std::vector<ReadBack> values;          // what an acknowledgement reads back
  std::int64_t duplicates = 0;           // alerts that were merged into it

  std::string_view status() const { return life.open() ? "open" : "acknowledged"; }
};

// Something that happened to an alert. Events are numbered within their study from 1 without a gap.
struct AlertEvent {
  std::int64_t number = 0;
  AlertEventType type = AlertEventType::raised;
  std::int64_t at_ms = 0;
  std::string actor;
  std::string note;  // of who acknowledged it, or what the rule found (Match::detail)
  std::vector<RecordName> causes;  // the records that this event added
  AlertDetail detail;
  // Of the alert:
  std::int64_t alert = 0;
  std::string subject, site, rule, title, severity;
  bool historical = false;  // it is at present
};

std::string to_json(const Alert& alert);
std::string to_json(const AlertEvent& event);

}  // namespace trialward::model
