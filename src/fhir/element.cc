#include "fhir/element.h"

#include <algorithm>
#include <utility>

#include "fhir/primitives.h"
#include "ucum/unit.h"

namespace trialward::fhir {

Element::Element(Json json, std::string path, IssueList& list)
    : json_(json), path_(std::move(path)), list_(list) {
  if (json_ && !json_.is(Json::Type::object)) {
    list_.error("structure", path_, "must be an object");
  }
}

void Element::only(std::span<const std::string_view> members) {
  if (!json_.is(Json::Type::object)) return;
  for (const Json member : json_) {
    const std::string_view name = member.name();
    const auto allows = [&](std::string_view one) {
      if (!one.ends_with("[x]")) return one == name;
      one.remove_suffix(3);
      return name.size() > one.size() && name.starts_with(one) && 'A' <= name[one.size()] &&
             name[one.size()] <= 'Z';
    };
    if (name.starts_with('_') || name == "fhir_comments") continue;
    if (std::none_of(members.begin(), members.end(), allows)) {
      list_.error("unknownElement", path_, "has no element " + ucum::quoted(name) + " in FHIR R4");
    }
  }
  if (json_["modifierExtension"]) {
    list_.error("modifierExtension", path_,
                "has a modifier extension, which is not understood and must not be passed over");
  }
}

Json Element::member(std::string_view name, Json::Type type, const char* what) {
  const Json found = json_[name];
  if (!found || found.is(type)) return found;
  list_.error("structure", place(path_, name), std::string("must be ") + what);
  return {};
}

void Element::text(std::string_view name, std::string& out) {
  const Json found = member(name, Json::Type::string, "a string");
  if (!found) return;
  out = found.text();
  if (out.empty()) list_.error("invalidValue", place(path_, name), "is empty");
}

void Element::flag(std::string_view name, bool& out) {
  const Json found = member(name, Json::Type::boolean, "true or false");
  if (found) out = found.flag();
}

void Element::count(std::string_view name, std::optional<std::uint32_t>& out) {
  const Json found = member(name, Json::Type::number, "a whole number");
  if (!found) return;
  const auto number = parse_integer(found.text());
  if (number && *number >= 0) {
    out = static_cast<std::uint32_t>(*number);
  } else {
    list_.error("invalidValue", place(path_, name), "must be a whole number, not below 0");
  }
}

void Element::date_time(std::string_view name, std::string& out) {
  text(name, out);
  if (!out.empty() && !is_date_time(out)) {
    list_.error("invalidValue", place(path_, name),
                ucum::quoted(out) + " is not a date, nor an instant such as 2024-01-31T08:30:00Z");
    out.clear();
  }
}

void Element::each(std::string_view name,
                   const std::function<void(Json, const std::string&)>& read) {
  const Json array = member(name, Json::Type::array, "an array");
  std::size_t index = 0;
  for (const Json one : array) {
    const std::string at = place(path_, name, index++);
    if (one.is(Json::Type::object)) {
      read(one, at);
    } else {
      list_.error("structure", at, "must be an object");
    }
  }
}

}  // namespace trialward::fhir
