#include "fhir/detected_issue.h"

#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::fhir {
namespace {

std::string_view status_of(const model::Alert& alert) {
  if (!alert.life.holds) return "cancelled";
  return alert.life.open() ? "preliminary" : "final";
}

std::string_view severity_of(const model::Alert& alert) {
  if (alert.severity == "critical") return "high";
  return alert.severity == "warning" ? "moderate" : "low";
}

}  // namespace

std::string to_detected_issue(const model::Alert& alert,
                              const std::vector<std::string>& implicated) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "DetectedIssue");
  json.member("id", std::to_string(alert.id));
  json.member("status", status_of(alert));
  json.key("code").begin_object().key("coding").begin_array().begin_object();
  json.member("system", "urn:trialward:rule").member("version", std::to_string(alert.rule_version));
  json.member("code", alert.rule).end_object().end_array();
  json.member("text", alert.title).end_object();
  json.member("severity", severity_of(alert));
  json.key("patient").begin_object().member("reference", "Patient/" + alert.subject).end_object();
  json.member("identifiedDateTime", model::format_utc(alert.raised_ms));
  if (!implicated.empty()) {
    json.key("implicated").begin_array();
    for (const std::string& one : implicated) {
      json.begin_object().member("reference", one).end_object();
    }
    json.end_array();
  }
  json.member_if("detail", alert.finding);
  if (alert.acknowledged_ms) {
    json.key("mitigation").begin_array().begin_object();
    json.key("action").begin_object().member("text", alert.note).end_object();
    json.member("date", model::format_utc(*alert.acknowledged_ms));
    json.key("author").begin_object().member("display", alert.acknowledged_by).end_object();
    json.end_object().end_array();
  }
  return json.end_object().take();
}

}  // namespace trialward::fhir
