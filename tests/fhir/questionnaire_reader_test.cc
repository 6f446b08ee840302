#include "fhir/questionnaire_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::fhir {
namespace {

std::string in_lines(const model::Issues& issues) {
  std::string text;
  for (const model::Issue& issue : issues) {
    text.append(model::name_of(issue.severity)).append(":" + issue.code + '@' + issue.path + '\n');
  }
  return text;
}

std::string questionnaire(std::string_view members) {
  return R"({"resourceType":"Questionnaire","status":"active",)" + std::string(members) + "}";
}

std::string issues_of(std::string_view json) {
  QuestionnaireReader reader;
  const auto read = reader.read(json);
  return in_lines(read ? read->notes : read.error());
}

TEST(QuestionnaireReader, ReadsWhatDecidesAboutAnswers) {
  QuestionnaireReader reader;
  const auto read = reader.read(R"({"resourceType":"Questionnaire","id":"i","url":"http://q",
    "version":"1.2","name":"N","title":"T","status":"draft","_title":{"extension":[]},
    "effectivePeriod":{"start":"2020","end":"2021-02-03"},
    "contained":[{"resourceType":"ValueSet","id":"v","expansion":{"contains":[
      {"system":"http://s","code":"b","display":"B","contains":[
        {"system":"http://s","code":"a"}]}]}}],
    "item":[{"linkId":"g","type":"group","repeats":true,"text":"Words","item":[
      {"linkId":"a","type":"integer","required":true,"enableBehavior":"any","enableWhen":[
        {"question":"c","operator":"exists","answerBoolean":true},
        {"question":"c","operator":"=","answerCoding":{"system":"http://s","code":"b"}}],
       "extension":[
        {"url":"http://hl7.org/fhir/StructureDefinition/minValue","valueInteger":1},
        {"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":5},
        {"url":"http://example.org/unknown","valueString":"x"}]},
      {"linkId":"c","type":"choice","answerValueSet":"#v"},
      {"linkId":"d","type":"choice","answerOption":[
        {"valueCoding":{"code":"x"},"extension":[
          {"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":2}]},
        {"valueCoding":{"code":"y","extension":[
          {"url":"http://hl7.org/fhir/StructureDefinition/itemWeight","valueDecimal":0.5}]},
         "extension":[{"url":
          "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive",
          "valueBoolean":true}]}]}]}]})");
  ASSERT_TRUE(read.ok()) << in_lines(read.error());
  EXPECT_EQ(in_lines(read->notes), "");
  const model::Questionnaire& q = read->questionnaire;
  EXPECT_EQ(q.url + q.version + q.id + q.name + q.title + q.status, "http://q1.2iNTdraft");
  EXPECT_EQ(q.effective_start + q.effective_end, "20202021-02-03");
  ASSERT_EQ(q.value_sets.count("#v"), 1u);
  EXPECT_EQ(q.value_sets.at("#v").codings.size(), 2u);
  EXPECT_EQ(count_items(q.items), 4u);
  const model::QuestionnaireItem& a = *find_item(q.items, "a");
  EXPECT_TRUE(a.required && a.enabled_by_any && !a.repeats);
  ASSERT_EQ(a.enable_when.size(), 2u);
  EXPECT_EQ(a.enable_when[1].answer.coding.code, "b");
  EXPECT_EQ(a.min_value->number, 1);
  EXPECT_EQ(a.max_value->number, 5);
  const model::QuestionnaireItem& d = *find_item(q.items, "d");
  ASSERT_EQ(d.options.size(), 2u);
  EXPECT_EQ(d.options[0].weight, 2);
  EXPECT_EQ(d.options[1].weight, 0.5);
  EXPECT_TRUE(d.options[1].exclusive && !d.options[0].exclusive);
  EXPECT_EQ(q.items[0].text, "Words");
}

struct ReaderCase {
  const char* items;   // what stands within "item":[…]
  const char* issues;  // places behind "Questionnaire"
};

#define EXT(url, value) \
  R"("extension":[{"url":"http://hl7.org/fhir/StructureDefinition/)" url R"(",)" value "}]"
#define SDC(url)                                                                         \
  R"("extension":[{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/)" url          \
  R"(","valueExpression":{"language":"text/fhirpath","expression":"1"}}])"

constexpr ReaderCase kItems[] = {
    {R"({"type":"string"})", "error:missingElement@.item[0].linkId\n"},
    {R"({"linkId":"a"})", "error:missingElement@.item[0].type\n"},
    {R"({"linkId":"a","type":"coding"})", "error:invalidType@.item[0].type\n"},
    {R"({"linkId":"a","type":"question"})", "warning:abstractType@.item[0].type\n"},
    {R"({"linkId":"a","type":"string"},{"linkId":"g","type":"group","item":[
        {"linkId":"a","type":"string"}]})",
     "error:duplicateLinkId@.item[1].item[0].linkId\n"},
    {R"({"linkId":"a","type":"string","requierd":true})", "error:unknownElement@.item[0]\n"},
    {R"({"linkId":"a","type":"string","required":"true"})",
     "error:structure@.item[0].required\n"},
    {R"({"linkId":"a","type":"string","maxLength":-1})", "error:invalidValue@.item[0].maxLength\n"},
    {R"({"linkId":"a","type":"string","modifierExtension":[{"url":"http://x"}]})",
     "error:modifierExtension@.item[0]\n"},
    {R"("a")", "error:structure@.item[0]\nwarning:noItems@\n"},
    {R"({"linkId":"a","type":"display","item":[{"linkId":"b","type":"string"}]})",
     "error:invariant@.item[0]\n"},
    {R"({"linkId":"a","type":"boolean","answerValueSet":"http://x"})",
     "error:invariant@.item[0]\n"},
    {R"({"linkId":"a","type":"choice","answerValueSet":"#none"})",
     "error:valueSetMissing@.item[0].answerValueSet\n"},
    {R"({"linkId":"a","type":"choice","answerOption":[{}]})",
     "error:missingElement@.item[0].answerOption[0].value\n"},
    {R"({"linkId":"a","type":"choice","answerOption":[{"valueString":"x","valueInteger":1}]})",
     "error:structure@.item[0].answerOption[0]\n"},
    {R"({"linkId":"a","type":"choice","answerOption":[{"valueDate":"2023-02-29"}]})",
     "error:invalidValue@.item[0].answerOption[0].value\n"},
    // Conditions.
    {R"({"linkId":"a","type":"string","enableWhen":[{"question":"z","operator":"exists",
        "answerBoolean":true}]})",
     "error:invalidLinkId@.item[0].enableWhen[0].question\n"},
    {R"({"linkId":"a","type":"string","enableWhen":[{"question":"a","operator":"exists",
        "answerBoolean":true}]})",
     "error:invariant@.item[0].enableWhen[0].question\n"},
    {R"({"linkId":"a","type":"boolean"},{"linkId":"b","type":"string","enableWhen":[
        {"question":"a","operator":"~","answerBoolean":true}]})",
     "error:invalidValue@.item[1].enableWhen[0].operator\n"},
    {R"({"linkId":"a","type":"boolean"},{"linkId":"b","type":"string","enableWhen":[
        {"question":"a","operator":">","answerBoolean":true}]})",
     "error:invalidAnswerType@.item[1].enableWhen[0].answer\n"},
    {R"({"linkId":"a","type":"integer"},{"linkId":"b","type":"string","enableWhen":[
        {"question":"a","operator":"=","answerString":"1"}]})",
     "error:invalidAnswerType@.item[1].enableWhen[0].answer\n"},
    {R"({"linkId":"a","type":"integer"},{"linkId":"b","type":"string","enableWhen":[
        {"question":"a","operator":"exists","answerInteger":1}]})",
     "error:invariant@.item[1].enableWhen[0].answer\n"},
    {R"({"linkId":"a","type":"integer"},{"linkId":"b","type":"string","enableWhen":[
        {"question":"a","operator":"=","answerInteger":1},
        {"question":"a","operator":"=","answerInteger":2}]})",
     "error:missingElement@.item[1].enableBehavior\n"},
    // Extensions.
    {R"({"linkId":"a","type":"string",)" EXT("regex", R"("valueString":"(")") "}",
     "error:invalidRegex@.item[0].extension[0].value\n"},
    {R"({"linkId":"a","type":"string",)" EXT("regex", R"("valueString":"(a{900}){900}")") "}",
     "error:invalidRegex@.item[0].extension[0].value\n"},
    {R"({"linkId":"a","type":"string",)" EXT("minLength", R"("valueString":"1")") "}",
     "error:structure@.item[0].extension[0].value\n"},
    {R"({"linkId":"a","type":"string",)" EXT("questionnaire-minOccurs", R"("valueInteger":-1)")
     "}", "error:invalidValue@.item[0].extension[0].value\n"},
    {R"({"linkId":"a","type":"string",)" EXT("questionnaire-constraint", R"("extension":[])") "}",
     "warning:notChecked@.item[0].extension[0]\n"},
    {R"({"linkId":"a","type":"decimal",)" SDC("sdc-questionnaire-calculatedExpression") "}", ""},
    {R"({"linkId":"a","type":"string",)" SDC("sdc-questionnaire-calculatedExpression") "}",
     "error:notSupported@.item[0].extension[0]\n"},
    {R"({"linkId":"a","type":"decimal",)" SDC("sdc-questionnaire-enableWhenExpression") "}",
     "error:notSupported@.item[0].extension[0]\n"},
    // All at once.
    {R"({"linkId":"a","type":"x"},{"type":"string","enableWhen":[{"operator":"="}]})",
     "error:invalidType@.item[0].type\nerror:missingElement@.item[1].linkId\n"
     "error:missingElement@.item[1].enableWhen[0].answer\n"
     "error:missingElement@.item[1].enableWhen[0].question\n"},
};

TEST(QuestionnaireReader, RefusesWithEveryFaultAndItsPlace) {
  for (const ReaderCase& one : kItems) {
    std::string lines = issues_of(questionnaire(R"("item":[)" + std::string(one.items) + "]"));
    const std::string root = "Questionnaire";
    for (std::size_t at = 0; (at = lines.find(root, at)) != std::string::npos;) {
      lines.erase(at, root.size());
    }
    EXPECT_EQ(lines, one.issues) << one.items;
  }
}
#undef EXT
#undef SDC

TEST(QuestionnaireReader, RefusesWhatIsNoQuestionnaire) {
  EXPECT_EQ(issues_of("{"), "fatal:invalidJson@\n");
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient"})"), "error:structure@\n");
  EXPECT_EQ(issues_of(R"({"resourceType":"Questionnaire","item":[]})"),
            "error:missingElement@Questionnaire.status\nwarning:noItems@Questionnaire\n");
  EXPECT_EQ(issues_of(R"({"resourceType":"Questionnaire","status":"on",
                          "effectivePeriod":{"start":"soon"}})"),
            "error:invalidValue@Questionnaire.status\n"
            "error:invalidValue@Questionnaire.effectivePeriod.start\n"
            "warning:noItems@Questionnaire\n");
}

TEST(QuestionnaireReader, CalculatedItemsAreReadWhenAskedFor) {
  const std::string json = questionnaire(R"("item":[{"linkId":"a","type":"decimal","extension":[
    {"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
     "valueExpression":{"language":"text/fhirpath","expression":"@2020-01-01"}}]}])");
  QuestionnaireReader reader;
  EXPECT_FALSE(reader.read(json).ok());
  const auto read = reader.read(json, {.ignore_calculated = true});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(in_lines(read->notes), "warning:notChecked@Questionnaire.item[0].extension[0]\n");
}

TEST(QuestionnaireReader, KeepsItsLimits) {
  const auto items = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "" : ",") + (R"({"linkId":")" + std::to_string(i)) +
              R"(","type":"string"})";
    }
    return questionnaire(R"("item":[)" + text + "]");
  };
  EXPECT_EQ(issues_of(items(kItemsMax)), "");
  EXPECT_EQ(issues_of(items(kItemsMax + 1)), "error:tooMany@Questionnaire.item[2000]\n");

  std::string options = R"({"valueInteger":1})";
  for (std::size_t i = 1; i <= kOptionsMax; ++i) options += R"(,{"valueInteger":1})";
  EXPECT_EQ(issues_of(questionnaire(R"("item":[{"linkId":"a","type":"integer","answerOption":[)" +
                                    options + "]}]")),
            "error:tooMany@Questionnaire.item[0].answerOption[20000]\n");

  const std::string condition = R"({"question":"a","operator":"exists","answerBoolean":true})";
  std::string conditions = condition;
  for (std::size_t i = 1; i <= kConditionsMax; ++i) conditions += "," + condition;
  EXPECT_EQ(issues_of(questionnaire(
                R"("item":[{"linkId":"a","type":"string"},{"linkId":"b","type":"string",
                   "enableBehavior":"all","enableWhen":[)" + conditions + "]}]")),
            "error:tooMany@Questionnaire.item[1].enableWhen[5000]\n");

  EXPECT_EQ(issues_of(questionnaire(R"("item":[{"type":"string","linkId":")" +
                                    std::string(kLinkIdCharsMax + 1, 'x') + R"("}])")),
            "error:invalidValue@Questionnaire.item[0].linkId\n");
}

}  // namespace
}  // namespace trialward::fhir
