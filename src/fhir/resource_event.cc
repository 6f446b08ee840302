// AdverseEvent → adverse_event; MedicationStatement, MedicationAdministration → medication or
// exposure.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "fhir/element.h"
#include "fhir/resource_reading.h"
#include "model/decode_record.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::Kind;

constexpr std::string_view kAdministrationStatus[] = {"in-progress", "not-done", "on-hold",
                                                      "completed",   "stopped",  "unknown"};
constexpr std::string_view kStatementStatus[] = {"active",  "completed", "intended", "stopped",
                                                 "on-hold", "unknown",   "not-taken"};

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    c = c == '-' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return capitals;
}

// The words of a concept, its text first, that `read` takes; "" when it takes none.
template <class F>
std::string first_word(const Concept& named, F&& read) {
  if (std::string word = read(named.text); !word.empty()) return word;
  for (const model::Coding& coding : named.codings) {
    for (const std::string* text : {&coding.code, &coding.display}) {
      if (std::string word = read(*text); !word.empty()) return word;
    }
  }
  return {};
}

// In a record's words: "MILD", or a grade of CTCAE.
std::string severity_word(std::string_view text) {
  constexpr std::string_view kWords[] = {
      "MILD", "MODERATE", "SEVERE", "LIFE THREATENING", "FATAL", "1", "2", "3", "4", "5"};
  std::string word = in_capitals(text);
  if (word.starts_with("GRADE ")) word.erase(0, 6);
  const auto found = std::find(std::begin(kWords), std::end(kWords), word);
  return found == std::end(kWords) ? std::string() : word;
}

// FHIR's codes are "Non-serious", "Serious" and "SeriousResultsInDeath" and its like.
std::string seriousness_word(std::string_view text) {
  const std::string word = in_capitals(text);
  if (word == "Y" || word == "YES" || word.starts_with("SERIOUS")) return "Y";
  return word == "N" || word == "NO" || word == "NON SERIOUS" || word == "NOT SERIOUS" ? "N" : "";
}

class EventReading {
 public:
  explicit EventReading(ResourceReading& reading)
      : reading_(reading), record_(reading.record()), list_(reading.list) {}

  void read_adverse_event() {
    record_.kind = Kind::adverse_event;
    read_actuality();
    reading_.read_subject("subject");
    const Concept event = concept_of("event");
    constexpr std::array kEvent = {Kind::adverse_event};
    if (!reading_.root["event"]) {
      list_.error("missingElement", reading_.at("event"), "is required: what happened?");
    } else if (const auto code = reading_.code_of(event, kEvent, kEvent, reading_.at("event"))) {
      set_code(*code);
    }
    read_date();
    read_graveness();
    reading_.attribute("outcome", outcome());
    reading_.attribute("treatment", suspect());
    reading_.read_author(object_member(reading_.root, "recorder", reading_.path, list_),
                         reading_.at("recorder"));
    reading_.read_visit("encounter");
  }

  void read_medication() {
    administered_ = reading_.content.type == ResourceType::medication_administration;
    record_.kind = Kind::medication;
    const std::string status = administered_ ? reading_.status("status", kAdministrationStatus)
                                             : reading_.status("status", kStatementStatus);
    reading_.attribute("status", status);
    reading_.read_subject("subject");
    read_drug();
    if (administered_ && !choice_member(reading_.root, "effective", reading_.path, list_) &&
        !reading_.root["_effectiveDateTime"]) {
      list_.error("missingElement", reading_.at("effective"), "is required");
    }
    reading_.read_effective(false);
    if (status == "not-done" || status == "not-taken") {
      read_reason(status);
    } else {
      read_dosage();
    }
    read_teller();
    reading_.read_visit("context");
  }

 private:
  Concept concept_of(std::string_view member) {
    return read_concept(object_member(reading_.root, member, reading_.path, list_),
                        reading_.at(member), list_);
  }

  void set_code(const StudyCode& code) {
    record_.kind = code.kind;
    record_.code = code.code;
    record_.system = code.system;
    listed_ = code.listed;
  }

  void read_actuality() {
    const std::string actuality = reading_.text("actuality");
    if (!reading_.root["actuality"]) {
      list_.error("missingElement", reading_.at("actuality"), "is required");
    } else if (actuality == "potential") {
      list_.error("notSupported", reading_.at("actuality"),
                  "is potential: only what has happened to the subject is recorded");
    } else if (!actuality.empty() && actuality != "actual") {
      list_.error("invalidValue", reading_.at("actuality"), "must be actual or potential");
    }
  }

  void read_date() {
    for (const char* member : {"date", "detected"}) {
      const std::string text = reading_.text(member);
      if (text.empty() || !record_.effective.empty()) continue;
      record_.effective = read_date_time(text, reading_.at(member), list_);
    }
  }

  // To take a word that is not known for none would keep an alert from being raised.
  void read_graveness() {
    if (reading_.root["seriousness"]) {
      const std::string word = first_word(concept_of("seriousness"), seriousness_word);
      if (!word.empty()) record_.serious = word == "Y";
      if (word.empty()) {
        list_.error("codeUnknown", reading_.at("seriousness"), "must be Serious or Non-serious");
      }
    }
    if (reading_.root["severity"]) {
      record_.severity = first_word(concept_of("severity"), severity_word);
      if (record_.severity.empty()) {
        list_.error("codeUnknown", reading_.at("severity"),
                    "must be mild, moderate, severe, or a grade from 1 to 5");
      }
    }
  }

  std::string outcome() {
    const Concept outcome = concept_of("outcome");
    for (const model::Coding& coding : outcome.codings) {
      if (!coding.code.empty()) return coding.code;
    }
    return outcome.words();
  }

  // What is suspected may be the study's own treatment, so it is an attribute that is blinded.
  std::string suspect() {
    std::string words;
    Element(reading_.root, reading_.path, list_)
        .each("suspectEntity", [&](Json one, const std::string& at) {
          const Reference instance = read_reference(object_member(one, "instance", at, list_),
                                                    place(at, "instance"), list_);
          if (!words.empty()) words += "; ";
          const std::string named = instance.words();
          words += named.empty() ? instance.identifier : named;
        });
    return words;
  }

  void read_drug() {
    const Json drug = choice_member(reading_.root, "medication", reading_.path, list_);
    const std::string at = reading_.at("medication");
    if (!drug) return list_.error("missingElement", at, "is required");
    const Json object = object_member(reading_.root, drug.name(), reading_.path, list_);
    if (!object) return;
    Concept named;
    if (drug.name() == "medicationReference") {
      const Reference reference = read_reference(object, at, list_);
      named = contained_drug(reference.reference);
      if (named.codings.empty() && named.text.empty()) named.text = reference.display;
      if (named.codings.empty() && named.text.empty()) named.text = reference.identifier;
    } else {
      named = read_concept(object, at, list_);
    }
    // What the study gives is blinded, whoever tells of it.
    constexpr std::array kListing = {Kind::exposure, Kind::medication};
    constexpr std::array kOpen = {Kind::medication, Kind::exposure};
    const auto open = administered_ ? std::span<const Kind>(kOpen) : std::span(kOpen).first(1);
    if (const auto code = reading_.code_of(named, kListing, open, at)) set_code(*code);
  }

  Concept contained_drug(std::string_view reference) {
    const Json contained = reading_.root["contained"];
    if (!reference.starts_with('#') || !contained.is(Json::Type::array)) return {};
    std::size_t index = 0;
    for (const Json one : contained) {
      const std::string at = place(reading_.path, "contained", index++);
      if (one.string("id") != reference.substr(1)) continue;
      return read_concept(object_member(one, "code", at, list_), place(at, "code"), list_);
    }
    return {};
  }

  void read_reason(const std::string& status) {
    const Json first = first_member(reading_.root, "statusReason", reading_.path, list_);
    const std::string words = read_concept(first, reading_.at("statusReason[0]"), list_).words();
    record_.value.not_done = column_words(words.empty() ? status : words, model::kTextCharsMax);
  }

  // The dose is a number; how it is to be taken are words beside it, or the value without it.
  void read_dosage() {
    std::string at = reading_.at("dosage");
    Json dosage, dose;
    if (administered_) {
      dosage = object_member(reading_.root, "dosage", reading_.path, list_);
      dose = object_member(dosage, "dose", at, list_);
      at = place(at, "dose");
    } else {
      dosage = first_member(reading_.root, "dosage", reading_.path, list_);
      const Json rate = first_member(dosage, "doseAndRate", at + "[0]", list_);
      at += "[0].doseAndRate[0]";
      dose = object_member(rate, "doseQuantity", at, list_);
      at = place(at, "doseQuantity");
    }
    set_quantity(record_, read_quantity(dose, at, list_), listed_);
    if (!dosage.is(Json::Type::object)) return;
    std::string words;
    Element(dosage, reading_.at("dosage"), list_).text("text", words);
    const bool number_wanted = listed_ && listed_->type == model::ValueType::number;
    if (record_.value.number || (record_.value.text.empty() && !number_wanted)) {
      record_.value.text = column_words(words, model::kTextCharsMax);
    } else {
      reading_.attribute("dosage", words);
    }
  }

  void read_teller() {
    if (!administered_) {
      return reading_.read_author(
          object_member(reading_.root, "informationSource", reading_.path, list_),
          reading_.at("informationSource"));
    }
    const Json performer = first_member(reading_.root, "performer", reading_.path, list_);
    const std::string at = reading_.at("performer[0]");
    reading_.read_author(object_member(performer, "actor", at, list_), place(at, "actor"));
  }

  ResourceReading& reading_;
  model::Record& record_;
  IssueList& list_;
  const model::Code* listed_ = nullptr;
  bool administered_ = false;
};

}  // namespace

void read_adverse_event(ResourceReading& reading) { EventReading(reading).read_adverse_event(); }
void read_medication(ResourceReading& reading) { EventReading(reading).read_medication(); }

}  // namespace trialward::fhir
