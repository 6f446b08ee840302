#include "fhir/path_expression.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "fhir/path_evaluation.h"
#include "model/json_number.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using Node = PathExpression::Node;
using Op = PathExpression::Op;

struct Operator {
  std::string_view text;
  Op op;
  int precedence;
};
// Longer ones before those that they begin with.
constexpr std::array<Operator, 17> kOperators = {{
    {"*", Op::times, 8},       {"/", Op::divide, 8},      {"div", Op::whole_divide, 8},
    {"mod", Op::modulo, 8},    {"+", Op::plus, 7},        {"-", Op::minus, 7},
    {"|", Op::either, 6},      {"<=", Op::at_most, 5},
    {">=", Op::at_least, 5},   {"<", Op::less, 5},        {">", Op::greater, 5},
    {"!=", Op::not_equal, 4},  {"=", Op::equal, 4},       {"and", Op::both, 3},
    {"or", Op::any_of, 2},     {"xor", Op::exclusive, 2}, {"implies", Op::implies, 1},
}};

bool begins_word(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_'; }
bool in_word(char c) { return begins_word(c) || ('0' <= c && c <= '9'); }

// Recursive descent, as deep as kExpressionDepthMax. After the first fault `reason` is set, and
// what is built no longer matters.
class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  std::vector<Node> nodes;
  std::vector<std::string> names;
  std::string reason;

  std::uint32_t parse() {
    const std::uint32_t root = expression(0);
    skip_blanks();
    if (at_ < text_.size()) fail("is not understood from " + rest());
    return root;
  }

 private:
  std::uint32_t fail(std::string why) {
    if (reason.empty()) reason = std::move(why);
    at_ = text_.size();
    return add({});
  }
  std::string rest() const { return ucum::quoted(text_.substr(at_)); }

  std::uint32_t add(Node node) {
    if (nodes.size() >= kExpressionNodesMax) {
      if (reason.empty()) reason = "is too long";
      at_ = text_.size();
      return 0;
    }
    nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(nodes.size() - 1);
  }
  std::uint32_t add(Op op, std::vector<std::uint32_t> operands) {
    Node node;
    node.op = op;
    node.operands = std::move(operands);
    return add(std::move(node));
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) !=
                                     std::string_view::npos) {
      ++at_;
    }
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("lacks a '") + c + "' before " + rest());
  }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_word(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  // The operator that stands here, not taken yet.
  const Operator* peek_operator() {
    skip_blanks();
    for (const Operator& one : kOperators) {
      if (!text_.substr(at_).starts_with(one.text)) continue;
      const std::size_t end = at_ + one.text.size();
      if (begins_word(one.text[0]) && end < text_.size() && in_word(text_[end])) continue;
      return &one;
    }
    return nullptr;
  }

  std::uint32_t expression(int above) {
    if (++depth_ > kExpressionDepthMax) return fail("is nested too deep");
    std::uint32_t left = unary();
    for (const Operator* one = peek_operator(); one != nullptr && one->precedence > above;
         one = peek_operator()) {
      at_ += one->text.size();
      const std::uint32_t right = expression(one->precedence);
      left = add(one->op, {left, right});
    }
    --depth_;
    return left;
  }

  std::uint32_t unary() {
    if (accept('+')) return unary_operand();
    if (!accept('-')) return path();
    return add(Op::negate, {unary_operand()});
  }
  std::uint32_t unary_operand() {
    if (++depth_ > kExpressionDepthMax) return fail("is nested too deep");
    const std::uint32_t operand = unary();
    --depth_;
    return operand;
  }

  std::uint32_t path() {
    std::uint32_t left = term();
    for (;;) {
      if (accept('.')) {
        skip_blanks();
        left = invocation(left);
      } else if (accept('[')) {
        const std::uint32_t inner = expression(0);
        expect(']');
        left = add(Op::index, {left, inner});
      } else {
        return left;
      }
    }
  }

  std::uint32_t term() {
    skip_blanks();
    if (accept('(')) {
      const std::uint32_t inner = expression(0);
      expect(')');
      return inner;
    }
    if (accept('{')) {
      expect('}');
      return add({});
    }
    if (accept('%')) return external();
    if (accept('\'')) return quoted_text();
    if (at_ < text_.size() && '0' <= text_[at_] && text_[at_] <= '9') return number();
    if (text_.substr(at_).starts_with("$this")) {
      at_ += 5;
      return add({.op = Op::self});
    }
    return invocation(add({.op = Op::self}));
  }

  std::uint32_t external() {
    const bool ticked = accept('`');
    std::string name = word();
    if (ticked) expect('`');
    if (name.empty()) return fail("lacks a name after '%'");
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return add({.op = Op::name, .text = std::move(name)});
  }

  std::uint32_t quoted_text() {
    Node node{.op = Op::literal};
    node.literal.kind = PathValue::Kind::text;
    while (at_ < text_.size() && text_[at_] != '\'') {
      if (text_[at_] == '\\') {
        // Of the escapes only those of quotes, backslash and slash are common.
        if (++at_ >= text_.size() || std::string_view("'\"`\\/").find(text_[at_]) ==
                                         std::string_view::npos) {
          return fail("has an escape in a text that is not understood");
        }
      }
      node.literal.text += text_[at_++];
    }
    if (at_ >= text_.size()) return fail("has a text without an end");
    ++at_;
    return add(std::move(node));
  }

  std::uint32_t number() {
    const std::size_t begin = at_;
    const auto digits = [this] {
      while (at_ < text_.size() && '0' <= text_[at_] && text_[at_] <= '9') ++at_;
    };
    digits();
    if (at_ + 1 < text_.size() && text_[at_] == '.' && '0' <= text_[at_ + 1] &&
        text_[at_ + 1] <= '9') {
      ++at_;
      digits();
    }
    const auto value = model::parse_json_number(text_.substr(begin, at_ - begin));
    if (!value) return fail("has a number that is none");
    Node node{.op = Op::literal};
    node.literal.kind = PathValue::Kind::number;
    node.literal.number = *value;
    return add(std::move(node));
  }

  // A member or a function of what stands before it.
  std::uint32_t invocation(std::uint32_t of) {
    if (at_ >= text_.size() || !begins_word(text_[at_])) {
      return fail(at_ >= text_.size() ? "ends where a value is expected"
                                      : "is not understood from " + rest());
    }
    Node node;
    node.op = Op::member;
    node.text = word();
    node.operands.push_back(of);
    if (!accept('(')) {
      if (node.text != "true" && node.text != "false") return add(std::move(node));
      Node literal{.op = Op::literal};
      literal.literal.kind = PathValue::Kind::boolean;
      literal.literal.flag = node.text == "true";
      return add(std::move(literal));
    }
    node.op = Op::call;
    if (!accept(')')) {
      do {
        node.operands.push_back(expression(0));
      } while (accept(','));
      expect(')');
    }
    if (!reason.empty()) return add({});
    if (!knows_function(node.text, node.operands.size() - 1)) {
      return fail("uses " + ucum::quoted(node.text) + " with " +
                  std::to_string(node.operands.size() - 1) +
                  " arguments, which is not understood");
    }
    return add(std::move(node));
  }

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0;
};

}  // namespace

PathValue path_value(Json json) {
  PathValue value;
  if (json.is(Json::Type::string)) {
    value.kind = PathValue::Kind::text;
    value.text = json.text();
  } else if (json.is(Json::Type::number)) {
    value.kind = PathValue::Kind::number;
    value.number = model::parse_json_number(json.text()).value_or(0);
  } else if (json.is(Json::Type::boolean)) {
    value.kind = PathValue::Kind::boolean;
    value.flag = json.flag();
  } else {
    value.object = json;
  }
  return value;
}

base::Result<PathExpression> PathExpression::parse(std::string_view text) {
  if (text.size() > kExpressionCharsMax) {
    return base::invalid("has more than " + std::to_string(kExpressionCharsMax) + " characters");
  }
  PathParser parser(text);
  PathExpression expression;
  expression.root_ = parser.parse();
  if (!parser.reason.empty()) return base::invalid(std::move(parser.reason));
  expression.nodes_ = std::move(parser.nodes);
  expression.names_ = std::move(parser.names);
  return expression;
}

base::Result<PathValues> PathExpression::evaluate(const PathValues& focus,
                                                  const Names& names) const {
  PathEvaluation evaluation(nodes_, names);
  PathValues values = evaluation.evaluate(root_, focus);
  if (!evaluation.reason.empty()) return base::invalid(std::move(evaluation.reason));
  return values;
}

}  // namespace trialward::fhir
