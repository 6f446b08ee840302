#include "fhir/operation_outcome.h"

#include <string_view>
#include <utility>

#include "base/json_writer.h"

namespace trialward::fhir {
namespace {

// The IssueType of R4 (a required binding) that an issue's code belongs to.
std::string_view issue_type(std::string_view code) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"invalidJson", "structure"},   {"structure", "structure"},
      {"unknownElement", "structure"}, {"invalidOrder", "structure"},
      {"invalidNesting", "structure"}, {"missingElement", "required"},
      {"required", "required"},       {"invalidValue", "value"},
      {"invalidUrlValue", "value"},   {"invalidRefValue", "value"},
      {"invalidNewLine", "value"},    {"invalidCoding", "code-invalid"},
      {"invalidUnit", "code-invalid"}, {"invalidUnitValueSet", "code-invalid"},
      {"displayMismatch", "code-invalid"}, {"tsError", "not-found"},
      {"valueSetMissing", "not-found"}, {"invalidLinkId", "not-found"},
      {"duplicateLinkId", "duplicate"}, {"notSupported", "not-supported"},
      {"notChecked", "not-supported"}, {"modifierExtension", "extension"},
      {"implicitRules", "extension"}, {"typeNotSupported", "not-supported"},
      {"codeUnknown", "code-invalid"}, {"subjectMissing", "required"},
      {"enteredInError", "business-rule"}, {"identifying", "business-rule"},
      {"tooMany", "too-costly"},      {"maxAttachmentSize", "too-long"},
      {"maxLength", "too-long"},      {"subjectUnknown", "not-found"},
      {"reasonMissing", "required"},  {"login", "login"},
      {"forbidden", "forbidden"},     {"notFound", "not-found"},
      {"conflict", "conflict"},       {"versionConflict", "conflict"},
      {"duplicate", "duplicate"},     {"throttled", "throttled"},
      {"transient", "transient"},     {"timeout", "timeout"},
      {"exception", "exception"},     {"invalidRequest", "invalid"},
      {"tooLong", "too-long"},        {"businessRule", "business-rule"},
  };
  for (const auto& [known, type] : kTypes) {
    if (known == code) return type;
  }
  return "invariant";
}

}  // namespace

std::string operation_outcome(const model::Issues& issues) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "OperationOutcome").key("issue").begin_array();
  for (const model::Issue& issue : issues) {
    json.begin_object();
    json.member("severity", model::name_of(issue.severity));
    json.member("code", issue_type(issue.code));
    json.key("details").begin_object().key("coding").begin_array().begin_object();
    json.member("system", kIssueSystem).member("code", issue.code).end_object().end_array();
    json.member("text", issue.words).end_object();
    if (!issue.path.empty()) {
      json.key("expression").begin_array().value(issue.path).end_array();
    }
    json.end_object();
  }
  if (issues.empty()) {
    json.begin_object().member("severity", "information").member("code", "informational");
    json.key("details").begin_object().member("text", "All OK").end_object().end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace trialward::fhir
