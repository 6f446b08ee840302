#include "fhir/calculation.h"

#include <gtest/gtest.h>

#include "fhir/questionnaire_reader.h"
#include "fhir/response_reader.h"

namespace trialward::fhir {
namespace {

std::string variable(const std::string& name, const std::string& expression) {
  return R"({"url":"http://hl7.org/fhir/StructureDefinition/variable",)"
         R"("valueExpression":{"name":")" + name +
         R"(","language":"text/fhirpath","expression":")" + expression + R"("}})";
}
std::string calculated(const std::string& expression) {
  return R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/)"
         R"(sdc-questionnaire-calculatedExpression","valueExpression":{"language":"text/fhirpath",)"
         R"("expression":")" + expression + R"("}})";
}

// Two numbers and their sum in a repeating group, and the sum of all sums.
const std::string kForm = R"({"resourceType":"Questionnaire","status":"active","extension":[)" +
    variable("sums", "item.where(linkId='g').item.where(linkId='sum').answer.value") +
    R"(],"item":[{"linkId":"g","type":"group","repeats":true,"extension":[)" +
    variable("a", "item.where(linkId='a').answer.value") + "," +
    variable("b", "item.where(linkId='b').answer.value") + R"(],"item":[
      {"linkId":"a","type":"decimal"},{"linkId":"b","type":"integer"},
      {"linkId":"sum","type":"decimal","extension":[)" +
    calculated("iif(%a.exists() and %b.exists(), %a + %b, {})") + R"(]}]},
    {"linkId":"all","type":"decimal","extension":[)" + calculated("%sums.sum()") + "]}]}";

std::string issues_of(const std::string& questionnaire, const std::string& items) {
  QuestionnaireReader questionnaires;
  const auto read = questionnaires.read(questionnaire);
  EXPECT_TRUE(read.ok()) << read.error().front().words;
  ResponseReader responses;
  const auto response = responses.read(
      R"({"resourceType":"QuestionnaireResponse","status":"completed","item":[)" + items + "]}");
  EXPECT_TRUE(response.ok());
  std::string lines;
  for (const model::Issue& issue :
       read->calculations.check(questionnaires.root(), responses.root())) {
    lines += issue.code + '@' + issue.path + ' ' + issue.words + '\n';
  }
  return lines;
}

std::string item(const std::string& link_id, const std::string& value) {
  return R"({"linkId":")" + link_id + R"(","answer":[{"valueDecimal":)" + value + "}]}";
}
std::string group(const std::string& items) {
  return R"({"linkId":"g","item":[)" + items + "]}";
}

TEST(Calculation, EachOccurrenceHasItsOwnVariables) {
  const std::string right =
      group(item("a", "1.5") + "," + item("b", "2") + "," + item("sum", "3.5"));
  const std::string second = group(item("a", "1") + "," + item("b", "1") + "," + item("sum", "2"));
  EXPECT_EQ(issues_of(kForm, right + "," + second + "," + item("all", "5.50")), "");
  EXPECT_EQ(issues_of(kForm, right + "," +
                                 group(item("a", "1") + "," + item("b", "1") + "," +
                                       item("sum", "3")) + "," + item("all", "5.5")),
            "calculatedValue@QuestionnaireResponse.item[1].item[2].answer[0] 3 is not what is "
            "calculated: 2\n"
            "calculatedValue@QuestionnaireResponse.item[2].answer[0] 5.5 is not what is "
            "calculated: 6.5\n");
  EXPECT_EQ(issues_of(kForm, group(item("a", "1") + "," + item("sum", "1"))),
            "calculatedValue@QuestionnaireResponse.item[0].item[1].answer[0] 1 is not what is "
            "calculated: nothing\n");
  EXPECT_EQ(issues_of(kForm, group(item("a", "1"))), "");
}

std::string refusal(const std::string& variables, const std::string& expression) {
  QuestionnaireReader reader;
  const auto read = reader.read(
      R"({"resourceType":"Questionnaire","status":"active","extension":[)" + variables +
      R"(],"item":[{"linkId":"a","type":"integer","extension":[)" + calculated(expression) +
      "]}]}");
  return read ? "" : read.error().front().code + ": " + read.error().front().words;
}

TEST(Calculation, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(refusal(variable("x", "1") + "," + variable("y", "%x + 1"), "%y"), "");
  EXPECT_EQ(refusal(variable("unused", "today()"), "1"), "");
  for (const auto& [variables, expression] :
       {std::pair(variable("x", "1"), "%z"), {variable("x", "today()"), "%x"},
        {variable("y", "%x") + "," + variable("x", "1"), "%y"},
        {variable("x", "1") + "," + variable("x", "2"), "%x"},
        {variable("x", "1"), "%x.toChars()"}}) {
    EXPECT_TRUE(refusal(variables, expression).starts_with(
        "notSupported: calculates the answer by an expression that "))
        << variables << expression << refusal(variables, expression);
  }
}

TEST(Calculation, WhatFailsIsSaid) {
  const std::string form = R"({"resourceType":"Questionnaire","status":"active","item":[
    {"linkId":"a","type":"integer","extension":[)" + calculated("'x' + 1") + "]}]}";
  EXPECT_EQ(issues_of(form, item("a", "1")),
            "notChecked@QuestionnaireResponse.item[0] cannot be calculated: the expression "
            "calculates with what is no number\n");
}

TEST(Calculation, KeepsItsLimit) {
  std::string items = item("all", "0");
  for (std::size_t i = 1; i <= kCalculatedMax; ++i) items += "," + item("all", "0");
  const std::string lines = issues_of(kForm, items);
  EXPECT_TRUE(lines.starts_with("notChecked@QuestionnaireResponse.item[500] ")) << lines;
}

}  // namespace
}  // namespace trialward::fhir
