#include "fhir/subscription_notice.h"

#include <array>

#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::fhir {
namespace {

constexpr std::array<std::string_view, 5> kNoticeTypes = {
    "handshake", "heartbeat", "event-notification", "query-status", "query-event"};

std::string place_of(const Notice& notice) {
  return notice.base + "/Subscription/" + std::to_string(notice.subscription);
}

std::string place_of(const Notice& notice, const NoticeEvent& event) {
  return notice.base + "/DetectedIssue/" + std::to_string(event.alert);
}

void write_profile(base::JsonWriter& json, std::string_view name) {
  json.key("meta").begin_object().key("profile").begin_array();
  json.value(std::string(kBackport) + std::string(name)).end_array().end_object();
}

base::JsonWriter& begin_parameter(base::JsonWriter& json, std::string_view name) {
  return json.begin_object().member("name", name);
}

void write_event(base::JsonWriter& json, const Notice& notice, const NoticeEvent& event) {
  begin_parameter(json, "notification-event").key("part").begin_array();
  begin_parameter(json, "event-number").member("valueString", std::to_string(event.number));
  json.end_object();
  begin_parameter(json, "timestamp").member("valueInstant", model::format_utc(event.at_ms));
  json.end_object();
  if (notice.content != PayloadContent::empty) {
    begin_parameter(json, "focus").key("valueReference").begin_object();
    json.member("reference", place_of(notice, event)).end_object().end_object();
  }
  json.end_array().end_object();
}

// One entry for each resource and event: an alert that has changed twice is there twice.
void write_entry(base::JsonWriter& json, const Notice& notice, const NoticeEvent& event) {
  const std::string place = place_of(notice, event);
  json.begin_object().member("fullUrl", place);
  if (!event.resource.empty()) json.raw_member("resource", event.resource);
  json.key("request").begin_object();
  json.member("method", event.raised ? "POST" : "PUT");
  json.member("url", event.raised ? "DetectedIssue" : place).end_object();
  json.key("response").begin_object().member("status", event.raised ? "201" : "200").end_object();
  json.end_object();
}

}  // namespace

std::string_view to_string(NoticeType type) { return kNoticeTypes[static_cast<std::size_t>(type)]; }

std::string subscription_status(const Notice& notice) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "Parameters");
  write_profile(json, "backport-subscription-status-r4");
  json.key("parameter").begin_array();
  begin_parameter(json, "subscription").key("valueReference").begin_object();
  json.member("reference", place_of(notice)).end_object().end_object();
  begin_parameter(json, "topic").member("valueCanonical", kAlertTopic).end_object();
  begin_parameter(json, "status").member("valueCode", notice.status).end_object();
  begin_parameter(json, "type").member("valueCode", to_string(notice.type)).end_object();
  begin_parameter(json, "events-since-subscription-start")
      .member("valueString", std::to_string(notice.total));
  json.end_object();
  for (const NoticeEvent& event : notice.events) write_event(json, notice, event);
  if (!notice.error.empty()) {
    begin_parameter(json, "error").key("valueCodeableConcept").begin_object();
    json.member("text", notice.error).end_object().end_object();
  }
  return json.end_array().end_object().take();
}

std::string notification_bundle(const Notice& notice) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "Bundle");
  write_profile(json, "backport-subscription-notification-r4");
  json.member("type", "history").member("timestamp", model::format_utc(notice.at_ms));
  json.key("entry").begin_array().begin_object();
  const std::string place = place_of(notice) + "/$status";
  json.member("fullUrl", place).raw_member("resource", subscription_status(notice));
  json.key("request").begin_object().member("method", "GET").member("url", place).end_object();
  json.key("response").begin_object().member("status", "200").end_object().end_object();
  if (notice.content != PayloadContent::empty) {
    for (const NoticeEvent& event : notice.events) write_entry(json, notice, event);
  }
  return json.end_array().end_object().take();
}

}  // namespace trialward::fhir
