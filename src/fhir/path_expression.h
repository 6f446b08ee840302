// The part of FHIRPath (N1) that scores are written in: paths, where, exists, count, sum, avg, min,
// max, iif, arithmetic, comparison and logic. Whatever else an expression has is refused when it is
// parsed. Expressions come from outside: their length and depth are bounded, and what one may do.
// Immutable after parse; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/json.h"

namespace trialward::fhir {

inline constexpr std::size_t kExpressionCharsMax = 8000;
inline constexpr std::size_t kExpressionDepthMax = 40;
inline constexpr std::size_t kExpressionNodesMax = 1000;
inline constexpr std::size_t kExpressionStepsMax = 50000;  // of one evaluation

// One value of a collection: an object of a resource, or a primitive.
struct PathValue {
  enum class Kind : std::uint8_t { object, boolean, number, text };
  Kind kind = Kind::object;
  bool flag = false;
  double number = 0;
  std::string text;
  Json object;
};
using PathValues = std::vector<PathValue>;

class PathExpression {
 public:
  // What %name stands for; %resource and %questionnaire are two of them.
  using Names = std::map<std::string, PathValues, std::less<>>;

  // The error says what is not understood.
  static base::Result<PathExpression> parse(std::string_view text);

  // The names (%name) that it refers to.
  const std::vector<std::string>& names() const { return names_; }

  // From `focus`. An error: a name that is not known, operands of wrong kinds, too many steps.
  base::Result<PathValues> evaluate(const PathValues& focus, const Names& names) const;

  // How an expression is kept: each node names its operands by their index.
  enum class Op : std::uint8_t {
    literal, empty, name, self, member, call, index,
    negate, times, divide, whole_divide, modulo, plus, minus,
    either, less, at_most, greater, at_least, equal, not_equal, both, any_of, exclusive, implies,
  };
  struct Node {
    Op op = Op::empty;
    PathValue literal;
    std::string text;  // of a name, a member, a function
    std::vector<std::uint32_t> operands;  // of a member, a call and an index what they are of first
  };

 private:
  std::vector<Node> nodes_;
  std::uint32_t root_ = 0;
  std::vector<std::string> names_;
};

// A primitive or object as a value of a path.
PathValue path_value(Json json);

}  // namespace trialward::fhir
