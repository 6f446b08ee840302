// The answers that a questionnaire calculates (SDC's calculatedExpression, with `variable`s):
// numbers by FHIRPath, as far as fhir/path_expression.h understands it. What goes beyond is refused
// when the questionnaire is read, so that no score is passed unchecked. Filled while one is read;
// immutable after that, so any thread may check.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/json.h"
#include "fhir/path_expression.h"
#include "fhir/read_value.h"
#include "model/issue.h"
#include "model/questionnaire.h"

namespace trialward::fhir {

inline constexpr std::size_t kVariablesMax = 200;     // of a questionnaire
inline constexpr std::size_t kCalculatedMax = 500;    // of a response; others are not checked

class Calculations {
 public:
  // Reads the variables of the questionnaire ("") or of an item, which what is below it may use;
  // leave() takes what enter() gave and ends that.
  std::size_t enter(Json element, const std::string& link_id);
  void leave(std::size_t outside) { visible_.resize(outside); }

  // Reads how the item is calculated, if it is.
  void read(Json item_json, const std::string& path, const model::QuestionnaireItem& item,
            bool ignore, IssueList& list);

  // Each calculated item that is answered otherwise than it is calculated (calculatedValue), or
  // that cannot be calculated (notChecked, a warning). Both are as they came.
  model::Issues check(Json questionnaire, Json response) const;

  bool empty() const { return by_link_id_.empty(); }

 private:
  struct Variable {
    std::string name, owner;  // owner: the linkId of the item that it stands in
    PathExpression expression;
    std::string reason;  // why it cannot be used
    std::vector<std::size_t> needs;  // other variables, as a Calculation has them
  };
  struct Calculation {
    PathExpression expression;
    std::vector<std::size_t> variables;  // those that it needs, in the order of their making
  };
  // A response's item, and those around it from the outermost on.
  using Ancestors = std::vector<Json>;

  std::string need(const PathExpression& expression, std::vector<std::size_t>& needed) const;
  void check_items(Json parent, const std::string& path, Ancestors& around, Json questionnaire,
                   Json response, std::size_t& count, IssueList& list) const;
  void check_item(const Calculation& calculation, const std::string& path,
                  const Ancestors& around, Json questionnaire, Json response,
                  IssueList& list) const;

  std::vector<Variable> variables_;
  std::vector<std::size_t> visible_;
  std::map<std::string, Calculation, std::less<>> by_link_id_;
};

}  // namespace trialward::fhir
