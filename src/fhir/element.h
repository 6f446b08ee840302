// One element of a resource, while it is read: an object, its place, and the list that its faults
// go to. A member that is absent leaves what it would set as it was; one of the wrong JSON type is
// a fault. For the readers of resources.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fhir/json.h"
#include "fhir/read_value.h"

namespace trialward::fhir {

class Element {
 public:
  // An absent one has no members, and is no fault.
  Element(Json json, std::string path, IssueList& list);

  const std::string& path() const { return path_; }

  // A fault for each member that is none of these ("value[x]" stands for all of its types; those of
  // extensions of primitives, "_text", are always allowed), and for a modifier extension, which
  // must not be passed over.
  void only(std::span<const std::string_view> members);

  void text(std::string_view name, std::string& out);
  void flag(std::string_view name, bool& out);
  void count(std::string_view name, std::optional<std::uint32_t>& out);
  void date_time(std::string_view name, std::string& out);

  // Calls `read` with each object of an array and its place.
  void each(std::string_view name, const std::function<void(Json, const std::string&)>& read);

 private:
  Json member(std::string_view name, Json::Type type, const char* what);

  Json json_;
  std::string path_;
  IssueList& list_;
};

}  // namespace trialward::fhir
