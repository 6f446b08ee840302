#include "fhir/path_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using Op = PathExpression::Op;
using ValueKind = PathValue::Kind;

struct Function {
  std::string_view name;
  std::size_t least, most;  // arguments
};
constexpr std::array<Function, 14> kFunctions = {{
    {"where", 1, 1}, {"select", 1, 1}, {"exists", 0, 1}, {"empty", 0, 0}, {"not", 0, 0},
    {"all", 1, 1},   {"count", 0, 0},  {"sum", 0, 0},    {"avg", 0, 0},   {"min", 0, 0},
    {"max", 0, 0},   {"first", 0, 0},  {"iif", 2, 3},    {"last", 0, 0},
}};

PathValue boolean(bool flag) {
  PathValue value;
  value.kind = ValueKind::boolean;
  value.flag = flag;
  return value;
}
PathValue of_number(double number) {
  PathValue value;
  value.kind = ValueKind::number;
  value.number = number;
  return value;
}

bool same(const PathValue& a, const PathValue& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::boolean: return a.flag == b.flag;
    case ValueKind::number: return a.number == b.number;
    case ValueKind::text: return a.text == b.text;
    case ValueKind::object: return false;  // objects are never compared in a score
  }
  return false;
}

}  // namespace

bool knows_function(std::string_view name, std::size_t arguments) {
  return std::any_of(kFunctions.begin(), kFunctions.end(), [&](const Function& one) {
    return one.name == name && arguments >= one.least && arguments <= one.most;
  });
}

PathValues PathEvaluation::fail(std::string why) {
  if (reason.empty()) reason = std::move(why);
  return {};
}

bool PathEvaluation::step() {
  if (++steps_ <= kExpressionStepsMax) return reason.empty();
  fail("takes more than " + std::to_string(kExpressionStepsMax) + " steps");
  return false;
}

std::optional<bool> PathEvaluation::truth(const PathValues& values) {
  if (values.empty()) return std::nullopt;
  if (values.size() > 1) fail("asks whether several values are true");
  return values[0].kind != ValueKind::boolean || values[0].flag;
}

PathValues PathEvaluation::evaluate(std::uint32_t at, const PathValues& focus) {
  if (!step()) return {};
  const Node& node = nodes_[at];
  switch (node.op) {
    case Op::empty: return {};
    case Op::literal: return {node.literal};
    case Op::self: return focus;
    case Op::name: {
      const auto found = names_.find(node.text);
      if (found == names_.end()) return fail("%" + node.text + " is not known");
      steps_ += found->second.size();
      return found->second;
    }
    case Op::member: return member(evaluate(node.operands[0], focus), node.text);
    case Op::call: return call(node, focus);
    case Op::index: {
      const PathValues of = evaluate(node.operands[0], focus);
      const PathValues index = evaluate(node.operands[1], focus);
      if (index.size() != 1 || index[0].kind != ValueKind::number) return fail("has a wrong index");
      const double place = index[0].number;
      if (!(place >= 0) || place >= static_cast<double>(of.size())) return {};
      return {of[static_cast<std::size_t>(place)]};
    }
    case Op::both:
    case Op::any_of:
    case Op::exclusive:
    case Op::implies: return logic(node, focus);
    default: return binary(node, focus);
  }
}

// `value` of an element finds its valueCoding, valueInteger, …
PathValues PathEvaluation::member(const PathValues& of, std::string_view name) {
  PathValues found;
  for (const PathValue& one : of) {
    if (!step()) return {};
    if (one.kind != ValueKind::object || !one.object) continue;
    Json value = one.object[name];
    if (!value && one.object.is(Json::Type::object)) {
      for (const Json other : one.object) {
        const std::string_view longer = other.name();
        if (longer.size() > name.size() && longer.starts_with(name) &&
            'A' <= longer[name.size()] && longer[name.size()] <= 'Z') {
          value = other;
        }
      }
    }
    if (!value || value.is(Json::Type::null)) continue;
    if (!value.is(Json::Type::array)) {
      found.push_back(path_value(value));
      continue;
    }
    for (const Json element : value) {
      if (!step()) return {};
      if (!element.is(Json::Type::null)) found.push_back(path_value(element));
    }
  }
  return found;
}

PathValues PathEvaluation::where(const PathValues& of, std::uint32_t condition) {
  PathValues found;
  for (const PathValue& one : of) {
    if (!step()) return {};
    if (truth(evaluate(condition, {one})).value_or(false)) found.push_back(one);
  }
  return found;
}

PathValues PathEvaluation::call(const Node& node, const PathValues& focus) {
  const std::string& name = node.text;
  const auto argument = [&](std::size_t i) { return node.operands[i + 1]; };
  if (name == "iif") {
    const bool holds = truth(evaluate(argument(0), focus)).value_or(false);
    if (holds) return evaluate(argument(1), focus);
    return node.operands.size() > 3 ? evaluate(argument(2), focus) : PathValues();
  }
  PathValues of = evaluate(node.operands[0], focus);
  if (!reason.empty()) return {};
  if (name == "where") return where(of, argument(0));
  if (name == "exists") {
    return {boolean(!(node.operands.size() > 1 ? where(of, argument(0)) : of).empty())};
  }
  if (name == "all") return {boolean(where(of, argument(0)).size() == of.size())};
  if (name == "empty") return {boolean(of.empty())};
  if (name == "count") return {of_number(static_cast<double>(of.size()))};
  if (name == "not") {
    const auto holds = truth(of);
    return holds ? PathValues{boolean(!*holds)} : PathValues();
  }
  if (of.empty()) return name == "sum" ? PathValues{of_number(0)} : PathValues();
  if (name == "first") return {of.front()};
  if (name == "last") return {of.back()};
  if (name != "select") return aggregate(name, of);
  PathValues selected;
  for (const PathValue& one : of) {
    for (PathValue& value : evaluate(argument(0), {one})) {
      if (!step()) return {};
      selected.push_back(std::move(value));
    }
  }
  return selected;
}

PathValues PathEvaluation::aggregate(std::string_view name, const PathValues& of) {
  double sum = 0, least = 0, most = 0;
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (of[i].kind != ValueKind::number) {
      return fail(std::string(name) + "() is of what is no number");
    }
    sum += of[i].number;
    least = i == 0 ? of[i].number : std::min(least, of[i].number);
    most = i == 0 ? of[i].number : std::max(most, of[i].number);
  }
  if (name == "avg") return {of_number(sum / static_cast<double>(of.size()))};
  return {of_number(name == "min" ? least : name == "max" ? most : sum)};
}

// Three-valued: what is empty is not known.
PathValues PathEvaluation::logic(const Node& node, const PathValues& focus) {
  auto left = truth(evaluate(node.operands[0], focus));
  const auto right = truth(evaluate(node.operands[1], focus));
  if (node.op == Op::exclusive) {
    return left && right ? PathValues{boolean(*left != *right)} : PathValues();
  }
  if (node.op == Op::implies && left) left = !*left;
  const bool decides = node.op != Op::both;  // what settles it, whatever the other is
  if (left == decides || right == decides) return {boolean(decides)};
  return left && right ? PathValues{boolean(!decides)} : PathValues();
}

PathValues PathEvaluation::binary(const Node& node, const PathValues& focus) {
  PathValues left = evaluate(node.operands[0], focus);
  if (node.op == Op::negate) {
    if (left.empty()) return left;
    if (left.size() > 1 || left[0].kind != ValueKind::number) {
      return fail("negates what is no number");
    }
    return {of_number(-left[0].number)};
  }
  const PathValues right = evaluate(node.operands[1], focus);
  if (!reason.empty()) return {};
  if (node.op == Op::either) {
    for (const PathValue& one : right) {
      if (!step()) return {};
      steps_ += left.size();
      const auto there = [&](const PathValue& other) { return same(one, other); };
      if (std::none_of(left.begin(), left.end(), there)) left.push_back(one);
    }
    return left;
  }
  if (left.empty() || right.empty()) return {};
  if (node.op == Op::equal || node.op == Op::not_equal) {
    const bool equal = left.size() == right.size() &&
                       std::equal(left.begin(), left.end(), right.begin(), same);
    return {boolean(equal == (node.op == Op::equal))};
  }
  if (left.size() > 1 || right.size() > 1) return fail("has several values as one operand");
  return arithmetic(node.op, left[0], right[0]);
}

PathValues PathEvaluation::arithmetic(Op op, const PathValue& a, const PathValue& b) {
  if (a.kind == ValueKind::text && b.kind == ValueKind::text) {
    switch (op) {
      case Op::less: return {boolean(a.text < b.text)};
      case Op::at_most: return {boolean(a.text <= b.text)};
      case Op::greater: return {boolean(a.text > b.text)};
      case Op::at_least: return {boolean(a.text >= b.text)};
      default: return fail("calculates with texts");
    }
  }
  if (a.kind != ValueKind::number || b.kind != ValueKind::number) {
    return fail("calculates with what is no number");
  }
  const double x = a.number, y = b.number;
  const auto quotient = [&](double result) {
    return y == 0 ? PathValues() : PathValues{of_number(result)};  // FHIRPath: by 0 is empty
  };
  switch (op) {
    case Op::times: return {of_number(x * y)};
    case Op::divide: return quotient(x / y);
    case Op::whole_divide: return quotient(std::trunc(x / y));
    case Op::modulo: return quotient(std::fmod(x, y));
    case Op::plus: return {of_number(x + y)};
    case Op::minus: return {of_number(x - y)};
    case Op::less: return {boolean(x < y)};
    case Op::at_most: return {boolean(x <= y)};
    case Op::greater: return {boolean(x > y)};
    case Op::at_least: return {boolean(x >= y)};
    default: return fail("has an operator that is none of numbers");
  }
}

}  // namespace trialward::fhir
