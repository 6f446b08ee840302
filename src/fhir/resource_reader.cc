#include "fhir/resource_reader.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "fhir/element.h"
#include "model/decode_record.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

// The elements of R4, type by type, beside those of every resource.
constexpr std::string_view kEvery[] = {
    "resourceType", "id",        "meta",      "implicitRules",     "language",
    "text",         "contained", "extension", "modifierExtension", "identifier"};
constexpr std::string_view kObservation[] = {"basedOn",
                                             "partOf",
                                             "status",
                                             "category",
                                             "code",
                                             "subject",
                                             "focus",
                                             "encounter",
                                             "effectiveDateTime",
                                             "effectivePeriod",
                                             "effectiveTiming",
                                             "effectiveInstant",
                                             "issued",
                                             "performer",
                                             "valueQuantity",
                                             "valueCodeableConcept",
                                             "valueString",
                                             "valueBoolean",
                                             "valueInteger",
                                             "valueRange",
                                             "valueRatio",
                                             "valueSampledData",
                                             "valueTime",
                                             "valueDateTime",
                                             "valuePeriod",
                                             "dataAbsentReason",
                                             "interpretation",
                                             "note",
                                             "bodySite",
                                             "method",
                                             "specimen",
                                             "device",
                                             "referenceRange",
                                             "hasMember",
                                             "derivedFrom",
                                             "component"};
constexpr std::string_view kAdverseEvent[] = {"actuality",
                                              "category",
                                              "event",
                                              "subject",
                                              "encounter",
                                              "date",
                                              "detected",
                                              "recordedDate",
                                              "resultingCondition",
                                              "location",
                                              "seriousness",
                                              "severity",
                                              "outcome",
                                              "recorder",
                                              "contributor",
                                              "suspectEntity",
                                              "subjectMedicalHistory",
                                              "referenceDocument",
                                              "study"};
constexpr std::string_view kAdministration[] = {"instantiates",
                                                "partOf",
                                                "status",
                                                "statusReason",
                                                "category",
                                                "medicationCodeableConcept",
                                                "medicationReference",
                                                "subject",
                                                "context",
                                                "supportingInformation",
                                                "effectiveDateTime",
                                                "effectivePeriod",
                                                "performer",
                                                "reasonCode",
                                                "reasonReference",
                                                "request",
                                                "device",
                                                "note",
                                                "dosage",
                                                "eventHistory"};
constexpr std::string_view kStatement[] = {"basedOn",
                                           "partOf",
                                           "status",
                                           "statusReason",
                                           "category",
                                           "medicationCodeableConcept",
                                           "medicationReference",
                                           "subject",
                                           "context",
                                           "effectiveDateTime",
                                           "effectivePeriod",
                                           "dateAsserted",
                                           "informationSource",
                                           "derivedFrom",
                                           "reasonCode",
                                           "reasonReference",
                                           "note",
                                           "dosage"};
constexpr std::string_view kResearchSubject[] = {"status",      "period",    "study",  "individual",
                                                 "assignedArm", "actualArm", "consent"};
constexpr std::string_view kPatient[] = {"active",
                                         "name",
                                         "telecom",
                                         "gender",
                                         "birthDate",
                                         "deceasedBoolean",
                                         "deceasedDateTime",
                                         "address",
                                         "maritalStatus",
                                         "multipleBirthBoolean",
                                         "multipleBirthInteger",
                                         "photo",
                                         "contact",
                                         "communication",
                                         "generalPractitioner",
                                         "managingOrganization",
                                         "link"};
constexpr std::string_view kResponse[] = {"basedOn", "partOf",    "questionnaire", "status",
                                          "subject", "encounter", "authored",      "author",
                                          "source",  "item"};

struct TypeReading {
  std::span<const std::string_view> elements;
  void (*read)(ResourceReading&);
  bool many_identifiers;
};
constexpr std::array<TypeReading, kResourceTypes> kTypeReadings = {{
    {kObservation, read_observation, true},
    {kAdverseEvent, read_adverse_event, false},
    {kAdministration, read_medication, true},
    {kStatement, read_medication, true},
    {kResearchSubject, read_research_subject, true},
    {kPatient, read_patient, true},
    {kResponse, read_response, false},
}};

constexpr std::string_view kIdentifying[] = {"name", "telecom", "address", "photo", "contact"};
constexpr std::string_view kIdentifyingExtension =
    "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

bool is_resource_id(std::string_view id) {
  const auto fits = [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '-' ||
           c == '.';
  };
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), fits);
}

// Where a node stands; written out only for an issue, as names may be long and nodes many.
struct NodePlace {
  const NodePlace* parent = nullptr;
  std::string_view name;  // of a member
  std::size_t index = 0;  // of an element
  bool element = false;

  std::string written(const std::string& root) const {
    constexpr std::size_t kNameBytesMax = 64;
    if (parent == nullptr) return root;
    const std::string before = parent->written(root);
    return element ? before + '[' + std::to_string(index) + ']'
                   : place(before, name.substr(0, kNameBytesMax));
  }
};

// What may stand anywhere and must not be passed over. The root's own modifier extension is found
// with its elements.
void check_modifiers(Json json, const NodePlace& at, const std::string& root, IssueList& list) {
  std::size_t index = 0;
  for (const Json one : json) {
    if (list.issues.size() > model::kIssuesMax) return;
    const bool element = json.is(Json::Type::array);
    if (!element && one.name() == "modifierExtension" && at.parent != nullptr) {
      list.error("modifierExtension", at.written(root),
                 "has a modifier extension, which is not understood and must not be passed over");
    }
    if (!element && one.name() == "implicitRules") {
      list.error("implicitRules", place(at.written(root), "implicitRules"),
                 "names rules that are not understood and must not be passed over");
    }
    if (one.is(Json::Type::object) || one.is(Json::Type::array)) {
      check_modifiers(one, {&at, one.name(), index, element}, root, list);
    }
    ++index;
  }
}

void check_identifying(Json patient, const std::string& path, IssueList& list) {
  for (const Json member : patient) {
    std::string_view name = member.name();
    if (name.starts_with('_')) name.remove_prefix(1);
    if (std::find(std::begin(kIdentifying), std::end(kIdentifying), name) !=
        std::end(kIdentifying)) {
      list.error("identifying", place(path, name),
                 "says who the subject is, and the study keeps pseudonyms only");
    }
  }
  const Json extensions = patient["extension"];
  if (!extensions.is(Json::Type::array)) return;
  std::size_t index = 0;
  for (const Json one : extensions) {
    const std::string at = place(path, "extension", index++);
    if (one.string("url") != kIdentifyingExtension) continue;
    list.error("identifying", at, "says who the subject is, and the study keeps pseudonyms only");
  }
}

bool names_people(std::string_view type) {
  return type == "Patient" || type == "Person" || type == "RelatedPerson";
}

void check_identifying(ResourceReading& reading) {
  if (reading.study.identifying) return;
  if (reading.content.type == ResourceType::patient) {
    check_identifying(reading.root, reading.path, reading.list);
  }
  Element(reading.root, reading.path, reading.list)
      .each("contained", [&](Json one, const std::string& at) {
        if (names_people(one.string("resourceType"))) check_identifying(one, at, reading.list);
      });
}

void read_ids(ResourceReading& reading, bool many_identifiers) {
  ResourceContent& content = reading.content;
  object_member(reading.root, "meta", reading.path, reading.list);
  content.id = reading.text("id");
  if (!content.id.empty() && !is_resource_id(content.id)) {
    reading.list.error(
        "invalidValue", reading.at("id"),
        ucum::quoted(content.id) + " is no id: 1 to 64 letters, digits, '-' and '.' are one");
  }
  if (!many_identifiers) {
    content.identifier =
        read_identifier(object_member(reading.root, "identifier", reading.path, reading.list),
                        reading.at("identifier"), reading.list);
    return;
  }
  Element(reading.root, reading.path, reading.list)
      .each("identifier", [&](Json one, const std::string& at) {
        std::string found = read_identifier(one, at, reading.list);
        if (content.identifier.empty()) content.identifier = std::move(found);
      });
}

// What was told in error is as if it had not been measured.
void take_back(model::Record& record) {
  record.value = {};
  record.value.not_done = "entered in error";
  record.unit.clear();
  record.range = {};
}

// Faults of a record's form by the places that it came from; but those of ids that the caller sets.
void check_form_of(ResourceReading& reading, const model::Record& record, const std::string& path) {
  model::Faults faults;
  for (model::Fault& fault : model::check_form(record)) {
    const bool later = fault.path.starts_with("/source") ||
                       (record.subject.empty() && fault.path == "/subject") ||
                       (record.code.empty() && fault.path == "/code");
    if (!later) faults.push_back(std::move(fault));
  }
  for (model::Issue& issue : issues_of(reading.content.type, path, faults)) {
    model::add_issue(reading.list.issues, std::move(issue));
  }
}

}  // namespace

base::Result<ResourceContent, model::Issues> ResourceReader::read(const model::Study& study,
                                                                  std::string_view json,
                                                                  Intent intent) {
  const auto root = tree_.parse(json);
  root_ = root ? *root : Json();
  if (!root) return root.error();
  const auto type = parse_resource_type(root_.string("resourceType"));
  return read(study, root_, json, type ? std::string(to_string(*type)) : std::string(), {}, intent);
}

base::Result<ResourceContent, model::Issues> ResourceReader::read(
    const model::Study& study, Json resource, std::string_view text, const std::string& path,
    const SubjectOf& subject_of, Intent intent) {
  if (!resource.is(Json::Type::object)) {
    return model::Issues{{model::IssueSeverity::fatal, "structure", path, "must be a resource"}};
  }
  const std::string_view name = resource.string("resourceType");
  const auto type = parse_resource_type(name);
  if (!type) {
    return model::Issues{{model::IssueSeverity::error, "typeNotSupported", path,
                          name.empty() ? "is no resource: it has no resourceType"
                                       : ucum::quoted(name) + " is not kept here"}};
  }
  const TypeReading& type_reading = kTypeReadings[static_cast<std::size_t>(*type)];
  ResourceReading reading(study, subject_of, resource, path, intent);
  reading.content.type = *type;
  std::vector<std::string_view> elements(std::begin(kEvery), std::end(kEvery));
  elements.insert(elements.end(), type_reading.elements.begin(), type_reading.elements.end());
  Element(resource, path, reading.list).only(elements);
  check_modifiers(resource, {}, path, reading.list);
  check_identifying(reading);
  read_ids(reading, type_reading.many_identifiers);
  type_reading.read(reading);
  if (reading.in_error) {
    take_back(reading.content.record);
    for (ResourcePart& part : reading.content.parts) take_back(part.record);
  }

  check_form_of(reading, reading.content.record, path);
  std::size_t index = 0;
  for (const ResourcePart& part : reading.content.parts) {
    check_form_of(reading, part.record, place(path, "component", index++));
  }
  if (!reading.list.issues.empty()) return std::move(reading.list.issues);
  reading.content.record.original = text;
  return std::move(reading.content);
}

}  // namespace trialward::fhir
