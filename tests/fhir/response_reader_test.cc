#include "fhir/response_reader.h"

#include <gtest/gtest.h>

namespace trialward::fhir {
namespace {

std::string lines_of(std::string_view json) {
  ResponseReader reader;
  const auto read = reader.read(json);
  std::string text;
  for (const model::Issue& issue : read ? read->issues : read.error()) {
    text += issue.code + '@' + issue.path + '\n';
  }
  return text;
}

std::string with_answer(std::string_view answer) {
  return R"({"resourceType":"QuestionnaireResponse","status":"completed",
    "item":[{"linkId":"a","answer":[)" + std::string(answer) + "]}]}";
}

TEST(ResponseReader, ReadsItemsBelowItemsAndAnswers) {
  ResponseReader reader;
  const auto read = reader.read(R"({"resourceType":"QuestionnaireResponse","id":"i",
    "status":"completed","questionnaire":"http://q|1","authored":"2024-01-01","subject":{},
    "item":[{"linkId":"g","item":[{"linkId":"a","answer":[{"valueDecimal":1.50,"item":[
      {"linkId":"b"}]},{"_valueString":{"extension":[]}}]}]}]})");
  ASSERT_TRUE(read.ok() && read->issues.empty());
  const model::QuestionnaireResponse& response = read->response;
  EXPECT_EQ(response.id + response.status + response.questionnaire + response.authored,
            "icompletedhttp://q|12024-01-01");
  const auto& answers = response.items.at(0).items.at(0).answers;
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].value.text, "1.50");
  EXPECT_EQ(answers[0].value.number, 1.5);
  EXPECT_EQ(answers[0].items.at(0).link_id, "b");
  EXPECT_TRUE(answers[1].explained && answers[1].value.type == model::FormType::none);
}

struct Row {
  const char* answer;
  const char* issues;  // places behind the answer
};

TEST(ResponseReader, EachValueIsWhatItsTypeSays) {
  const Row rows[] = {
      {R"({"valueInteger":1})", ""},
      {R"({"valueInteger":1.5})", "invalidValue@.value\n"},
      {R"({"valueInteger":2147483648})", "invalidValue@.value\n"},
      {R"({"valueDecimal":1e999})", "invalidValue@.value\n"},
      {R"({"valueDecimal":"1"})", "structure@.value\n"},
      {R"({"valueBoolean":"true"})", "structure@.value\n"},
      {R"({"valueString":""})", "invalidValue@.value\n"},
      {R"({"valueDate":"2023-02-29"})", "invalidValue@.value\n"},
      {R"({"valueDateTime":"2023-02-28T10:00"})", "invalidValue@.value\n"},
      {R"({"valueTime":"25:00:00"})", "invalidValue@.value\n"},
      {R"({"valueCoding":{}})", "invalidValue@.value\n"},
      {R"({"valueCoding":"x"})", "structure@.value\n"},
      {R"({"valueQuantity":{"value":"1"}})", "structure@.value\n"},
      {R"({"valueQuantity":{"value":1,"code":"kg"}})", "invalidValue@.value\n"},
      {R"({"valueAttachment":{"contentType":"a/b","data":"?"}})", "invalidValue@.value.data\n"},
      {R"({"valueAttachment":{"contentType":"a/b","size":-1}})", "structure@.value.size\n"},
      {R"({"valueAttachment":{"data":"YQ=="}})", "invalidValue@.value\n"},
      {R"({"valueString":"a","valueInteger":1})", "structure@\n"},
      {R"({"valueCode":"x"})", ""},  // of a type that no question has; that is told by the question
      {R"({"value":1})", "unknownElement@\n"},
      {R"({"modifierExtension":[]})", "modifierExtension@\n"},
  };
  for (const Row& row : rows) {
    std::string lines = lines_of(with_answer(row.answer));
    const std::string root = "QuestionnaireResponse.item[0].answer[0]";
    if (const auto at = lines.find(root); at != std::string::npos) lines.erase(at, root.size());
    EXPECT_EQ(lines, row.issues) << row.answer;
  }
}

TEST(ResponseReader, RefusesWhatIsNoResponse) {
  EXPECT_EQ(lines_of("x"), "invalidJson@\n");
  EXPECT_EQ(lines_of(R"({"resourceType":"Questionnaire"})"), "structure@\n");
  EXPECT_EQ(lines_of(R"({"resourceType":"QuestionnaireResponse","authored":"noon","items":[],
                         "status":1})"),
            "unknownElement@QuestionnaireResponse\nstructure@QuestionnaireResponse.status\n"
            "invalidValue@QuestionnaireResponse.authored\n");
}

TEST(ResponseReader, KeepsItsLimit) {
  std::string answers = R"({"valueInteger":1})";
  for (std::size_t i = 1; i < kAnswersMax - 1; ++i) answers += R"(,{"valueInteger":1})";
  EXPECT_EQ(lines_of(with_answer(answers)), "");
  EXPECT_EQ(lines_of(with_answer(answers + R"(,{"valueInteger":1},{"valueInteger":1})")),
            "tooMany@QuestionnaireResponse.item[0].answer[9999]\n");
}

}  // namespace
}  // namespace trialward::fhir
