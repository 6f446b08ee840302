// Reads value[x] and its like. For the readers of resources.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "fhir/json.h"
#include "model/form_value.h"
#include "model/issue.h"

namespace trialward::fhir {

// The issues of one resource, as they are found.
class IssueList {
 public:
  model::Issues issues;

  void error(std::string code, std::string path, std::string words) {
    add(model::IssueSeverity::error, std::move(code), std::move(path), std::move(words));
  }
  void warning(std::string code, std::string path, std::string words) {
    add(model::IssueSeverity::warning, std::move(code), std::move(path), std::move(words));
  }

 private:
  void add(model::IssueSeverity severity, std::string code, std::string path, std::string words) {
    model::add_issue(issues, {severity, std::move(code), std::move(path), std::move(words)});
  }
};

// "Questionnaire.item[2]".
std::string place(std::string_view path, std::string_view member);
std::string place(std::string_view path, std::string_view member, std::size_t index);

// The one member of `parent` whose name is `prefix` and a type: valueCoding for "value". A value of
// type `none` when there is none; two, and one that is not what its type says, are issues at
// `path`.
model::FormValue read_choice(Json parent, std::string_view prefix, const std::string& path,
                             IssueList& list);

// A Coding's parts; members of wrong JSON types are issues.
model::Coding read_coding(Json object, const std::string& path, IssueList& list);

}  // namespace trialward::fhir
