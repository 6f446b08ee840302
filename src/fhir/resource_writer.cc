#include "fhir/resource_writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "fhir/datatypes.h"
#include "fhir/json.h"
#include "fhir/primitives.h"
#include "fhir/resource.h"
#include "model/json_number.h"
#include "ucum/lab_unit.h"

namespace trialward::fhir {
namespace {

using base::JsonWriter;
using model::Kind;
using model::Record;
using model::StoredRecord;

constexpr std::string_view kTerminology = "http://terminology.hl7.org/CodeSystem/";
constexpr std::string_view kDataAbsent =
    "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

bool can_be_referred_to(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

void write_coding(JsonWriter& json, std::string_view system, std::string_view code,
                  std::string_view display = {}) {
  json.begin_object().member_if("system", system).member("code", code);
  json.member_if("display", display).end_object();
}

// A concept of one of HL7's code systems.
void write_concept(JsonWriter& json, std::string_view system, std::string_view code) {
  json.begin_object().key("coding").begin_array();
  write_coding(json, std::string(kTerminology).append(system), code);
  json.end_array().end_object();
}

void write_words(JsonWriter& json, std::string_view name, std::string_view words) {
  json.key(name).begin_object().member("text", words).end_object();
}

void write_absent(JsonWriter& json, std::string_view name, std::string_view reason) {
  json.key(name).begin_object().key("extension").begin_array().begin_object();
  json.member("url", kDataAbsent).member("valueCode", reason);
  json.end_object().end_array().end_object();
}

// A comparator and the number behind it, of a text such as "<5" or ">= 10".
struct Compared {
  std::string_view comparator, number;
};
std::optional<Compared> compared(std::string_view text) {
  if (text.empty() || (text.front() != '<' && text.front() != '>')) return std::nullopt;
  const std::size_t size = text.substr(1).starts_with('=') ? 2 : 1;
  std::string_view number = text.substr(size);
  number.remove_prefix(std::min(number.find_first_not_of(' '), number.size()));
  if (!model::is_json_number(number)) return std::nullopt;
  return Compared{text.substr(0, size), number};
}

std::string_view gender_of(std::string_view sex) {
  return sex == "M" ? "male" : sex == "F" ? "female" : sex == "U" ? "unknown" : sex;
}

// As R4's value set has it; CDISC's words (codelist OUT) are known, too. "" for others.
std::string_view outcome_code(std::string_view word) {
  constexpr std::pair<std::string_view, std::string_view> kOutcomes[] = {
      {"RECOVERED/RESOLVED", "resolved"},
      {"RECOVERING/RESOLVING", "recovering"},
      {"NOT RECOVERED/NOT RESOLVED", "ongoing"},
      {"RECOVERED/RESOLVED WITH SEQUELAE", "resolvedWithSequelae"},
      {"FATAL", "fatal"},
      {"UNKNOWN", "unknown"},
  };
  for (const auto& [cdisc, code] : kOutcomes) {
    if (word == cdisc || word == code) return code;
  }
  return {};
}

// R4 has three severities only; the record's own word is the concept's text.
std::string_view severity_code(std::string_view severity) {
  if (severity == "MILD" || severity == "1") return "mild";
  return severity == "MODERATE" || severity == "2" ? "moderate" : "severe";
}

class ResourceWriting {
 public:
  ResourceWriting(const model::Study& study, const StoredRecord& stored, bool unblinded)
      : study_(study),
        stored_(stored),
        record_(stored.record),
        listed_(study.code(record_.kind, record_.code)),
        unblinded_(unblinded),
        masked_(!unblinded && record_.kind == Kind::exposure) {}

  std::string write(ResourceType type) {
    begin(type);
    switch (type) {
      case ResourceType::observation:
        write_observation();
        break;
      case ResourceType::adverse_event:
        write_adverse_event();
        break;
      case ResourceType::medication_administration:
      case ResourceType::medication_statement:
        write_medication(type);
        break;
      case ResourceType::research_subject:
        write_research_subject();
        break;
      case ResourceType::patient:
        write_patient();
        break;
      case ResourceType::questionnaire_response:
        write_response();
        break;
    }
    json_.end_object();
    return json_.take();
  }

  // The original with its id and meta set; nothing when it is no resource.
  std::optional<std::string> write_original() {
    JsonTree tree;
    const auto root = tree.parse(record_.original);
    const auto type = root ? parse_resource_type(root->string("resourceType")) : std::nullopt;
    if (!type) return std::nullopt;
    json_ = JsonWriter();
    json_.begin_object().member("resourceType", to_string(*type));
    json_.member("id", id_of(stored_, *type));
    begin_meta();
    for (const Json member : (*root)["meta"]) {
      if (member.name() == "versionId" || member.name() == "lastUpdated") continue;
      json_.raw_member(member.name(), member.raw());
    }
    json_.end_object();
    for (const Json member : *root) {
      const std::string_view name = member.name();
      if (name == "resourceType" || name == "id" || name == "meta") continue;
      json_.raw_member(name, member.raw());
    }
    json_.end_object();
    return json_.take();
  }

 private:
  void begin_meta() {
    json_.key("meta").begin_object();
    json_.member("versionId", std::to_string(stored_.version));
    json_.member("lastUpdated", model::format_utc(stored_.received_ms));
  }

  void begin(ResourceType type) {
    json_.begin_object().member("resourceType", to_string(type));
    json_.member("id", id_of(stored_, type));
    begin_meta();
    if (!unblinded_ && model::tells_treatment(record_)) {
      json_.key("security").begin_array();
      write_coding(json_, std::string(kTerminology) + "v3-ObservationValue", "REDACTED",
                   "redacted");
      json_.end_array();
    }
    json_.end_object();
    const bool one =
        type == ResourceType::adverse_event || type == ResourceType::questionnaire_response;
    json_.key("identifier");
    if (!one) json_.begin_array();
    json_.begin_object();
    if (type == ResourceType::patient) {
      json_.member("system", "urn:trialward:study:" + study_.id).member("value", record_.subject);
    } else {
      json_.member("system", "urn:trialward:source:" + record_.source);
      json_.member("value", record_.source_id);
    }
    json_.end_object();
    if (!one) json_.end_array();
  }

  const std::string* attribute(std::string_view name) const {
    const auto& blinded = model::kBlindedAttributes;
    const bool hidden = masked_ || (!unblinded_ && std::find(blinded.begin(), blinded.end(),
                                                             name) != blinded.end());
    return hidden ? nullptr : record_.attribute(name);
  }
  std::string attribute_or(std::string_view name, std::string_view otherwise) const {
    const std::string* found = attribute(name);
    return std::string(found ? std::string_view(*found) : otherwise);
  }
  // The attribute "status" where it is one of these.
  template <class Codes>
  std::string status_of(const Codes& codes, std::string_view otherwise) const {
    std::string status = attribute_or("status", otherwise);
    const bool known = std::find(std::begin(codes), std::end(codes), status) != std::end(codes);
    return known ? status : std::string(otherwise);
  }

  void write_code(std::string_view name) {
    json_.key(name).begin_object().key("coding").begin_array();
    const std::string_view display = listed_ ? std::string_view(listed_->name) : "";
    const std::string_view system =
        record_.system.empty() && listed_ ? std::string_view(listed_->system) : record_.system;
    write_coding(json_, system, record_.code, display);
    if (listed_) {
      for (const model::ForeignCode& one : listed_->codings) {
        write_coding(json_, one.system, one.code);
      }
    }
    json_.end_array().member_if("text", display).end_object();
  }

  void write_subject(std::string_view name) {
    json_.key(name).begin_object();
    if (can_be_referred_to(record_.subject)) {
      json_.member("reference", "Patient/" + record_.subject);
    } else {
      json_.key("identifier").begin_object().member("value", record_.subject).end_object();
    }
    json_.end_object();
  }

  void write_display(std::string_view name, std::string_view display) {
    if (display.empty()) return;
    json_.key(name).begin_object().member("display", display).end_object();
  }
  void write_displays(std::string_view name, std::string_view display) {
    if (display.empty()) return;
    json_.key(name).begin_array().begin_object().member("display", display).end_object();
    json_.end_array();
  }

  // FHIR's times of day have seconds and an offset; what lacks them is told by its first instant.
  std::string date_time(const std::string& given) const {
    if (is_date_time(given)) return given;
    return stored_.interval ? model::format_utc(stored_.interval->from_ms) : std::string();
  }

  void write_effective() {
    const std::string start = date_time(record_.effective);
    const std::string end = attribute_or("end", "");
    if (!end.empty() && is_date_time(end)) {
      json_.key("effectivePeriod").begin_object().member_if("start", start);
      json_.member("end", end).end_object();
    } else {
      json_.member_if("effectiveDateTime", start);
    }
  }

  void write_quantity(std::string_view number, std::string_view comparator = {}) {
    json_.begin_object().raw_member("value", number).member_if("comparator", comparator);
    if (!record_.unit.empty()) {
      json_.member("unit", record_.unit);
      std::optional<ucum::Unit> like;
      if (listed_ && !listed_->units.empty()) {
        if (auto own = ucum::parse_lab_unit(listed_->units.front().name)) like = own->unit;
      }
      if (const auto unit = ucum::parse_lab_unit(record_.unit, like ? &*like : nullptr)) {
        json_.member("system", kUcum).member("code", unit->ucum);
      }
    }
    json_.end_object();
  }
  static std::string number_of(double number, const std::string& text) {
    return model::is_json_number(text) ? text : JsonWriter().value(number).take();
  }
  std::string number() const { return number_of(*record_.value.number, record_.value.number_text); }

  void write_observation() {
    constexpr std::string_view kStatus[] = {"registered", "preliminary", "final",  "amended",
                                            "corrected",  "cancelled",   "unknown"};
    json_.member("status", status_of(kStatus, stored_.version > 1 ? "amended" : "final"));
    json_.key("category").begin_array();
    write_category();
    json_.end_array();
    if (record_.code.empty()) {
      write_words(json_, "code", to_string(record_.kind));
    } else {
      write_code("code");
    }
    write_subject("subject");
    write_display("encounter", record_.visit);
    write_effective();
    write_displays("performer", record_.author);
    write_value();
    write_interpretation();
    if (record_.value.number && !record_.value.text.empty()) {
      json_.key("note").begin_array().begin_object().member("text", record_.value.text);
      json_.end_object().end_array();
    }
    write_range();
  }

  void write_category() {
    switch (record_.kind) {
      case Kind::lab:
        return write_concept(json_, "observation-category", "laboratory");
      case Kind::vital:
        return write_concept(json_, "observation-category", "vital-signs");
      case Kind::questionnaire:
        return write_concept(json_, "observation-category", "survey");
      default:
        break;
    }
    json_.begin_object().key("coding").begin_array();
    write_coding(json_, kKindSystem, to_string(record_.kind));
    json_.end_array().end_object();
  }

  void write_value() {
    const model::Value& value = record_.value;
    if (!value.not_done.empty()) return write_words(json_, "dataAbsentReason", value.not_done);
    if (value.number) {
      json_.key("valueQuantity");
      write_quantity(number());
    } else if (const auto parts = compared(value.text)) {
      json_.key("valueQuantity");
      write_quantity(parts->number, parts->comparator);
    } else {
      json_.member_if("valueString", value.text);
    }
  }

  void write_interpretation() {
    model::Range own = record_.range;
    if (stored_.flags & model::kLowUnusable) own.low.reset();
    if (stored_.flags & model::kHighUnusable) own.high.reset();
    std::string_view flag = reference_flag(record_.value, own);
    if (stored_.flags & model::kStudyRange) {
      flag = stored_.flags & model::kBelowRange   ? "LOW"
             : stored_.flags & model::kAboveRange ? "HIGH"
                                                  : "NORMAL";
    }
    if (flag.empty()) return;
    json_.key("interpretation").begin_array();
    write_concept(json_, "v3-ObservationInterpretation", flag.substr(0, 1));
    json_.end_array();
  }

  void write_range() {
    const model::Range& range = record_.range;
    if (!range.given()) return;
    json_.key("referenceRange").begin_array().begin_object();
    if (range.low) {
      json_.key("low");
      write_quantity(number_of(*range.low, range.low_text));
    }
    if (range.high) {
      json_.key("high");
      write_quantity(number_of(*range.high, range.high_text));
    }
    json_.end_object().end_array();
  }

  void write_adverse_event() {
    json_.member("actuality", "actual");
    write_code("event");
    write_subject("subject");
    write_display("encounter", record_.visit);
    json_.member_if("date", date_time(record_.effective));
    if (record_.serious) {
      json_.key("seriousness");
      write_concept(json_, "adverse-event-seriousness",
                    *record_.serious ? "Serious" : "Non-serious");
    }
    if (!record_.severity.empty()) {
      json_.key("severity").begin_object().key("coding").begin_array();
      write_coding(json_, std::string(kTerminology) + "adverse-event-severity",
                   severity_code(record_.severity));
      json_.end_array().member("text", record_.severity).end_object();
    }
    const std::string_view outcome =
        outcome_code(attribute_or("outcome", attribute_or("aeout", "")));
    if (!outcome.empty()) {
      json_.key("outcome");
      write_concept(json_, "adverse-event-outcome", outcome);
    }
    write_display("recorder", record_.author);
    if (const std::string* treatment = attribute("treatment")) {
      json_.key("suspectEntity").begin_array().begin_object();
      write_display("instance", *treatment);
      json_.end_object().end_array();
    }
  }

  void write_medication(ResourceType type) {
    constexpr std::string_view kGiven[] = {"in-progress", "not-done", "on-hold",
                                           "completed",   "stopped",  "unknown"};
    constexpr std::string_view kTold[] = {"active",  "completed", "intended", "stopped",
                                          "on-hold", "unknown",   "not-taken"};
    const bool given = type == ResourceType::medication_administration;
    const std::string& not_done = record_.value.not_done;
    const bool done = masked_ || not_done.empty();
    if (given) {
      const char* otherwise = masked_ ? "unknown" : done ? "completed" : "not-done";
      json_.member("status", status_of(kGiven, otherwise));
    } else {
      json_.member("status", status_of(kTold, done ? "unknown" : "not-taken"));
    }
    if (!done) {
      json_.key("statusReason").begin_array().begin_object().member("text", not_done);
      json_.end_object().end_array();
    }
    if (masked_) {
      write_absent(json_, "medicationCodeableConcept", "masked");
    } else {
      write_code("medicationCodeableConcept");
    }
    write_subject("subject");
    write_display("context", record_.visit);
    if (given && date_time(record_.effective).empty() && attribute_or("end", "").empty()) {
      write_absent(json_, "_effectiveDateTime", "unknown");
    } else {
      write_effective();
    }
    if (given && !record_.author.empty()) {
      json_.key("performer").begin_array().begin_object();
      write_display("actor", record_.author);
      json_.end_object().end_array();
    } else {
      write_display("informationSource", record_.author);
    }
    if (!masked_) write_dosage(given);
  }

  void write_dosage(bool given) {
    std::string words = record_.value.text;
    if (words.empty()) words = attribute_or("dosage", "");
    if (!record_.value.number && words.empty()) return;
    json_.key("dosage");
    if (!given) json_.begin_array();
    json_.begin_object().member_if("text", words);
    if (record_.value.number) {
      if (!given) json_.key("doseAndRate").begin_array().begin_object();
      json_.key(given ? "dose" : "doseQuantity");
      write_quantity(number());
      if (!given) json_.end_object().end_array();
    }
    json_.end_object();
    if (!given) json_.end_array();
  }

  void write_research_subject() {
    constexpr std::string_view kStatus[] = {"candidate",
                                            "eligible",
                                            "follow-up",
                                            "ineligible",
                                            "not-registered",
                                            "off-study",
                                            "on-study",
                                            "on-study-intervention",
                                            "on-study-observation",
                                            "pending-on-study",
                                            "potential-candidate",
                                            "screening",
                                            "withdrawn"};
    json_.member("status", status_of(kStatus, "on-study"));
    const std::string start = date_time(record_.effective), end = attribute_or("end", "");
    if (!start.empty() || is_date_time(end)) {
      json_.key("period").begin_object().member_if("start", start);
      if (is_date_time(end)) json_.member("end", end);
      json_.end_object();
    }
    json_.key("study").begin_object();
    json_.key("identifier").begin_object().member("value", study_.id).end_object();
    json_.member_if("display", study_.title).end_object();
    write_subject("individual");
    json_.member_if("assignedArm", attribute_or("arm", ""));
    json_.member_if("actualArm", attribute_or("actual_arm", ""));
  }

  void write_patient() {
    const std::string sex = attribute_or("sex", "");
    const std::string_view gender = gender_of(sex);
    if (!gender.empty()) {
      const bool known = gender == "male" || gender == "female" || gender == "unknown";
      json_.member("gender", known ? gender : "other");
    }
  }

  void write_response() {
    constexpr std::string_view kStatus[] = {"in-progress", "completed", "amended", "stopped"};
    json_.member("status", status_of(kStatus, "completed"));
    write_subject("subject");
    write_display("encounter", record_.visit);
    json_.member_if("authored", date_time(record_.effective));
    write_display("author", record_.author);
  }

  const model::Study& study_;
  const StoredRecord& stored_;
  const Record& record_;
  const model::Code* listed_;
  const bool unblinded_;
  const bool masked_;  // all that was observed
  JsonWriter json_;
};

}  // namespace

std::string to_resource(const model::Study& study, const StoredRecord& stored, bool unblinded) {
  ResourceWriting writing(study, stored, unblinded);
  const bool shown = unblinded || !model::tells_treatment(stored.record);
  if (shown && (stored.flags & model::kResource)) {
    if (auto original = writing.write_original()) return *std::move(original);
  }
  return writing.write(type_of(stored));
}

std::string to_patient(const model::Study& study, const StoredRecord& stored) {
  return ResourceWriting(study, stored, true).write(ResourceType::patient);
}

}  // namespace trialward::fhir
