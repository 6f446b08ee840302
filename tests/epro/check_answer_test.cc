#include "epro/check_answer.h"

#include <gtest/gtest.h>

#include "tests/epro/response_case.h"

namespace trialward::epro {
namespace {

struct AnswerCase {
  const char* item;    // what stands behind "linkId":"a"
  const char* answer;  // value[x]
  const char* issue;   // severity:code, "" for none
};

// Extensions, for short.
#define EXT(url, value) R"({"url":"http://hl7.org/fhir/StructureDefinition/)" url R"(",)" value "}"
#define SDC(url, value) \
  R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/)" url R"(",)" value "}"
#define KG(number) R"("valueQuantity":{"value":)" number \
                   R"(,"system":"http://unitsofmeasure.org","code":"kg"})"
#define CODING(text) R"("valueCoding":{)" text "}"

constexpr AnswerCase kAnswers[] = {
    // The form that each type has.
    {R"("type":"boolean")", R"("valueBoolean":false)", ""},
    {R"("type":"boolean")", R"("valueString":"false")", "fatal:invalidAnswerType"},
    {R"("type":"decimal")", R"("valueDecimal":1.50)", ""},
    {R"("type":"decimal")", R"("valueInteger":1)", "fatal:invalidAnswerType"},
    {R"("type":"integer")", R"("valueInteger":-3)", ""},
    {R"("type":"integer")", R"("valueDecimal":3)", "fatal:invalidAnswerType"},
    {R"("type":"date")", R"("valueDate":"2024-02-29")", ""},
    {R"("type":"date")", R"("valueDateTime":"2024-02-29")", "fatal:invalidAnswerType"},
    {R"("type":"dateTime")", R"("valueDateTime":"2024-02-29T08:00:00+02:00")", ""},
    {R"("type":"time")", R"("valueTime":"23:59:59.5")", ""},
    {R"("type":"string")", R"("valueString":"words")", ""},
    {R"("type":"string")", R"("valueString":"two\nlines")", "fatal:invalidNewLine"},
    {R"("type":"string")", R"("valueString":"two\rlines")", "fatal:invalidNewLine"},
    {R"("type":"text")", R"("valueString":"two\nlines")", ""},
    {R"("type":"url")", R"("valueUri":"https://example.org/a?b=c")", ""},
    {R"("type":"url")", R"("valueUri":"not a uri")", "error:invalidUrlValue"},
    {R"("type":"url")", R"("valueString":"https://example.org")", "fatal:invalidAnswerType"},
    {R"("type":"reference")", R"("valueReference":{"reference":"Patient/1"})", ""},
    {R"("type":"reference")", R"("valueReference":{"reference":"one patient"})",
     "error:invalidRefValue"},
    {R"("type":"reference")", R"("valueReference":{"display":"somebody"})", ""},
    {R"("type":"choice")", CODING(R"("code":"any")"), ""},
    {R"("type":"choice")", R"("valueCode":"any")", "fatal:invalidAnswerType"},
    {R"("type":"open-choice")", R"("valueString":"my own")", ""},
    // Lengths are of characters, not bytes.
    {R"("type":"string","maxLength":4)", R"("valueString":"Füße")", ""},
    {R"("type":"string","maxLength":4)", R"("valueString":"Füßen")", "error:maxLength"},
    {R"("type":"text","extension":[)" EXT("minLength", R"("valueInteger":3)") "]",
     R"("valueString":"äö")", "error:minLength"},
    {R"("type":"text","extension":[)" EXT("minLength", R"("valueInteger":2)") "]",
     R"("valueString":"äö")", ""},
    {R"("type":"string","extension":[)" EXT("regex", R"("valueString":"[A-Zä]{2}-\\d+")") "]",
     R"("valueString":"Aä-12")", ""},
    {R"("type":"string","extension":[)" EXT("regex", R"("valueString":"[A-Z]{2}-\\d+")") "]",
     R"("valueString":"AB-12 ")", "error:regex"},
    // Limits are inclusive; a partial date is refused only when all of it is beyond.
    {R"("type":"integer","extension":[)" EXT("minValue", R"("valueInteger":1)") "]",
     R"("valueInteger":1)", ""},
    {R"("type":"integer","extension":[)" EXT("minValue", R"("valueInteger":1)") "]",
     R"("valueInteger":0)", "error:minValue"},
    {R"("type":"decimal","extension":[)" EXT("maxValue", R"("valueDecimal":1.5)") "]",
     R"("valueDecimal":1.51)", "error:maxValue"},
    {R"("type":"decimal","extension":[)" EXT("maxValue", R"("valueInteger":2)") "]",
     R"("valueDecimal":2.0)", ""},
    {R"("type":"date","extension":[)" EXT("maxValue", R"("valueDate":"2022")") "]",
     R"("valueDate":"2022-12-31")", ""},
    {R"("type":"date","extension":[)" EXT("maxValue", R"("valueDate":"2022-06")") "]",
     R"("valueDate":"2022")", ""},
    {R"("type":"date","extension":[)" EXT("maxValue", R"("valueDate":"2022-06")") "]",
     R"("valueDate":"2022-07-01")", "error:maxValue"},
    {R"("type":"dateTime","extension":[)" EXT("minValue",
     R"("valueDateTime":"2024-01-01T00:00:00Z")") "]",
     R"("valueDateTime":"2024-01-01T00:30:00+01:00")", "error:minValue"},
    {R"("type":"time","extension":[)" EXT("minValue", R"("valueTime":"08:00:00")") "]",
     R"("valueTime":"07:59:59.999")", "error:minValue"},
    {R"("type":"decimal","extension":[)" EXT("maxDecimalPlaces", R"("valueInteger":1)") "]",
     R"("valueDecimal":1.50)", "warning:maxDecimalPlaces"},
    {R"("type":"decimal","extension":[)" EXT("maxDecimalPlaces", R"("valueInteger":1)") "]",
     R"("valueDecimal":1.5)", ""},
    // Quantities are converted; what cannot be compared is a fault of its own.
    {R"("type":"quantity","extension":[)" SDC("sdc-questionnaire-minQuantity", KG("5")) "]",
     R"("valueQuantity":{"value":5000,"system":"http://unitsofmeasure.org","code":"g"})", ""},
    {R"("type":"quantity","extension":[)" SDC("sdc-questionnaire-minQuantity", KG("5")) "]",
     R"("valueQuantity":{"value":4999,"system":"http://unitsofmeasure.org","code":"g"})",
     "error:minValue"},
    {R"("type":"quantity","extension":[)" SDC("sdc-questionnaire-maxQuantity", KG("5")) "]",
     R"("valueQuantity":{"value":4,"system":"http://unitsofmeasure.org","code":"cm"})",
     "error:maxValueIncompatUnits"},
    {R"("type":"quantity","extension":[)" SDC("sdc-questionnaire-maxQuantity",
     R"("valueQuantity":{"value":5,"unit":"Kg"})") "]",
     R"("valueQuantity":{"value":6,"unit":"Kg"})", "error:maxValue"},
    {R"("type":"quantity","extension":[)" EXT("questionnaire-unitOption",
     CODING(R"("system":"http://unitsofmeasure.org","code":"kg","display":"kilogram")")) "]",
     KG("3"), ""},
    {R"("type":"quantity","extension":[)" EXT("questionnaire-unitOption",
     CODING(R"("system":"http://unitsofmeasure.org","code":"g")")) "]", KG("3"),
     "error:invalidUnit"},
    {R"("type":"quantity","extension":[)" EXT("questionnaire-unitValueSet",
     R"("valueCanonical":"http://hl7.org/fhir/ValueSet/administrative-gender")") "]", KG("3"),
     "error:invalidUnitValueSet"},
    // Options.
    {R"("type":"choice","answerOption":[{)" CODING(R"("code":"y","display":"Yes")") "},{"
     CODING(R"("code":"n","display":"No")") "}]", CODING(R"("code":"n","display":"No")"), ""},
    {R"("type":"choice","answerOption":[{)" CODING(R"("code":"y","display":"Yes")") "},{"
     CODING(R"("code":"n","display":"No")") "}]", CODING(R"("code":"x")"), "error:invalidCoding"},
    {R"("type":"choice","answerOption":[{)" CODING(R"("code":"y","display":"Yes")") "},{"
     CODING(R"("code":"n","display":"No")") "}]", CODING(R"("code":"n","display":"Yes")"),
     "error:invalidCoding"},
    {R"("type":"choice","answerOption":[{)" CODING(R"("code":"y","display":"Yes")") "}]",
     CODING(R"("code":"y","display":"Ja")"), "warning:displayMismatch"},
    {R"("type":"choice","answerOption":[{)" CODING(R"("code":"y","system":"http://s")") "}]",
     CODING(R"("code":"y","system":"http://t")"), "error:invalidCoding"},
    {R"("type":"choice","answerOption":[{)" CODING(R"("display":"Yes")") "}]",
     CODING(R"("display":"No")"), "error:invalidCoding"},
    {R"("type":"choice","answerOption":[{"valueString":"Yes"}])", R"("valueString":"Yes")", ""},
    {R"("type":"choice","answerOption":[{"valueString":"Yes"}])", R"("valueString":"No")",
     "error:invalidAnswerOption"},
    {R"("type":"choice","answerOption":[{"valueString":"Yes"}])", CODING(R"("code":"Yes")"),
     "fatal:invalidAnswerType"},
    {R"("type":"open-choice","answerOption":[{)" CODING(R"("code":"y")") "}]",
     R"("valueString":"perhaps")", ""},
    {R"("type":"open-choice","answerOption":[{)" CODING(R"("code":"y")") "}]",
     CODING(R"("code":"z")"), "error:invalidCoding"},
    {R"("type":"integer","answerOption":[{"valueInteger":1},{"valueInteger":2}])",
     R"("valueInteger":3)", "error:invalidAnswerOption"},
    // Value sets: contained, known, known in part, and not.
    {R"("type":"choice","answerValueSet":"#mood")", CODING(R"("system":"http://s","code":"sad")"),
     ""},
    {R"("type":"choice","answerValueSet":"#mood")", CODING(R"("system":"http://s","code":"mad")"),
     "error:invalidCoding"},
    {R"("type":"choice","answerValueSet":"#mood")",
     CODING(R"("system":"http://s","code":"sad","display":"Glad")"), "error:invalidCoding"},
    {R"("type":"choice","answerValueSet":"#filtered")",
     CODING(R"("system":"http://s","code":"mad")"), "error:tsError"},
    {R"("type":"choice","answerValueSet":"http://hl7.org/fhir/ValueSet/jurisdiction|4.0.1")",
     CODING(R"("system":"urn:iso:std:iso:3166","code":"DE","display":"germany")"), ""},
    {R"("type":"choice","answerValueSet":"http://hl7.org/fhir/ValueSet/jurisdiction")",
     CODING(R"("system":"urn:iso:std:iso:3166:-2","code":"US-TX")"), "error:tsError"},
    {R"("type":"string","answerValueSet":"http://hl7.org/fhir/ValueSet/administrative-gender")",
     R"("valueString":"male")", ""},
    {R"("type":"string","answerValueSet":"http://hl7.org/fhir/ValueSet/administrative-gender")",
     R"("valueString":"Male")", "error:invalidCoding"},
    {R"("type":"choice","answerValueSet":"http://example.org/none")", CODING(R"("code":"x")"),
     "error:tsError"},
    // Attachments; "aGVsbG8=" is 5 bytes.
    {R"("type":"attachment","extension":[)" EXT("maxSize", R"("valueDecimal":5)") ","
     EXT("mimeType", R"("valueCode":"image/*")") "]",
     R"("valueAttachment":{"contentType":"image/png","data":"aGVsbG8=","size":5})", ""},
    {R"("type":"attachment","extension":[)" EXT("maxSize", R"("valueDecimal":4)") "]",
     R"("valueAttachment":{"contentType":"image/png","data":"aGVsbG8="})",
     "error:maxAttachmentSize"},
    {R"("type":"attachment","extension":[)" EXT("maxSize", R"("valueDecimal":4)") "]",
     R"("valueAttachment":{"url":"http://x/y","size":5})", "error:maxAttachmentSize"},
    {R"("type":"attachment")",
     R"("valueAttachment":{"contentType":"image/png","data":"aGVsbG8=","size":6})",
     "fatal:attachmentSizeInconsistent"},
    {R"("type":"attachment","extension":[)" EXT("mimeType", R"("valueCode":"image/png")") "]",
     R"("valueAttachment":{"contentType":"text/plain","url":"http://x/y"})",
     "error:invalidAttachmentType"},
    {R"("type":"reference","extension":[)" EXT("questionnaire-referenceResource",
     R"("valueCode":"Patient")") "]",
     R"("valueReference":{"reference":"https://x.org/fhir/Observation/2"})",
     "error:invalidRefResourceType"},
};

constexpr const char* kSets = R"("contained":[
  {"resourceType":"ValueSet","id":"mood","compose":{"include":[{"system":"http://s",
    "concept":[{"code":"sad","display":"Sad"},{"code":"glad","display":"Glad"}]}]}},
  {"resourceType":"ValueSet","id":"filtered","compose":{"include":[{"system":"http://s",
    "filter":[{"property":"p","op":"=","value":"v"}]}]}}],)";

TEST(CheckAnswer, SaysWhatIsWrongWithEachAnswer) {
  for (const AnswerCase& one : kAnswers) {
    const std::string item = R"("item":[{"linkId":"a",)" + std::string(one.item) + "}]";
    const auto issues = issues_of(kSets + item,
                                  R"("item":[{"linkId":"a","answer":[{)" +
                                      std::string(one.answer) + "}]}]");
    const std::string expected =
        *one.issue == '\0' ? ""
                           : std::string(one.issue) + "@QuestionnaireResponse.item[0].answer[0]\n";
    EXPECT_EQ(in_lines(issues), expected) << one.item << '\n' << one.answer;
    for (const model::Issue& issue : issues) EXPECT_FALSE(issue.words.empty());
  }
}

TEST(CheckAnswer, UnknownValueSetsMayPass) {
  EXPECT_EQ(in_lines(issues_of(
                R"("item":[{"linkId":"a","type":"choice","answerValueSet":"http://none"}])",
                R"("item":[{"linkId":"a","answer":[{"valueCoding":{"code":"x"}}]}])", "completed",
                true)),
            "warning:tsError@QuestionnaireResponse.item[0].answer[0]\n");
}

#undef EXT
#undef SDC
#undef KG
#undef CODING

}  // namespace
}  // namespace trialward::epro
