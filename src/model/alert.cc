#include "model/alert.h"

#include <span>

#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::model {
namespace {

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
      .member("state", to_string(alert.life.state))
      .member("holds", alert.life.holds)
      .member_if("finding", alert.finding);
  if (alert.life.tier != 0) json.member("tier", alert.life.tier);
  if (alert.life.historical) json.member("historical", true);
  if (alert.life.storm != 0) json.member("storm", alert.life.storm);
  if (alert.life.duplicate_of != 0) json.member("duplicate_of", alert.life.duplicate_of);
  if (alert.duplicates != 0) json.member("duplicates", alert.duplicates);
  if (alert.acknowledged_ms) {
    json.member("acknowledged", format_utc(*alert.acknowledged_ms))
        .member("acknowledged_by", alert.acknowledged_by)
        .member("note", alert.note);
  }
  if (alert.assessment) {
    json.key("assessment")
        .begin_object()
        .member("causality", alert.assessment->causality)
        .member("expectedness", alert.assessment->expectedness)
        .member("action_taken", alert.assessment->action_taken)
        .end_object();
  }
  put_read_backs(json, "values", alert.values);
  put_names(json, "records", alert.records);
  if (!alert.ended.empty()) {
    json.key("ended").begin_array();
    for (const std::int64_t record : alert.ended) json.value(record);
    json.end_array();
  }
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
  if (event.historical) json.member("historical", true);
  put_names(json, "records", event.causes);
  if (const std::string detail = to_json(event.detail); !detail.empty()) {
    json.raw_member("detail", detail);
  }
  return json.end_object().take();
}

}  // namespace trialward::model
