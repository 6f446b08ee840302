// FHIR R4 resources that are kept as records. A resource becomes one record, whose original is the
// resource as it came (flag kResource), and parts: further records that it tells, so that what
// watches records sees, say, the systolic pressure within a panel (flag kPart). docs/fhir.md says
// which element becomes what. Pure values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/fault.h"
#include "model/issue.h"
#include "model/record.h"

namespace trialward::fhir {

enum class ResourceType : std::uint8_t {
  observation,
  adverse_event,
  medication_administration,
  medication_statement,
  research_subject,
  patient,
  questionnaire_response,
};
inline constexpr std::size_t kResourceTypes = 7;

// As FHIR writes it: "AdverseEvent".
std::string_view to_string(ResourceType type);
std::optional<ResourceType> parse_resource_type(std::string_view text);

// Of which type a record is shown, whether it came as a resource or natively. Native demographics
// are a ResearchSubject, an exposure is a MedicationAdministration, a medication a
// MedicationStatement; what FHIR has no better place for here is an Observation.
ResourceType type_of(const model::StoredRecord& stored);

// The id that a record has as a resource, the same for all of its versions: the subject of a
// Patient, else the number of the record's first version.
std::string id_of(const model::StoredRecord& stored, ResourceType type);

// Limit that holds before memory is taken for what it bounds.
inline constexpr std::size_t kPartsMax = 500;

struct ResourcePart {
  std::string name;  // unique within the resource: "component-0"
  model::Record record;
};

// What was read of a resource. Of all its records source and source_id are empty, and so are site
// (the subject's own is meant) and, of a QuestionnaireResponse, the code.
struct ResourceContent {
  ResourceType type = ResourceType::observation;
  model::Record record;  // its original is the resource
  std::vector<ResourcePart> parts;
  std::string identifier;  // "system|value" of the first one that has a value; empty: none
  std::string id;          // Resource.id as it was sent; empty: none
  std::string canonical;   // QuestionnaireResponse.questionnaire, with |version; else empty
};

// Faults of a record, by JSON Pointer (model::check_record), as issues of the resource at `path`
// that it came in.
model::Issues issues_of(ResourceType type, const std::string& path, const model::Faults& faults);

// The category of Observations, beside FHIR's own, whose codes are kinds of records.
inline constexpr std::string_view kKindSystem = "urn:trialward:kind";

}  // namespace trialward::fhir
