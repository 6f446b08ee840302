#include "epro/validate_response.h"

#include <gtest/gtest.h>

#include "tests/epro/response_case.h"

namespace trialward::epro {
namespace {

struct ResponseCase {
  const char* name;
  const char* questionnaire;
  const char* response;
  const char* status;
  const char* issues;  // each "severity:code@place" behind QuestionnaireResponse, with a line's end
};

constexpr const char* kTwo =  // a is required, b repeats once or twice
    R"("item":[{"linkId":"a","type":"string","required":true},
               {"linkId":"b","type":"integer","repeats":true,"extension":[
                 {"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs",
                  "valueInteger":2}]}])";
// A repeating group of a required question, with another below its answer.
constexpr const char* kGroup =
    R"("item":[{"linkId":"g","type":"group","repeats":true,"item":[
         {"linkId":"q","type":"boolean","required":true,"item":[
           {"linkId":"why","type":"string","enableWhen":[
             {"question":"q","operator":"=","answerBoolean":true}],"required":true}]}]}])";
constexpr const char* kExclusive =
    R"("item":[{"linkId":"a","type":"choice","repeats":true,"answerOption":[
         {"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"}},
         {"valueCoding":{"code":"none"},"extension":[{"valueBoolean":true,
           "url":"http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"}]}]}])";

constexpr ResponseCase kResponses[] = {
    {"complete", kTwo, R"("item":[{"linkId":"a","answer":[{"valueString":"x"}]}])",
     "completed", ""},
    {"required, absent", kTwo, R"("item":[])", "completed",
     "error:required@\n"},
    {"required, without an answer", kTwo, R"("item":[{"linkId":"a"}])", "amended",
     "error:required@.item[0]\n"},
    {"required, with an empty answer", kTwo, R"("item":[{"linkId":"a","answer":[{}]}])",
     "completed", "error:required@.item[0]\nerror:emptyAnswer@.item[0].answer[0]\n"},
    {"in progress it may lack", kTwo, R"("item":[])", "in-progress", "information:required@\n"},
    {"stopped", kTwo, R"("item":[])", "stopped", "information:required@\n"},
    {"no status", kTwo, R"("item":[{"linkId":"a","answer":[{"valueString":"x"}]}])", "done",
     "fatal:invalidStatus@.status\n"},
    {"does not repeat", kTwo,
     R"("item":[{"linkId":"a","answer":[{"valueString":"x"},{"valueString":"y"}]}])", "completed",
     "error:repeats@.item[0]\n"},
    {"does not repeat, in progress", kTwo,
     R"("item":[{"linkId":"a","answer":[{"valueString":"x"},{"valueString":"y"}]}])",
     "in-progress", "warning:repeats@.item[0]\n"},
    {"more than maxOccurs", kTwo,
     R"("item":[{"linkId":"a","answer":[{"valueString":"x"}]},
                {"linkId":"b",
                 "answer":[{"valueInteger":1},{"valueInteger":2},{"valueInteger":3}]}])",
     "completed", "error:maxCount@.item[1]\n"},
    {"out of order", kTwo,
     R"("item":[{"linkId":"b","answer":[{"valueInteger":1}]},
                {"linkId":"a","answer":[{"valueString":"x"}]}])",
     "completed", "error:invalidOrder@.item[1]\n"},
    {"a question twice", kTwo,
     R"("item":[{"linkId":"a","answer":[{"valueString":"x"}]},
                {"linkId":"a","answer":[{"valueString":"y"}]}])",
     "completed", "error:repeats@.item[0]\nerror:duplicateLinkId@.item[1]\n"},
    {"a stranger", kTwo,
     R"("item":[{"linkId":"z"},{"linkId":"a","answer":[{"valueString":"x"}]}])", "completed",
     "fatal:invalidLinkId@.item[0]\n"},
    {"every fault at once", kTwo,
     R"("item":[{"linkId":"z"},{"linkId":"b","answer":[{"valueString":"1"},{}]}])", "completed",
     "fatal:invalidLinkId@.item[0]\nerror:required@\nfatal:invalidAnswerType@.item[1].answer[0]\n"
     "error:emptyAnswer@.item[1].answer[1]\n"},
    {"a value that is none, and what is required", kTwo,
     R"("item":[{"linkId":"b","answer":[{"valueInteger":"1"}]}])", "completed",
     "error:structure@.item[0].answer[0].value\nerror:required@\n"},

    {"an optional group that is absent asks nothing", kGroup, R"("item":[])", "completed", ""},
    {"one that is there asks for what it requires", kGroup, R"("item":[{"linkId":"g"}])",
     "completed", "error:required@.item[0]\n"},
    {"each occurrence is held against the group", kGroup,
     R"("item":[{"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":false}]}]},
                {"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":true}]}]}])",
     "completed", "error:required@.item[1].item[0].answer[0]\n"},
    {"nested below the answer", kGroup,
     R"("item":[{"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":true,
        "item":[{"linkId":"why","answer":[{"valueString":"x"}]}]}]}]}])", "completed", ""},
    {"not below the question", kGroup,
     R"("item":[{"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":false}],
        "item":[{"linkId":"why","answer":[{"valueString":"x"}]}]}]}])",
     "completed", "error:invalidNesting@.item[0].item[0]\n"},
    {"answered although not enabled", kGroup,
     R"("item":[{"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":false,
        "item":[{"linkId":"why","answer":[{"valueString":"x"}]}]}]}]}])",
     "completed", "error:notEnabled@.item[0].item[0].answer[0].item[0]\n"},
    {"a group's answer", kGroup,
     R"("item":[{"linkId":"g","answer":[{"valueBoolean":true}],
        "item":[{"linkId":"q","answer":[{"valueBoolean":false}]}]}])",
     "completed", "error:groupAnswer@.item[0]\n"},
    {"asked elsewhere", kGroup, R"("item":[{"linkId":"q","answer":[{"valueBoolean":true}]}])",
     "completed", "fatal:invalidLinkId@.item[0]\n"},
    {"a group that does not repeat", R"("item":[{"linkId":"g","type":"group","item":[
        {"linkId":"q","type":"boolean"}]}])",
     R"("item":[{"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":true}]}]},
                {"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":true}]}]}])",
     "completed", "error:repeats@.item[1]\n"},
    {"a required group without an answer",
     R"("item":[{"linkId":"g","type":"group","required":true,"item":[
        {"linkId":"q","type":"boolean"}]}])",
     R"("item":[{"linkId":"g","item":[{"linkId":"q"}]}])", "completed",
     "error:required@.item[0]\n"},
    {"a display", R"("item":[{"linkId":"d","type":"display"},{"linkId":"e","type":"display"}])",
     R"("item":[{"linkId":"d"},{"linkId":"e","answer":[{"valueString":"x"}]}])", "completed",
     "error:displayAnswer@.item[1]\n"},
    {"an exclusive option alone", kExclusive,
     R"("item":[{"linkId":"a","answer":[{"valueCoding":{"code":"none"}}]}])", "completed", ""},
    {"an exclusive option beside others", kExclusive,
     R"("item":[{"linkId":"a","answer":[{"valueCoding":{"code":"x"}},
        {"valueCoding":{"code":"none"}}]}])",
     "completed", "error:exclusiveOption@.item[0]\n"},
};

TEST(ValidateResponse, TellsEveryFaultAndItsPlace) {
  for (const ResponseCase& one : kResponses) {
    std::string lines = in_lines(issues_of(one.questionnaire, one.response, one.status));
    const std::string root = "QuestionnaireResponse";
    for (std::size_t at = 0; (at = lines.find(root, at)) != std::string::npos;) {
      lines.erase(at, root.size());
    }
    EXPECT_EQ(lines, one.issues) << one.name;
  }
}

// Questionnaire's members; the response's; and the expected.
TEST(ValidateResponse, ChecksWhichQuestionnaireWasAnswered) {
  const auto issues = [](const char* asked, const char* answered) {
    fhir::QuestionnaireReader questionnaires;
    const auto read = questionnaires.read(
        R"({"resourceType":"Questionnaire","item":[{"linkId":"a","type":"string"}],)" +
        std::string(asked) + "}");
    fhir::ResponseReader responses;
    const auto response = responses.read(
        R"({"resourceType":"QuestionnaireResponse","status":"completed",)" + std::string(answered) +
        "}");
    return in_lines(validate_response(read->questionnaire, response->response, {}));
  };
  const char* kActive = R"("status":"active","url":"http://q","version":"2","id":"mine")";
  const std::string root = "QuestionnaireResponse";
  EXPECT_EQ(issues(kActive, R"("questionnaire":"http://q|2")"), "");
  EXPECT_EQ(issues(kActive, R"("questionnaire":"Questionnaire/mine")"), "");
  EXPECT_EQ(issues(kActive, R"("questionnaire":"http://q|1")"),
            "error:questionnaireMismatch@" + root + ".questionnaire\n");
  EXPECT_EQ(issues(kActive, R"("questionnaire":"http://other")"),
            "error:questionnaireMismatch@" + root + ".questionnaire\n");
  EXPECT_EQ(issues(kActive, R"("item":[])"),
            "warning:questionnaireUnnamed@" + root + ".questionnaire\n");
  EXPECT_EQ(issues(R"("status":"draft","url":"http://q")", R"("questionnaire":"http://q")"),
            "warning:questionnaireDraft@" + root + ".questionnaire\n");
  EXPECT_EQ(issues(R"("status":"retired","url":"http://q")", R"("questionnaire":"http://q")"),
            "warning:questionnaireRetired@" + root + ".questionnaire\n");
  const char* kPeriod =
      R"("status":"active","url":"http://q","effectivePeriod":{"start":"2022","end":"2023-06"})";
  for (const auto& [authored, inactive] :
       {std::pair("2021-12-31", true), {"2022-01-01T00:00:00Z", false}, {"2023-06-30", false},
        {"2023-07-01", true}}) {
    EXPECT_EQ(issues(kPeriod, (R"("questionnaire":"http://q","authored":")" +
                               std::string(authored) + "\"").c_str()),
              inactive ? "warning:questionnaireInactive@" + root + ".authored\n" : "")
        << authored;
  }
}

}  // namespace
}  // namespace trialward::epro
