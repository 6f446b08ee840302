#include "fhir/path_expression.h"

#include <gtest/gtest.h>

namespace trialward::fhir {
namespace {

constexpr const char* kResource = R"({"n":[1,2,3.5],"none":[],"text":"abc","yes":true,
  "item":[{"linkId":"a","answer":[{"valueCoding":{"code":"x"}}]},
          {"linkId":"b","answer":[{"valueInteger":4}]}]})";

std::string in_text(const PathValues& values) {
  std::string text;
  for (const PathValue& value : values) {
    if (!text.empty()) text += ' ';
    switch (value.kind) {
      case PathValue::Kind::boolean: text += value.flag ? "true" : "false"; break;
      case PathValue::Kind::number: text += std::to_string(value.number).substr(0, 4); break;
      case PathValue::Kind::text: text += value.text; break;
      case PathValue::Kind::object: text += "{}"; break;
    }
  }
  return text;
}

std::string result_of(std::string_view expression) {
  JsonTree tree;
  const auto root = tree.parse(kResource);
  const auto parsed = PathExpression::parse(expression);
  if (!parsed) return "refused: " + parsed.error().message;
  const auto values = parsed->evaluate({path_value(*root)}, {{"resource", {path_value(*root)}}});
  return values ? in_text(*values) : "failed: " + values.error().message;
}

TEST(PathExpression, GivesWhatFhirpathSays) {
  const std::pair<const char*, const char*> cases[] = {
      {"1 + 2 * 3", "7.00"}, {"(1 + 2) * 3", "9.00"}, {"-2 + 5", "3.00"}, {"7 div 2", "3.00"},
      {"7 mod 2", "1.00"}, {"1 / 0", ""}, {"10 - 2 - 3", "5.00"}, {"{} + 1", ""}, {"{}", ""},
      {"n", "1.00 2.00 3.50"}, {"n.sum()", "6.50"}, {"n.avg()", "2.16"}, {"n.min()", "1.00"},
      {"n.max()", "3.50"}, {"n.count()", "3.00"}, {"none.sum()", "0.00"}, {"none.avg()", ""},
      {"n.first()", "1.00"}, {"n.last()", "3.50"}, {"n[1]", "2.00"}, {"n[9]", ""},
      {"n.where($this > 1)", "2.00 3.50"}, {"n.select($this * 2)", "2.00 4.00 7.00"},
      {"n.exists()", "true"}, {"none.exists()", "false"}, {"n.exists($this > 3)", "true"},
      {"n.all($this > 0)", "true"}, {"none.empty()", "true"}, {"yes.not()", "false"},
      {"text = 'abc'", "true"}, {"text != 'abd'", "true"}, {"'a' < 'b'", "true"},
      {"'it\\'s'", "it's"}, {"n = n", "true"}, {"none = 1", ""}, {"1 <= 1 and 2 >= 3", "false"},
      {"true or {}", "true"}, {"false or {}", ""}, {"false and {}", "false"}, {"true and {}", ""},
      {"true xor true", "false"}, {"false implies {}", "true"}, {"true implies false", "false"},
      {"{} implies true", "true"}, {"{} implies false", ""}, {"iif(yes, 1, 2)", "1.00"},
      {"iif(none.exists(), 1, 2)", "2.00"}, {"iif(false, 1)", ""}, {"1 | 2 | 1", "1.00 2.00"},
      {"%resource.item.where(linkId = 'a').answer.value.code", "x"},
      {"%resource.item.where(linkId='b').answer.value + 1", "5.00"},
      {"item.answer.valueInteger", "4.00"}, {"item.count()", "2.00"}, {"unknown.deeper", ""},
      {"%`resource`.n.first()", "1.00"}, {"android", ""},
  };
  for (const auto& [expression, result] : cases) {
    EXPECT_EQ(result_of(expression), result) << expression;
  }
}

TEST(PathExpression, RefusesWhatItDoesNotUnderstand) {
  for (const char* expression :
       {"", "1 +", "(1", "n[1", "a.b(", "toChars()", "n.where()", "today()", "%", "'open",
        "'\\u0041'", "1 2", "@2020-01-01", "a..b", "n.sum(1)", "a is Quantity", "$index", "{1}",
        "'a' & 'b'", "1 ~ 1"}) {
    EXPECT_TRUE(result_of(expression).starts_with("refused: ")) << expression;
  }
  for (const char* expression : {"%other", "n + 1", "'a' + 1", "text.sum()", "-text", "yes < true",
                                 "n and true", "n['a']"}) {
    EXPECT_TRUE(result_of(expression).starts_with("failed: ")) << expression;
  }
}

TEST(PathExpression, KeepsItsLimits) {
  const auto refused = [](const std::string& expression) {
    return result_of(expression).starts_with("refused: ");
  };
  EXPECT_FALSE(refused(std::string(20, '(') + "1" + std::string(20, ')')));
  EXPECT_TRUE(refused(std::string(kExpressionDepthMax, '(') + "1" +
                      std::string(kExpressionDepthMax, ')')));
  EXPECT_TRUE(refused(std::string(100, '-') + "1"));
  EXPECT_TRUE(refused("1" + std::string(kExpressionCharsMax, ' ')));
  std::string sum = "1";
  for (std::size_t i = 0; i < kExpressionNodesMax / 2 - 1; ++i) sum += "+1";
  EXPECT_EQ(result_of(sum), "500.");
  EXPECT_TRUE(refused(sum + "+1+1"));
  std::string nested = "n";
  for (int i = 0; i < 12; ++i) nested = "%resource.n.select(" + nested + ")";
  EXPECT_EQ(result_of(nested), "failed: takes more than 50000 steps");
}

}  // namespace
}  // namespace trialward::fhir
