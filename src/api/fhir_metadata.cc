#include "api/fhir_metadata.h"

#include "api/fhir_search.h"
#include "base/json_writer.h"
#include "fhir/subscription.h"

namespace trialward::api {
namespace {

// The day on which what is said here changed last.
constexpr std::string_view kDate = "2026-11-26";

void write_interactions(base::JsonWriter& json, std::initializer_list<std::string_view> codes) {
  json.key("interaction").begin_array();
  for (const std::string_view code : codes) {
    json.begin_object().member("code", code).end_object();
  }
  json.end_array();
}

void write_parameter(base::JsonWriter& json, std::string_view name, std::string_view type) {
  json.begin_object().member("name", name).member("type", type).end_object();
}

void write_stored(base::JsonWriter& json, fhir::ResourceType type) {
  json.begin_object().member("type", fhir::to_string(type));
  write_interactions(json,
                     {"read", "vread", "update", "history-instance", "create", "search-type"});
  json.member("versioning", "versioned-update").member("readHistory", true);
  json.member("updateCreate", type == fhir::ResourceType::patient);
  json.member("conditionalCreate", true).member("conditionalRead", "not-match");
  const auto parameters = search_parameters(type);
  bool of_subject = false;
  json.key("searchParam").begin_array();
  for (const SearchParameter& parameter : parameters) {
    write_parameter(json, parameter.name, parameter.type);
    of_subject |= parameter.about == SearchSubject::subject;
  }
  json.end_array();
  if (of_subject) {
    const std::string name(fhir::to_string(type));
    json.key("searchInclude").begin_array();
    json.value(name + (type == fhir::ResourceType::research_subject ? ":individual" : ":subject"));
    json.end_array();
  }
  json.key("operation").begin_array().begin_object().member("name", "validate");
  json.member("definition", "http://hl7.org/fhir/OperationDefinition/Resource-validate");
  json.end_object().end_array().end_object();
}

void write_questionnaire(base::JsonWriter& json) {
  json.begin_object().member("type", "Questionnaire");
  json.member("documentation", "As the study's definition has them; they are not written here.");
  write_interactions(json, {"read", "search-type"});
  json.key("searchParam").begin_array();
  write_parameter(json, "_id", "token");
  write_parameter(json, "url", "uri");
  write_parameter(json, "version", "token");
  json.end_array().end_object();
}

void write_detected_issue(base::JsonWriter& json) {
  json.begin_object().member("type", "DetectedIssue");
  json.member("documentation", "The monitor's alerts.");
  write_interactions(json, {"read", "search-type"});
  json.key("searchParam").begin_array();
  write_parameter(json, "patient", "reference");
  write_parameter(json, "status", "token");
  write_parameter(json, "code", "token");
  json.end_array().end_object();
}

void write_subscription_abilities(base::JsonWriter& json) {
  json.begin_object().key("extension").begin_array().begin_object();
  constexpr std::string_view kTopics = "capabilitystatement-subscriptiontopic-canonical";
  json.member("url", std::string(fhir::kBackport) + std::string(kTopics));
  json.member("valueCanonical", fhir::kAlertTopic).end_object().end_array();
  json.member("type", "Subscription");
  json.key("supportedProfile").begin_array();
  json.value(std::string(fhir::kBackport) + "backport-subscription").end_array();
  json.member("documentation",
              "rest-hook; the topic is the monitor's alerts, filtered by severity, patient, code.");
  write_interactions(json, {"read", "update", "create", "delete", "search-type"});
  json.member("versioning", "versioned").member("readHistory", false);
  json.member("updateCreate", false);
  json.key("searchParam").begin_array();
  write_parameter(json, "_id", "token");
  write_parameter(json, "status", "token");
  write_parameter(json, "url", "uri");
  json.end_array().key("operation").begin_array();
  for (const std::string name : {"status", "events"}) {
    json.begin_object().member("name", name).member(
        "definition",
        "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
        "backport-subscription-" + name);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_read_only(base::JsonWriter& json, std::string_view type, std::string_view words,
                     std::initializer_list<SearchParameter> parameters) {
  json.begin_object().member("type", type).member("documentation", words);
  write_interactions(json, {"read", "search-type"});
  json.key("searchParam").begin_array();
  for (const SearchParameter& parameter : parameters) {
    write_parameter(json, parameter.name, parameter.type);
  }
  json.end_array().end_object();
}

void write_provenance(base::JsonWriter& json) {
  write_read_only(json, "Provenance", "Who wrote a resource's versions.",
                  {{"target", "reference", SearchSubject::id}});
}

void write_audit_event(base::JsonWriter& json) {
  using enum SearchSubject;
  write_read_only(json, "AuditEvent", "The audit trail, entry by entry.",
                  {{"patient", "reference", subject},
                   {"entity", "reference", id},
                   {"date", "date", date},
                   {"agent-name", "string", code},
                   {"type", "token", code},
                   {"subtype", "token", code},
                   {"action", "token", code}});
}

}  // namespace

std::string capability_statement(const std::string& base) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "CapabilityStatement").member("status", "active");
  json.member("date", kDate).member("kind", "instance").member("fhirVersion", "4.0.1");
  json.key("software").begin_object().member("name", "trialward").end_object();
  json.key("implementation").begin_object();
  json.member("description", "trialward: the study is that of the token").member("url", base);
  json.end_object().key("format").begin_array().value("json").end_array();
  json.key("rest").begin_array().begin_object().member("mode", "server");
  json.key("security").begin_object();
  json.member("description", "Authorization: Bearer TOKEN").end_object();
  json.key("resource").begin_array();
  for (std::size_t i = 0; i < fhir::kResourceTypes; ++i) {
    write_stored(json, static_cast<fhir::ResourceType>(i));
  }
  write_questionnaire(json);
  write_detected_issue(json);
  write_subscription_abilities(json);
  write_provenance(json);
  write_audit_event(json);
  json.end_array();
  write_interactions(json, {"transaction", "batch"});
  return json.end_object().end_array().end_object().take();
}

}  // namespace trialward::api
