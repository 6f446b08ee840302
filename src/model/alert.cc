#include "model/alert.h"

#include <array>
#include <span>

#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::model {
namespace {

constexpr std::array<std::string_view, 3> kEventTypes = {"raised", "joined", "acknowledged"};

void put_names(base::JsonWriter& json, std::string_view key, std::span<const RecordName> names) {
  json.key(key).begin_array();
  for (const RecordName& name : names) {
    json.begin_object()
        .member("id", name.id)
        .member("source", name.source)
        .member("source_id", name.source_id)
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string_view to_string(AlertEventType type) {
  return kEventTypes[static_cast<std::size_t>(type)];
}

std::optional<AlertEventType> parse_alert_event_type(std::string_view text) {
  for (std::size_t i = 0; i < kEventTypes.size(); ++i) {
    if (kEventTypes[i] == text) return static_cast<AlertEventType>(i);
  }
  return std::nullopt;
}

std::string to_json(const Alert& alert) {
  base::JsonWriter json;
  json.begin_object()
      .member("id", alert.id)
      .member("rule", alert.rule)
      .member("rule_version", alert.rule_version)
      .member("title", alert.title)
      .member("severity", alert.severity)
      .member("status", alert.status())
      .member("subject", alert.subject)
      .member("site", alert.site)
      .member("raised", format_utc(alert.raised_ms))
      .member("definition", alert.definition)
      .member_if("finding", alert.finding);
  if (alert.acknowledged_ms) {
    json.member("acknowledged", format_utc(*alert.acknowledged_ms))
        .member("acknowledged_by", alert.acknowledged_by)
        .member("note", alert.note);
  }
  put_names(json, "records", alert.records);
  return json.end_object().take();
}

std::string to_json(const AlertEvent& event) {
  base::JsonWriter json;
  json.begin_object()
      .member("number", event.number)
      .member("type", to_string(event.type))
      .member("at", format_utc(event.at_ms))
      .member("actor", event.actor)
      .member_if("note", event.note)
      .member("alert", event.alert)
      .member("rule", event.rule)
      .member("title", event.title)
      .member("severity", event.severity)
      .member("subject", event.subject)
      .member("site", event.site);
  put_names(json, "records", event.causes);
  return json.end_object().take();
}

}  // namespace trialward::model
