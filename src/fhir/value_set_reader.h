// ValueSet and CodeSystem resources as JSON → model::ValueSet: what is contained in a
// questionnaire, or was handed over beside it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "fhir/json.h"
#include "fhir/read_value.h"
#include "model/value_set.h"

namespace trialward::fhir {

// A ValueSet's expansion, where it has one, else what its compose lists. Of what only a terminology
// server can tell (filters, sets named by others) `unknown` says why.
model::ValueSet read_value_set(Json object, const std::string& path, IssueList& list);

// All codes of a CodeSystem, as a set under its `valueSet`, or under its own url where it has none.
// Where its content is not complete, `unknown` says so.
model::ValueSet read_code_system(Json object, const std::string& path, IssueList& list);

// Value sets that were handed over beside a questionnaire. A ValueSetCollection keeps buffers and
// belongs to one thread.
class ValueSetCollection {
 public:
  // A ValueSet, a CodeSystem, or a Bundle with some of them. The issues say what was refused.
  model::Issues add(std::string_view json);

  // All of them by their url, over those of known_value_sets(). Where a set draws all codes of a
  // CodeSystem that was added, it has them.
  model::ValueSets sets() const;

 private:
  void add(Json resource, const std::string& path, IssueList& list);

  JsonTree tree_;
  model::ValueSets sets_, code_systems_;  // code systems by their own url
};

}  // namespace trialward::fhir
