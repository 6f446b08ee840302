#include "fhir/resource.h"

#include <algorithm>
#include <array>

#include "fhir/json.h"
#include "fhir/read_value.h"

namespace trialward::fhir {
namespace {

using model::Kind;

constexpr std::array<std::string_view, kResourceTypes> kResourceTypeNames = {
    "Observation",     "AdverseEvent", "MedicationAdministration", "MedicationStatement",
    "ResearchSubject", "Patient",      "QuestionnaireResponse"};

ResourceType type_of_kind(Kind kind) {
  switch (kind) {
    case Kind::demographics:
      return ResourceType::research_subject;
    case Kind::adverse_event:
      return ResourceType::adverse_event;
    case Kind::medication:
      return ResourceType::medication_statement;
    case Kind::exposure:
      return ResourceType::medication_administration;
    default:
      return ResourceType::observation;
  }
}

// The element of a resource that a member of its record came from.
std::string_view element_of(ResourceType type, std::string_view pointer) {
  const bool medication =
      type == ResourceType::medication_administration || type == ResourceType::medication_statement;
  const bool event = type == ResourceType::adverse_event;
  const auto begins = [&](std::string_view with) { return pointer.starts_with(with); };
  if (begins("/subject")) {
    return type == ResourceType::research_subject ? "individual"
           : type == ResourceType::patient        ? "id"
                                                  : "subject";
  }
  if (begins("/code") || begins("/system"))
    return medication ? "medication" : event ? "event" : "code";
  if (begins("/value") || begins("/text") || begins("/unit"))
    return medication ? "dosage" : "value";
  if (begins("/not_done")) return medication ? "statusReason" : "dataAbsentReason";
  if (begins("/range")) return "referenceRange[0]";
  if (begins("/effective")) {
    return event                                          ? "date"
           : type == ResourceType::research_subject       ? "period.start"
           : type == ResourceType::questionnaire_response ? "authored"
                                                          : "effective";
  }
  if (begins("/attributes/arm")) return "assignedArm";
  if (begins("/attributes/actual_arm")) return "actualArm";
  if (begins("/severity")) return "severity";
  if (begins("/serious")) return "seriousness";
  return "";
}

// Whether a resource of the type becomes a record of the kind.
bool fits(ResourceType type, model::Kind kind) {
  using enum ResourceType;
  switch (type) {
    case adverse_event: return kind == Kind::adverse_event;
    case medication_administration:
    case medication_statement: return kind == Kind::medication || kind == Kind::exposure;
    case research_subject:
    case patient: return kind == Kind::demographics;
    case questionnaire_response: return kind == Kind::questionnaire;
    case observation: return kind != Kind::demographics;
  }
  return false;
}

}  // namespace

std::string_view to_string(ResourceType type) {
  return kResourceTypeNames[static_cast<std::size_t>(type)];
}

std::optional<ResourceType> parse_resource_type(std::string_view text) {
  const auto found = std::find(kResourceTypeNames.begin(), kResourceTypeNames.end(), text);
  if (found == kResourceTypeNames.end()) return std::nullopt;
  return static_cast<ResourceType>(found - kResourceTypeNames.begin());
}

ResourceType type_of(const model::StoredRecord& stored) {
  if (stored.flags & model::kResource) {
    JsonTree tree;
    const auto root = tree.parse(stored.record.original);
    const auto type = root ? parse_resource_type(root->string("resourceType")) : std::nullopt;
    if (type && fits(*type, stored.record.kind)) return *type;
  }
  return type_of_kind(stored.record.kind);
}

std::string id_of(const model::StoredRecord& stored, ResourceType type) {
  if (type == ResourceType::patient) return stored.record.subject;
  const std::int64_t amended = stored.record.amends;
  return std::to_string(stored.first != 0 ? stored.first : amended != 0 ? amended : stored.id);
}

model::Issues issues_of(ResourceType type, const std::string& path, const model::Faults& faults) {
  IssueList list;
  for (const model::Fault& fault : faults) {
    const std::string_view element = element_of(type, fault.path);
    const bool code = fault.path == "/code" || fault.path == "/system";
    list.error(code ? "codeUnknown" : "invalidValue", element.empty() ? path : place(path, element),
               fault.reason);
  }
  return std::move(list.issues);
}

}  // namespace trialward::fhir
