// One evaluation of a PathExpression, for path_expression.cc. It borrows the expression's nodes and
// the names; one thread uses it, once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/path_expression.h"

namespace trialward::fhir {

// Whether there is such a function with so many arguments.
bool knows_function(std::string_view name, std::size_t arguments);

class PathEvaluation {
 public:
  PathEvaluation(const std::vector<PathExpression::Node>& nodes,
                 const PathExpression::Names& names)
      : nodes_(nodes), names_(names) {}

  // Set when it cannot be evaluated; what was answered then means nothing.
  std::string reason;

  PathValues evaluate(std::uint32_t at, const PathValues& focus);

 private:
  using Node = PathExpression::Node;

  PathValues fail(std::string why);
  bool step();
  PathValues member(const PathValues& of, std::string_view name);
  PathValues call(const Node& node, const PathValues& focus);
  PathValues where(const PathValues& of, std::uint32_t condition);
  PathValues aggregate(std::string_view name, const PathValues& of);
  PathValues logic(const Node& node, const PathValues& focus);
  PathValues binary(const Node& node, const PathValues& focus);
  PathValues arithmetic(PathExpression::Op op, const PathValue& a, const PathValue& b);
  // true, false, or neither (empty); a value that is no boolean counts as true.
  std::optional<bool> truth(const PathValues& values);

  const std::vector<Node>& nodes_;
  const PathExpression::Names& names_;
  std::size_t steps_ = 0;
};

}  // namespace trialward::fhir
