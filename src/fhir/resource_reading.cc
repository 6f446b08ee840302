#include "fhir/resource_reading.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fhir/element.h"
#include "fhir/search_text.h"
#include "model/decode_record.h"
#include "model/json_number.h"
#include "model/text_fault.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::Code;
using model::Kind;

// What "Patient/ID" and a URL that ends in it name, a version behind it passed over; else "".
std::string_view patient_id(std::string_view reference) {
  const std::string_view id = patient_named(reference).value_or("");
  return id.find_first_of("/?#") == std::string_view::npos ? id : std::string_view();
}

// UCUM lets any words stand in braces; alone, as in "{score}", they are no unit.
bool is_annotation(std::string_view unit) {
  return unit.size() >= 2 && unit.front() == '{' && unit.find('}') == unit.size() - 1;
}

}  // namespace

std::string ResourceReading::text(std::string_view member) {
  std::string found;
  Element(root, path, list).text(member, found);
  return found;
}

std::string ResourceReading::status(std::string_view member,
                                    std::span<const std::string_view> codes) {
  if (!root[member]) {
    list.error("missingElement", at(member), "is required");
    return {};
  }
  std::string found = text(member);
  in_error = found == "entered-in-error";
  if (in_error && intent_ == Intent::correct) return found;
  if (in_error) {
    list.error("enteredInError", at(member),
               "is entered-in-error, which only a correction of what was stored can say");
    return {};
  }
  if (found.empty() || std::find(codes.begin(), codes.end(), found) != codes.end()) return found;
  list.error("invalidValue", at(member), ucum::quoted(found) + " is no status that FHIR R4 has");
  return {};
}

std::string first_identifier_value(Json resource) {
  const Json identifiers = resource["identifier"];
  if (!identifiers.is(Json::Type::array)) return {};
  for (const Json one : identifiers) {
    if (const auto value = one.string("value"); !value.empty()) return std::string(value);
  }
  return {};
}

std::string ResourceReading::contained_subject(std::string_view id) {
  const Json contained = root["contained"];
  if (!contained.is(Json::Type::array)) return {};
  for (const Json one : contained) {
    if (one.string("id") == id && one.string("resourceType") == "Patient") {
      return first_identifier_value(one);
    }
  }
  return {};
}

std::string ResourceReading::subject_named(const Reference& reference, const std::string& at) {
  const std::string& text = reference.reference;
  if (const auto id = patient_id(text); !id.empty()) return std::string(id);
  std::string found;
  if (text.starts_with('#')) found = contained_subject(std::string_view(text).substr(1));
  if (found.empty() && !text.empty() && subject_of_) found = subject_of_(text);
  if (found.empty()) found = reference.identifier;
  if (found.empty()) {
    list.error("subjectMissing", at,
               text.empty() ? "names no subject: neither a reference nor an identifier"
                            : ucum::quoted(text) + " names no subject: Patient/ID is expected");
  }
  return found;
}

void ResourceReading::read_subject(std::string_view member) {
  const Json found = root[member];
  if (!found) return list.error("subjectMissing", at(member), "is required: whom is it about?");
  const Json object = object_member(root, member, path, list);
  if (object)
    record().subject = subject_named(read_reference(object, at(member), list), at(member));
}

void ResourceReading::read_effective(bool or_end) {
  const Json found = choice_member(root, "effective", path, list);
  if (!found) return;
  const std::string place_of = at("effective");
  if (found.name() == "effectivePeriod") {
    const Period period =
        read_period(object_member(root, found.name(), path, list), place_of, list);
    record().effective = period.start.empty() && or_end ? period.end : period.start;
    attribute("end", period.end);
  } else if (found.name() == "effectiveTiming") {
    const Json events = found["event"];
    const auto first = events.is(Json::Type::array) ? events.begin() : events.end();
    if (!(first != events.end())) return;
    if ((*first).is(Json::Type::string)) {
      record().effective = read_date_time((*first).text(), place(place_of, "event", 0), list);
    } else {
      list.error("structure", place(place_of, "event", 0), "must be a string");
    }
  } else if (found.is(Json::Type::string)) {
    record().effective = read_date_time(found.text(), place_of, list);
  } else {
    list.error("structure", place_of, "must be a string");
  }
}

void ResourceReading::read_author(Json reference, const std::string& at_reference) {
  const Reference author = read_reference(reference, at_reference, list);
  record().author = column_words(author.words(), model::kIdCharsMax, true);
}

void ResourceReading::read_visit(std::string_view member) {
  const Reference visit = read_reference(object_member(root, member, path, list), at(member), list);
  record().visit = column_words(visit.display, model::kIdCharsMax, true);
}

void ResourceReading::attribute(std::string_view name, std::string_view words) {
  if (words.empty()) return;
  auto& attributes = record().attributes;
  std::pair<std::string, std::string> one(name, column_words(words, model::kTextCharsMax));
  attributes.insert(std::lower_bound(attributes.begin(), attributes.end(), one), std::move(one));
}

std::optional<StudyCode> ResourceReading::code_of(const Concept& named,
                                                  std::span<const Kind> listing,
                                                  std::span<const Kind> open,
                                                  const std::string& at) {
  for (const Kind kind : listing) {
    for (const model::Coding& coding : named.codings) {
      const Code* code = study.code_of(kind, coding.system, coding.code);
      if (code) return StudyCode{kind, code->code, code->system, code};
    }
    const Code* code = study.code(kind, named.text);
    if (code) return StudyCode{kind, code->code, code->system, code};
  }
  model::Coding first;
  for (const model::Coding& coding : named.codings) {
    if (first.code.empty()) first = coding;
  }
  if (named.codings.empty()) first = {.system = {}, .code = named.text, .display = {}};
  if (first.code.empty()) {
    list.error("missingElement", at, "has neither a code nor a text");
    return std::nullopt;
  }
  for (const Kind kind : open) {
    if (!study.open(kind)) continue;
    for (const std::string* id : {&first.code, &first.system}) {
      const auto fault = id->empty() ? std::nullopt : model::id_fault(*id);
      if (!fault) continue;
      list.error("invalidValue", at, ucum::quoted(*id) + " " + *fault);
      return std::nullopt;
    }
    return StudyCode{kind, std::move(first.code), std::move(first.system), nullptr};
  }
  list.error("codeUnknown", at,
             "the study has no " + std::string(to_string(open.front())) + " " +
                 ucum::quoted(first.code) +
                 (first.system.empty() ? "" : " of " + ucum::quoted(first.system)));
  return std::nullopt;
}

std::string unit_of(const Quantity& quantity, const Code* listed) {
  const std::string& best = quantity.unit_code();
  if (!listed) return best;
  for (const std::string* one : {&best, &quantity.unit, &quantity.code}) {
    if (!one->empty() && listed->to_own(*one)) return *one;
  }
  if (listed->units.empty() && (best == "1" || is_annotation(best))) return {};
  return best;
}

void set_quantity(model::Record& record, const Quantity& quantity, const Code* listed) {
  if (quantity.value.empty()) return;
  record.unit = unit_of(quantity, listed);
  const bool words = listed && listed->type == model::ValueType::text;
  if (!quantity.comparator.empty() || words) {
    record.value.text = quantity.comparator + quantity.value;
    return;
  }
  record.value.number = model::parse_json_number(quantity.value);
  record.value.number_text = quantity.value;
}

std::string answer_of(const Concept& answer, const Code* listed) {
  const auto knows = [&](const std::string& word) {
    return listed && !word.empty() &&
           std::find(listed->values.begin(), listed->values.end(), word) != listed->values.end();
  };
  for (const model::Coding& coding : answer.codings) {
    if (knows(coding.code)) return coding.code;
    if (knows(coding.display)) return coding.display;
  }
  if (knows(answer.text)) return answer.text;
  for (const model::Coding& coding : answer.codings) {
    if (!coding.code.empty()) return coding.code;
  }
  return answer.words();
}

}  // namespace trialward::fhir
