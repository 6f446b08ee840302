#include "fhir/datatypes.h"

#include <algorithm>

#include "fhir/element.h"
#include "fhir/primitives.h"
#include "model/decode_record.h"
#include "model/effective_time.h"
#include "model/json_number.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

// Of a second in effective times (model/effective_time.h).
constexpr std::size_t kFractionDigitsMax = 9;

bool is_upper(char c) { return 'A' <= c && c <= 'Z'; }

// Calls `read` with each object of an array and its place.
template <class F>
void each_object(Json parent, std::string_view name, const std::string& path, IssueList& list,
                 F&& read) {
  if (parent.is(Json::Type::object)) Element(parent, path, list).each(name, read);
}

void read_text(Json object, std::string_view name, const std::string& path, IssueList& list,
               std::string& out) {
  if (object.is(Json::Type::object)) Element(object, path, list).text(name, out);
}

}  // namespace

std::string Concept::words() const {
  if (!text.empty()) return text;
  for (const model::Coding& coding : codings) {
    if (!coding.display.empty()) return coding.display;
  }
  for (const model::Coding& coding : codings) {
    if (!coding.code.empty()) return coding.code;
  }
  return {};
}

const std::string& Quantity::unit_code() const {
  return system == kUcum && !code.empty() ? code : !unit.empty() ? unit : code;
}

Json object_member(Json parent, std::string_view name, const std::string& path, IssueList& list) {
  const Json found = parent[name];
  if (!found || found.is(Json::Type::object)) return found;
  list.error("structure", place(path, name), "must be an object");
  return {};
}

Json first_member(Json parent, std::string_view name, const std::string& path, IssueList& list) {
  Json first;
  each_object(parent, name, path, list, [&](Json one, const std::string&) {
    if (!first) first = one;
  });
  return first;
}

Json choice_member(Json parent, std::string_view prefix, const std::string& path, IssueList& list) {
  Json chosen;
  for (const Json member : parent) {
    const std::string_view name = member.name();
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    if (!is_upper(name[prefix.size()])) continue;
    if (chosen) {
      list.error("structure", path,
                 "has both " + ucum::quoted(chosen.name()) + " and " + ucum::quoted(name));
    } else {
      chosen = member;
    }
  }
  return chosen;
}

Concept read_concept(Json object, const std::string& path, IssueList& list) {
  Concept concept_read;
  read_text(object, "text", path, list, concept_read.text);
  each_object(object, "coding", path, list, [&](Json one, const std::string& at) {
    Element element(one, at, list);
    model::Coding coding;
    element.text("system", coding.system);
    element.text("code", coding.code);
    element.text("display", coding.display);
    concept_read.codings.push_back(std::move(coding));
  });
  return concept_read;
}

Quantity read_quantity(Json object, const std::string& path, IssueList& list) {
  Quantity quantity;
  for (const auto& [name, out] :
       {std::pair("comparator", &quantity.comparator), std::pair("unit", &quantity.unit),
        std::pair("system", &quantity.system), std::pair("code", &quantity.code)}) {
    read_text(object, name, path, list, *out);
  }
  const std::string& comparator = quantity.comparator;
  if (!comparator.empty() && comparator != "<" && comparator != "<=" && comparator != ">" &&
      comparator != ">=") {
    list.error("invalidValue", place(path, "comparator"), "must be <, <=, > or >=");
  }
  const Json value = object["value"];
  if (!value) return quantity;
  if (!value.is(Json::Type::number)) {
    list.error("structure", place(path, "value"), "must be a number");
  } else if (value.text().size() > model::kIdCharsMax || !model::parse_json_number(value.text())) {
    list.error("invalidValue", place(path, "value"), "is a number beyond what can be stored");
  } else {
    quantity.value = value.text();
  }
  return quantity;
}

std::string Reference::words() const {
  if (!display.empty()) return display;
  return reference.starts_with("urn:") ? "" : reference;
}

Reference read_reference(Json object, const std::string& path, IssueList& list) {
  Reference reference;
  read_text(object, "reference", path, list, reference.reference);
  read_text(object, "display", path, list, reference.display);
  if (const Json identifier = object_member(object, "identifier", path, list)) {
    read_text(identifier, "value", place(path, "identifier"), list, reference.identifier);
  }
  return reference;
}

Period read_period(Json object, const std::string& path, IssueList& list) {
  Period period;
  for (const auto& [name, out] :
       {std::pair("start", &period.start), std::pair("end", &period.end)}) {
    std::string text;
    read_text(object, name, path, list, text);
    if (!text.empty()) *out = read_date_time(text, place(path, name), list);
  }
  return period;
}

std::string read_date_time(std::string_view text, const std::string& path, IssueList& list) {
  if (!is_date_time(text)) {
    list.error("invalidValue", path,
               ucum::quoted(text) + " is not a date, nor an instant such as 2024-01-31T08:30:00Z");
    return {};
  }
  std::string kept(text);
  if (const std::size_t point = kept.find('.'); point != std::string::npos) {
    const std::size_t end = kept.find_first_not_of("0123456789", point + 1);
    const std::size_t digits = end - point - 1;
    if (digits > kFractionDigitsMax) {
      kept.erase(point + 1 + kFractionDigitsMax, digits - kFractionDigitsMax);
    }
  }
  if (const auto sound = model::check_effective(kept); !sound) {
    list.error("invalidValue", path, ucum::quoted(text) + ": " + sound.error().message);
    return {};
  }
  return kept;
}

std::string column_words(std::string_view words, std::size_t chars_max, bool one_line) {
  std::string kept;
  std::size_t chars = 0;
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80 && ++chars > chars_max) break;
    const bool layout = c == '\n' || c == '\r' || c == '\t';
    const bool control = byte < 0x20 || byte == 0x7f;
    kept += control && (one_line || !layout) ? ' ' : c;
  }
  return kept;
}

std::string read_identifier(Json object, const std::string& path, IssueList& list) {
  std::string system, value;
  read_text(object, "system", path, list, system);
  read_text(object, "value", path, list, value);
  return value.empty() ? std::string() : system + "|" + value;
}

}  // namespace trialward::fhir
