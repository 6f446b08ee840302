#include "epro/enablement.h"

#include <gtest/gtest.h>

#include "tests/epro/response_case.h"

namespace trialward::epro {
namespace {

// Whether item `t`, which is required, is enabled by these conditions when `a` (of this type) has
// these answers: then it is missed.
bool asks(const std::string& type, const std::string& conditions, const std::string& answers) {
  const auto issues = issues_of(
      R"("item":[{"linkId":"a","repeats":true,"type":")" + type + R"("},{"linkId":"t",
         "type":"string","required":true,)" + conditions + "}]",
      R"("item":[{"linkId":"a","answer":[)" + answers + "]}]");
  EXPECT_TRUE(issues.size() < 2) << in_lines(issues);
  EXPECT_TRUE(issues.empty() || issues[0].code == "required") << in_lines(issues);
  return !issues.empty();
}

struct ConditionCase {
  const char* type;
  const char* op;
  const char* answer;  // of the condition: answer[x]
  const char* given;   // the answers
  bool enabled;
};

constexpr ConditionCase kConditions[] = {
    {"integer", "exists", R"("answerBoolean":true)", R"({"valueInteger":1})", true},
    {"integer", "exists", R"("answerBoolean":true)", "", false},
    {"integer", "exists", R"("answerBoolean":false)", "", true},
    {"integer", "exists", R"("answerBoolean":false)", R"({"valueInteger":1})", false},
    {"integer", "=", R"("answerInteger":3)", R"({"valueInteger":3})", true},
    {"integer", "=", R"("answerDecimal":3.0)", R"({"valueInteger":3})", true},
    {"integer", "=", R"("answerInteger":3)", R"({"valueInteger":1},{"valueInteger":3})", true},
    {"integer", "=", R"("answerInteger":3)", "", false},
    {"integer", "!=", R"("answerInteger":3)", R"({"valueInteger":3})", false},
    {"integer", "!=", R"("answerInteger":3)", R"({"valueInteger":4})", true},
    {"integer", "!=", R"("answerInteger":3)", "", false},
    {"integer", ">", R"("answerInteger":3)", R"({"valueInteger":3})", false},
    {"integer", ">", R"("answerInteger":3)", R"({"valueInteger":4})", true},
    {"integer", ">=", R"("answerInteger":3)", R"({"valueInteger":3})", true},
    {"integer", "<", R"("answerInteger":3)", R"({"valueInteger":2})", true},
    {"integer", "<", R"("answerInteger":3)", R"({"valueInteger":3})", false},
    {"integer", "<=", R"("answerInteger":3)", R"({"valueInteger":3})", true},
    {"integer", "<=", R"("answerInteger":3)", R"({"valueInteger":4})", false},
    {"boolean", "=", R"("answerBoolean":false)", R"({"valueBoolean":false})", true},
    {"boolean", "!=", R"("answerBoolean":false)", R"({"valueBoolean":false})", false},
    {"string", "=", R"("answerString":"x")", R"({"valueString":"x"})", true},
    {"string", "=", R"("answerString":"x")", R"({"valueString":"X"})", false},
    {"string", ">", R"("answerString":"b")", R"({"valueString":"c"})", true},
    {"string", "<", R"("answerString":"b")", R"({"valueString":"c"})", false},
    {"date", ">", R"("answerDate":"2020-05")", R"({"valueDate":"2020-06-01"})", true},
    {"date", ">", R"("answerDate":"2020-05")", R"({"valueDate":"2020-05-31"})", false},
    {"date", ">", R"("answerDate":"2020-05-31")", R"({"valueDate":"2020"})", false},
    {"time", "<", R"("answerTime":"12:00:00")", R"({"valueTime":"11:59:59"})", true},
    {"dateTime", ">=", R"("answerDateTime":"2020-01-01T00:00:00Z")",
     R"({"valueDateTime":"2020-01-01T01:00:00+01:00"})", true},
    {"choice", "=", R"("answerCoding":{"system":"http://s","code":"y"})",
     R"({"valueCoding":{"system":"http://s","code":"y","display":"Yes"}})", true},
    {"choice", "=", R"("answerCoding":{"system":"http://s","code":"y"})",
     R"({"valueCoding":{"system":"http://t","code":"y"}})", false},
    {"open-choice", "=", R"("answerString":"y")", R"({"valueString":"y"})", true},
    {"quantity", ">", R"("answerQuantity":{"value":1,"system":"http://unitsofmeasure.org",
     "code":"kg"})", R"({"valueQuantity":{"value":1001,"system":"http://unitsofmeasure.org",
     "code":"g"}})", true},
    {"quantity", ">", R"("answerQuantity":{"value":1,"system":"http://unitsofmeasure.org",
     "code":"kg"})", R"({"valueQuantity":{"value":1001,"system":"http://unitsofmeasure.org",
     "code":"cm"}})", false},
};

TEST(Enablement, EachOperator) {
  for (const ConditionCase& one : kConditions) {
    const std::string condition = R"("enableWhen":[{"question":"a","operator":")" +
                                  std::string(one.op) + "\"," + one.answer + "}]";
    EXPECT_EQ(asks(one.type, condition, one.given), one.enabled)
        << one.type << one.op << one.answer << one.given;
  }
}

TEST(Enablement, AnyOrAll) {
  const std::string two = R"("enableWhen":[{"question":"a","operator":">","answerInteger":1},
    {"question":"a","operator":"<","answerInteger":5}],"enableBehavior":)";
  for (const auto& [given, any, all] :
       {std::tuple(R"({"valueInteger":0})", true, false), {R"({"valueInteger":3})", true, true},
        {R"({"valueInteger":9})", true, false}, {"", false, false}}) {
    EXPECT_EQ(asks("integer", two + R"("any")", given), any) << given;
    EXPECT_EQ(asks("integer", two + R"("all")", given), all) << given;
  }
}

// A question of the same occurrence comes before one of another, and an earlier one before a later.
TEST(Enablement, TheNearestQuestionDecides) {
  const char* questionnaire = R"("item":[
    {"linkId":"g","type":"group","repeats":true,"item":[
      {"linkId":"q","type":"boolean"},
      {"linkId":"inner","type":"group","item":[{"linkId":"t","type":"string","required":true,
        "enableWhen":[{"question":"q","operator":"=","answerBoolean":true}]}]}]},
    {"linkId":"u","type":"string","required":true,
      "enableWhen":[{"question":"q","operator":"=","answerBoolean":true}]}])";
  const auto response = [](const char* first, const char* second) {
    const auto group = [](const char* flag) {
      return R"({"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":)" +
             std::string(flag) + R"(}]},{"linkId":"inner"}]})";
    };
    return R"("item":[)" + group(first) + "," + group(second) + "]";
  };
  const std::string root = "error:required@QuestionnaireResponse";
  EXPECT_EQ(in_lines(issues_of(questionnaire, response("true", "false"))),
            root + ".item[0].item[1]\n");
  EXPECT_EQ(in_lines(issues_of(questionnaire, response("false", "true"))),
            root + ".item[1].item[1]\n" + root + "\n");
}

TEST(Enablement, WhatIsNotEnabledIsNotLookedInto) {
  const char* questionnaire = R"("item":[{"linkId":"q","type":"boolean"},
    {"linkId":"g","type":"group","required":true,
     "enableWhen":[{"question":"q","operator":"=","answerBoolean":true}],
     "item":[{"linkId":"t","type":"string","required":true}]}])";
  EXPECT_EQ(in_lines(issues_of(questionnaire,
                               R"("item":[{"linkId":"g","item":[{"linkId":"t"}]}])")), "");
  EXPECT_EQ(in_lines(issues_of(questionnaire, R"("item":[{"linkId":"g","item":[
              {"linkId":"t","answer":[{"valueInteger":1}]}]}])")),
            "error:notEnabled@QuestionnaireResponse.item[0]\n");
  EXPECT_EQ(in_lines(issues_of(questionnaire, R"("item":[{"linkId":"g","item":[
              {"linkId":"t","answer":[{"valueString":"x"}]}]}])", "in-progress")),
            "warning:notEnabled@QuestionnaireResponse.item[0]\n");
}

}  // namespace
}  // namespace trialward::epro
