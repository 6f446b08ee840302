#include "fhir/value_set_reader.h"

#include <algorithm>
#include <utility>

#include "fhir/known_value_sets.h"
#include "fhir/primitives.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::Coding;
using model::ValueSet;

// A CodeSystem's concepts or an expansion's, each with those below it. `below` is what holds them.
void add_concepts(Json concepts, const std::string& system, std::string_view below, ValueSet& set) {
  for (const Json one : concepts) {
    const Json abstract = one["abstract"];
    Coding coding{std::string(one.string("system")), std::string(one.string("code")),
                  std::string(one.string("display"))};
    if (coding.system.empty()) coding.system = system;
    const bool selectable = !(abstract.is(Json::Type::boolean) && abstract.flag());
    if (selectable && !(coding.code.empty() && coding.display.empty())) {
      for (const Json other : one["designation"]) {
        const std::string_view name = other.string("value");
        if (!name.empty()) set.codings.push_back({coding.system, coding.code, std::string(name)});
      }
      set.codings.push_back(std::move(coding));
    }
    add_concepts(one[below], system, below, set);
  }
}

void add_include(Json include, ValueSet& set) {
  const std::string system(include.string("system"));
  if (include["filter"]) set.unknown = "it draws from " + ucum::quoted(system) + " by a filter";
  if (include["valueSet"]) set.unknown = "it draws from other value sets";
  if (include["concept"]) {
    add_concepts(include["concept"], system, "concept", set);
  } else if (set.unknown.empty() && !system.empty()) {
    set.whole_systems.push_back(system);
  }
}

void take_away(Json exclude, ValueSet& set) {
  ValueSet out;
  add_concepts(exclude["concept"], std::string(exclude.string("system")), "concept", out);
  if (!exclude["concept"]) set.unknown = "it leaves out what only a terminology server can tell";
  sort_codings(out);
  std::erase_if(set.codings, [&](Coding one) {
    one.display.clear();
    return membership(out, one) == model::Membership::member;
  });
}

// Puts in place of whole systems their codes, where `code_systems` has all of them.
void fill_whole_systems(ValueSet& set, const model::ValueSets& code_systems) {
  std::erase_if(set.whole_systems, [&](const std::string& system) {
    const auto found = code_systems.find(system);
    if (found == code_systems.end() || !found->second.unknown.empty()) return false;
    const auto& codings = found->second.codings;
    set.codings.insert(set.codings.end(), codings.begin(), codings.end());
    return true;
  });
  sort_codings(set);
}

}  // namespace

ValueSet read_value_set(Json object, const std::string& path, IssueList& list) {
  ValueSet set;
  set.url = object.string("url");
  const Json expansion = object["expansion"], compose = object["compose"];
  if (expansion.is(Json::Type::object)) {
    add_concepts(expansion["contains"], "", "contains", set);
    // What was cut off is said by a total beyond what is listed.
    const Json total = expansion["total"];
    const auto said = total.is(Json::Type::number) ? parse_integer(total.text()) : std::nullopt;
    if (said && *said > 0 && static_cast<std::size_t>(*said) > set.codings.size()) {
      set.unknown = "its expansion is not complete";
    }
  } else if (compose.is(Json::Type::object)) {
    for (const Json include : compose["include"]) add_include(include, set);
    for (const Json exclude : compose["exclude"]) take_away(exclude, set);
  } else {
    list.warning("valueSetEmpty", path, "has neither an expansion nor a compose");
    set.unknown = "it has neither an expansion nor a compose";
  }
  sort_codings(set);
  return set;
}

ValueSet read_code_system(Json object, const std::string& path, IssueList& list) {
  ValueSet set;
  const std::string system(object.string("url"));
  set.url = object.string("valueSet");
  if (set.url.empty()) set.url = system;
  if (system.empty()) list.error("missingElement", place(path, "url"), "is missing");
  add_concepts(object["concept"], system, "concept", set);
  if (object.string("content") != "complete") set.unknown = "its code system is not complete";
  sort_codings(set);
  return set;
}

model::Issues ValueSetCollection::add(std::string_view json) {
  const auto root = tree_.parse(json);
  if (!root) return root.error();
  IssueList list;
  const std::string type(root->string("resourceType"));
  if (type != "Bundle") {
    add(*root, type, list);
    return std::move(list.issues);
  }
  std::size_t index = 0;
  for (const Json entry : (*root)["entry"]) {
    add(entry["resource"], place(place(type, "entry", index++), "resource"), list);
  }
  return std::move(list.issues);
}

void ValueSetCollection::add(Json resource, const std::string& path, IssueList& list) {
  const std::string_view type = resource.string("resourceType");
  const std::string url(resource.string("url"));
  if (type != "ValueSet" && type != "CodeSystem") {
    list.error("structure", path, "is neither a ValueSet nor a CodeSystem, but " +
                                      ucum::quoted(type));
  } else if (url.empty()) {
    list.error("missingElement", place(path, "url"), "is missing: nothing can refer to it");
  } else if (type == "ValueSet") {
    sets_[url] = read_value_set(resource, path, list);
  } else {
    ValueSet all = read_code_system(resource, path, list);
    if (all.url != url) sets_[all.url] = all;
    code_systems_[url] = std::move(all);
  }
}

model::ValueSets ValueSetCollection::sets() const {
  model::ValueSets sets = known_value_sets();
  for (const auto& [url, set] : sets_) {
    ValueSet filled = set;
    fill_whole_systems(filled, code_systems_);
    sets[url] = std::move(filled);
  }
  return sets;
}

}  // namespace trialward::fhir
