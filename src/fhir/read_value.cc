#include "fhir/read_value.h"

#include <array>
#include <cmath>
#include <utility>

#include "fhir/primitives.h"
#include "model/json_number.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::FormType;
using model::FormValue;

constexpr std::array<std::pair<std::string_view, FormType>, 14> kTypes = {{
    {"Boolean", FormType::boolean},
    {"Decimal", FormType::decimal},
    {"Integer", FormType::integer},
    {"Date", FormType::date},
    {"DateTime", FormType::date_time},
    {"Time", FormType::time},
    {"String", FormType::string},
    {"Uri", FormType::uri},
    {"Attachment", FormType::attachment},
    {"Coding", FormType::coding},
    {"Quantity", FormType::quantity},
    {"Reference", FormType::reference},
    {"Url", FormType::uri},
    {"Canonical", FormType::uri},
}};

FormType type_named(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return FormType::other;
}

class ValueReading {
 public:
  ValueReading(std::string path, IssueList& list) : path_(std::move(path)), list_(list) {}

  void read(Json json, FormValue& value) {
    switch (value.type) {
      case FormType::boolean:
        if (expect(json, Json::Type::boolean, "true or false")) value.flag = json.flag();
        break;
      case FormType::integer:
      case FormType::decimal: read_number(json, value); break;
      case FormType::coding: value.coding = read_coding(json, path_, list_); break;
      case FormType::quantity: read_quantity(json, value); break;
      case FormType::attachment: read_attachment(json, value); break;
      case FormType::reference: read_reference(json, value); break;
      case FormType::none:
      case FormType::other: break;
      default: read_text(json, value);
    }
  }

  bool expect(Json json, Json::Type type, const char* what) {
    if (json.is(type)) return true;
    list_.error("structure", path_, std::string("must be ") + what);
    return false;
  }

  // The text of a member, when it is there and a string.
  void member(Json object, std::string_view name, std::string& out) {
    const Json found = object[name];
    if (!found) return;
    if (found.is(Json::Type::string)) {
      out = found.text();
    } else {
      list_.error("structure", place(path_, name), "must be a string");
    }
  }

 private:
  void read_number(Json json, FormValue& value) {
    if (!expect(json, Json::Type::number, "a number")) return;
    value.text = json.text();
    const auto number = model::parse_json_number(json.text());
    if (!number || json.text().size() > 100) {
      list_.error("invalidValue", path_, "is a number beyond what can be stored");
    } else if (value.type == FormType::integer && !parse_integer(json.text())) {
      list_.error("invalidValue", path_,
                  ucum::quoted(json.text()) + " is no whole number of 32 bits");
    } else {
      value.number = *number;
      value.has_number = true;
    }
  }

  void read_text(Json json, FormValue& value) {
    if (!expect(json, Json::Type::string, "a string")) return;
    value.text = json.text();
    const char* expected = value.type == FormType::date && !is_date(value.text)
                               ? "a date such as 2024-01-31, 2024-01 or 2024"
                           : value.type == FormType::date_time && !is_date_time(value.text)
                               ? "a date, or an instant such as 2024-01-31T08:30:00Z"
                           : value.type == FormType::time && !is_time(value.text)
                               ? "a time such as 08:30:00"
                               : nullptr;
    if (expected != nullptr) {
      list_.error("invalidValue", path_, ucum::quoted(value.text) + " is not " + expected);
    } else if (value.text.empty()) {
      list_.error("invalidValue", path_, "is empty; what is not answered is left out");
    }
  }

  void read_quantity(Json json, FormValue& value) {
    if (!expect(json, Json::Type::object, "an object")) return;
    member(json, "unit", value.coding.display);
    member(json, "system", value.coding.system);
    member(json, "code", value.coding.code);
    if (const Json number = json["value"]) read_number(number, value);
    if (!value.coding.code.empty() && value.coding.system.empty()) {
      list_.error("invalidValue", path_, "has a code of a unit, but not of which system");
    }
  }

  void read_attachment(Json json, FormValue& value) {
    if (!expect(json, Json::Type::object, "an object")) return;
    member(json, "contentType", value.text);
    if (const Json size = json["size"]) {
      const auto bytes = size.is(Json::Type::number) ? model::parse_json_number(size.text())
                                                     : std::nullopt;
      if (bytes && *bytes >= 0 && *bytes == std::floor(*bytes)) {
        value.size_bytes = *bytes;
      } else {
        list_.error("structure", place(path_, "size"), "must be a whole number, not below 0");
      }
    }
    if (const Json data = json["data"]) {
      if (data.is(Json::Type::string)) value.data_bytes = base64_bytes(data.text());
      if (!value.data_bytes) list_.error("invalidValue", place(path_, "data"), "is not base64");
      if (value.text.empty()) {
        list_.error("invalidValue", path_, "has data, but no contentType");
      }
    }
  }

  void read_reference(Json json, FormValue& value) {
    if (!expect(json, Json::Type::object, "an object")) return;
    member(json, "reference", value.text);
  }

  std::string path_;
  IssueList& list_;
};

}  // namespace

std::string place(std::string_view path, std::string_view member) {
  std::string result(path);
  if (!result.empty()) result += '.';
  return result.append(member);
}

std::string place(std::string_view path, std::string_view member, std::size_t index) {
  return place(path, member) + '[' + std::to_string(index) + ']';
}

FormValue read_choice(Json parent, std::string_view prefix, const std::string& path,
                      IssueList& list) {
  FormValue value;
  for (const Json member : parent) {
    const std::string_view name = member.name();
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    const char letter = name[prefix.size()];
    if (letter < 'A' || letter > 'Z') continue;
    if (value.type != FormType::none) {
      list.error("structure", path, "has both " + ucum::quoted(value.element) + " and " +
                                        ucum::quoted(name));
      continue;
    }
    value.element = std::string(name.substr(0, 64));
    value.type = type_named(name.substr(prefix.size()));
    ValueReading(place(path, prefix), list).read(member, value);
  }
  return value;
}

model::Coding read_coding(Json object, const std::string& path, IssueList& list) {
  model::Coding coding;
  ValueReading reading(path, list);
  if (!reading.expect(object, Json::Type::object, "an object")) return coding;
  reading.member(object, "system", coding.system);
  reading.member(object, "code", coding.code);
  reading.member(object, "display", coding.display);
  if (coding.code.empty() && coding.display.empty()) {
    list.error("invalidValue", path, "has neither a code nor a display");
  }
  return coding;
}

}  // namespace trialward::fhir
