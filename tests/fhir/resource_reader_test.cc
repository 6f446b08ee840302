#include "fhir/resource_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "model/decode_record.h"
#include "model/encode_record.h"
#include "tests/fhir/resource_study.h"

namespace trialward::fhir {
namespace {

// A record without what the caller sets; what is empty is left out.
std::string in_short(const model::Record& record) {
  const std::string text = model::encode_record(record);
  const std::string begin = R"({"source":"","source_id":"","subject":)";
  EXPECT_EQ(text.rfind(begin, 0), 0u) << text;
  return text.substr(begin.size(), text.size() - begin.size() - 1);
}

// Its records, one a line, or its issues: code@path.
std::string told_by(std::string_view json, const model::Study& study = strict_study()) {
  ResourceReader reader;
  const auto content = reader.read(study, json);
  std::string text;
  if (!content) {
    for (const model::Issue& issue : content.error()) text += issue.code + '@' + issue.path + '\n';
    return text;
  }
  text = in_short(content->record) + '\n';
  for (const ResourcePart& part : content->parts) {
    text += part.name + ' ' + in_short(part.record) + '\n';
  }
  EXPECT_EQ(content->record.original, json);
  return text;
}

struct ResourceRow {
  std::string_view members;
  std::string_view told;
};

std::string resource(std::string_view type, std::string_view members) {
  return R"({"resourceType":")" + std::string(type) + R"(",)" + std::string(members) + "}";
}

// What every Observation of these has; the lab's code is known by its coding.
std::string observation(std::string_view members) {
  return resource("Observation",
                  R"("status":"final","subject":{"reference":"Patient/S1"},"code":{"coding":)"
                  R"([{"system":"http://snomed.info/sct","code":"1"},)"
                  R"({"system":"http://loinc.org","code":"1742-6"}]})" +
                      std::string(members));
}

TEST(ResourceReader, ReadsObservations) {
  const ResourceRow rows[] = {
      {R"(,"effectiveDateTime":"2024-02","valueQuantity":{"value":34.0,"unit":"U/L"})",
       R"("S1","kind":"lab","code":"ALT","value":34.0,"unit":"U/L","effective":"2024-02")"},
      // UCUM's code, unless only the words convert.
      {R"(,"valueQuantity":{"value":1,"unit":"units","system":"http://unitsofmeasure.org",)"
       R"("code":"U/L"})",
       R"("S1","kind":"lab","code":"ALT","value":1,"unit":"U/L")"},
      {R"(,"valueQuantity":{"value":1,"unit":"U/L","system":"urn:units","code":"17"})",
       R"("S1","kind":"lab","code":"ALT","value":1,"unit":"U/L")"},
      {R"(,"valueQuantity":{"value":5,"comparator":"<","unit":"U/L"})",
       R"("S1","kind":"lab","code":"ALT","value":"<5","unit":"U/L")"},
      {R"(,"valueRange":{"high":{"value":5,"unit":"U/L"}})",
       R"("S1","kind":"lab","code":"ALT","value":"<=5","unit":"U/L")"},
      {R"(,"valueRange":{"low":{"value":5,"unit":"U/L"},"high":{"value":9}})",
       R"("S1","kind":"lab","code":"ALT","value":"5 to 9","unit":"U/L")"},
      {R"(,"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}})",
       R"("S1","kind":"lab","code":"ALT","value":"1:128")"},
      {R"(,"valueString":"haemolysed")", R"("S1","kind":"lab","code":"ALT","value":"haemolysed")"},
      {R"(,"valueString":"34.10")", R"("S1","kind":"lab","code":"ALT","value":34.10)"},
      {R"(,"valueInteger":7)", R"("S1","kind":"lab","code":"ALT","value":7)"},
      {R"(,"valueBoolean":false)", R"("S1","kind":"lab","code":"ALT","value":"false")"},
      {R"(,"valueTime":"10:00:00")", R"("S1","kind":"lab","code":"ALT","value":"10:00:00")"},
      {R"(,"valueDateTime":"2024")", R"("S1","kind":"lab","code":"ALT","value":"2024")"},
      {R"(,"valuePeriod":{"start":"2024","end":"2025"})",
       R"("S1","kind":"lab","code":"ALT","value":"2024/2025")"},
      {R"(,"valueSampledData":{"origin":{"value":0},"period":1,"dimensions":1,"data":"1 2 E"})",
       R"("S1","kind":"lab","code":"ALT","value":"1 2 E")"},
      {R"(,"valueCodeableConcept":{"coding":[{"display":"High"},{"code":"H"}]})",
       R"("S1","kind":"lab","code":"ALT","value":"H")"},
      {R"(,"valueCodeableConcept":{"text":"rather high"})",
       R"("S1","kind":"lab","code":"ALT","value":"rather high")"},
      {"", R"("S1","kind":"lab","code":"ALT")"},
      {R"(,"dataAbsentReason":{"text":"vein not found"},"referenceRange":[{"low":{"value":1}}])",
       R"("S1","kind":"lab","code":"ALT","not_done":"vein not found")"},
      // Ranges: of this unit, of what is normal, of everybody.
      {R"(,"valueQuantity":{"value":4,"unit":"U/L"},"referenceRange":[{"low":{"value":1.0,)"
       R"("unit":"U/L"},"high":{"value":3,"unit":"ukat/L"}}])",
       R"("S1","kind":"lab","code":"ALT","value":4,"unit":"U/L","range":{"low":1.0})"},
      {R"(,"valueInteger":4,"referenceRange":[{"high":{"value":8},"type":{"text":"severe"}},)"
       R"({"low":{"value":9}}])",
       R"("S1","kind":"lab","code":"ALT","value":4,"range":{"low":9})"},
      {R"(,"valueInteger":4,"referenceRange":[{"high":{"value":8},"appliesTo":[{"text":"men"}]},)"
       R"({"high":{"value":7},"appliesTo":[{"text":"women"}]}])",
       R"("S1","kind":"lab","code":"ALT","value":4)"},
      {R"(,"effectivePeriod":{"end":"2024-01-02"},"encounter":{"display":"Week 2"},"performer":)"
       R"([{"display":"Dr. A"}])",
       R"("S1","kind":"lab","code":"ALT","effective":"2024-01-02","author":"Dr. A",)"
       R"("visit":"Week 2","attributes":{"end":"2024-01-02"})"},
      {R"(,"effectiveInstant":"2024-01-02T03:04:05.1234567890Z","performer":[{"reference":"P/1"}])",
       R"("S1","kind":"lab","code":"ALT","effective":"2024-01-02T03:04:05.123456789Z",)"
       R"("author":"P/1")"},
      {R"(,"effectiveTiming":{"event":["2024-01-02"]})",
       R"("S1","kind":"lab","code":"ALT","effective":"2024-01-02")"},
      // A category does not hide the kind that lists the code.
      {R"(,"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/)"
       R"(observation-category","code":"survey"}]}])",
       R"("S1","kind":"lab","code":"ALT")"},
  };
  for (const ResourceRow& row : rows) {
    EXPECT_EQ(told_by(observation(row.members)), std::string(row.told) + '\n') << row.members;
  }
}

TEST(ResourceReader, ComponentsAreParts) {
  EXPECT_EQ(
      told_by(resource(
          "Observation",
          R"("status":"preliminary","subject":{"reference":"http://h/fhir/Patient/S1/_history/2"},)"
          R"("effectiveDateTime":"2012-09-17","performer":[{"display":"N"}],)"
          R"("code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[)"
          R"({"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},)"
          R"("valueQuantity":{"value":107,"unit":"mmHg","system":"http://unitsofmeasure.org",)"
          R"("code":"mm[Hg]"},"referenceRange":[{"high":{"value":140,"unit":"mm[Hg]"}}]},)"
          R"({"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},)"
          R"("dataAbsentReason":{"coding":[{"code":"not-asked"}]}}])")),
      "\"S1\",\"kind\":\"vital\",\"code\":\"BP\",\"effective\":\"2012-09-17\",\"author\":\"N\","
      "\"attributes\":{\"status\":\"preliminary\"}\n"
      "component-0 \"S1\",\"kind\":\"vital\",\"code\":\"SYSBP\",\"value\":107,"
      "\"unit\":\"mm[Hg]\",\"range\":{\"high\":140},\"effective\":\"2012-09-17\","
      "\"author\":\"N\",\"attributes\":{\"status\":\"preliminary\"}\n"
      "component-1 \"S1\",\"kind\":\"vital\",\"code\":\"DIABP\",\"not_done\":\"not-asked\","
      "\"effective\":\"2012-09-17\",\"author\":\"N\",\"attributes\":{\"status\":\"preliminary\"}"
      "\n");
}

TEST(ResourceReader, FindsTheCodeThatIsMeant) {
  const auto told = [](std::string_view code, std::string_view more = "",
                       const model::Study& study = strict_study()) {
    return told_by(resource("Observation", R"("status":"final","subject":{"identifier":{"value":)"
                                           R"("S1"}},"code":)" +
                                               std::string(code) + std::string(more)),
                   study);
  };
  EXPECT_EQ(told(R"({"text":"ALT"})"), "\"S1\",\"kind\":\"lab\",\"code\":\"ALT\"\n");
  EXPECT_EQ(told(R"({"coding":[{"system":"urn:x","code":"ALT"}]})"),
            "\"S1\",\"kind\":\"lab\",\"code\":\"ALT\"\n");
  EXPECT_EQ(told(R"({"coding":[{"system":"urn:x","code":"HCG"}]})"),
            "codeUnknown@Observation.code\n");
  EXPECT_EQ(told(R"({"coding":[{"system":"urn:labs","code":"HCG"}]})",
                 R"(,"valueCodeableConcept":{"coding":[{"code":"1"},{"display":"POS"}]})"),
            "\"S1\",\"kind\":\"lab\",\"code\":\"HCG\",\"system\":\"urn:labs\",\"value\":\"POS\"\n");
  EXPECT_EQ(told(R"({"coding":[{"code":"SMOKES"}]})", R"(,"valueBoolean":true)"),
            "\"S1\",\"kind\":\"questionnaire\",\"code\":\"SMOKES\",\"value\":\"Y\"\n");
  EXPECT_EQ(told(R"({"text":"GCS"})",
                 R"(,"valueQuantity":{"value":13,"system":"http://unitsofmeasure.org",)"
                 R"("code":"{score}"})"),
            "\"S1\",\"kind\":\"questionnaire\",\"code\":\"GCS\",\"value\":13\n");
  const std::string vital =
      R"(,"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/)"
      R"(observation-category","code":"vital-signs"}]}])";
  EXPECT_EQ(told(R"({"coding":[{"system":"urn:x","code":"a"},{"code":"b"}],"text":"c"})", vital,
                 open_study()),
            "\"S1\",\"kind\":\"vital\",\"code\":\"a\",\"system\":\"urn:x\"\n");
  EXPECT_EQ(told(R"({"text":"c"})", "", open_study()), "\"S1\",\"kind\":\"lab\",\"code\":\"c\"\n");
  EXPECT_EQ(told(R"({"text":"c"})",
                 R"(,"category":[{"coding":[{"system":"urn:trialward:kind",)"
                 R"("code":"visit"}]}])",
                 open_study()),
            "codeUnknown@Observation.code\n");
  EXPECT_EQ(told(R"({"text":"c"})",
                 R"(,"category":[{"coding":[{"system":"urn:trialward:kind",)"
                 R"("code":"exposure"}]}])",
                 open_study()),
            "codeUnknown@Observation.category[0]\n");
  // A code is never cut.
  EXPECT_EQ(
      told(R"({"text":")" + std::string(model::kIdCharsMax + 1, 'c') + R"("})", "", open_study()),
      "invalidValue@Observation.code\n");
  EXPECT_EQ(told(R"({"coding":[{"display":"x"}]})", "", open_study()),
            "missingElement@Observation.code\n");
}

TEST(ResourceReader, ReadsEveryOtherType) {
  const struct {
    const char* type;
    std::string_view members, told;
  } rows[] = {
      {"AdverseEvent",
       R"("actuality":"actual","event":{"coding":[{"system":"urn:meddra","code":"10037844"}],)"
       R"("text":"Rash"},"subject":{"reference":"Patient/S1"},"detected":"2024-01-03",)"
       R"("seriousness":{"coding":[{"code":"SeriousResultsInDeath"}]},)"
       R"("severity":{"text":"Severe"},)"
       R"("outcome":{"coding":[{"code":"fatal"}]},"recorder":{"display":"Dr. A"},)"
       R"("suspectEntity":[{"instance":{"display":"XAN 54"}}])",
       R"("S1","kind":"adverse_event","code":"10037844","system":"urn:meddra",)"
       R"("effective":"2024-01-03","author":"Dr. A","serious":true,"severity":"SEVERE",)"
       R"("attributes":{"outcome":"fatal","treatment":"XAN 54"})"},
      {"AdverseEvent",
       R"("actuality":"actual","event":{"text":"Rash"},"subject":{"reference":"Patient/S1"},)"
       R"("date":"2024-01-02T10:00:00Z","detected":"2024-01-03","seriousness":{"coding":[{"code":)"
       R"("Non-serious"}]},"severity":{"coding":[{"code":"Grade 4"}]})",
       R"("S1","kind":"adverse_event","code":"Rash","effective":"2024-01-02T10:00:00Z",)"
       R"("serious":false,"severity":"4")"},
      {"MedicationStatement",
       R"("status":"active","medicationCodeableConcept":{"coding":[{"system":"urn:atc","code":)"
       R"("N02BE01"}]},"subject":{"reference":"Patient/S1"},"effectivePeriod":{"start":"2024-01",)"
       R"("end":"2024-02"},"informationSource":{"display":"Mother"},"dosage":[{"text":"at night",)"
       R"("doseAndRate":[{"doseQuantity":{"value":500,"unit":"mg"}}]}])",
       R"("S1","kind":"medication","code":"N02BE01","system":"urn:atc","value":500,)"
       R"("text":"at night","unit":"mg","effective":"2024-01","author":"Mother",)"
       R"("attributes":{"end":"2024-02","status":"active"})"},
      {"MedicationStatement",
       R"("status":"not-taken","statusReason":[{"text":"felt well"}],"medicationReference":)"
       R"({"display":"Aspirin"},"subject":{"reference":"Patient/S1"},"dosage":[{"text":"x"}])",
       R"("S1","kind":"medication","code":"Aspirin","not_done":"felt well",)"
       R"("attributes":{"status":"not-taken"})"},
      // Whoever tells of it, the study's own treatment is an exposure, which is blinded.
      {"MedicationStatement",
       R"("status":"active","medicationCodeableConcept":{"coding":[{"system":"urn:drugs","code":)"
       R"("xanomeline"}]},"subject":{"reference":"Patient/S1"},"dosage":[{"text":"one patch"}])",
       R"("S1","kind":"exposure","code":"XAN","attributes":{"dosage":"one patch",)"
       R"("status":"active"})"},
      {"MedicationAdministration",
       R"("status":"completed","contained":[{"resourceType":"Medication","id":"m",)"
       R"("code":{"coding":)"
       R"([{"system":"urn:drugs","code":"xanomeline"}]}}],)"
       R"("medicationReference":{"reference":"#m"},)"
       R"("subject":{"reference":"Patient/S1"},"effectiveDateTime":"2024-01-02",)"
       R"("context":{"display":)"
       R"("Week 2"},"performer":[{"actor":{"display":"Nurse"}}],"dosage":{"text":"patch","dose":)"
       R"({"value":54,"unit":"mg"}})",
       R"("S1","kind":"exposure","code":"XAN","value":54,"text":"patch","unit":"mg",)"
       R"("effective":"2024-01-02","author":"Nurse","visit":"Week 2",)"
       R"("attributes":{"status":"completed"})"},
      {"MedicationAdministration",
       R"("status":"completed","medicationCodeableConcept":{"text":"Oxygen"},)"
       R"("subject":{"reference":)"
       R"("Patient/S1"},"effectivePeriod":{"start":"2024-01-02"},"dosage":{"text":"2 L/min"})",
       R"("S1","kind":"medication","code":"Oxygen","value":"2 L/min","effective":"2024-01-02",)"
       R"("attributes":{"status":"completed"})"},
      {"ResearchSubject",
       R"("status":"on-study","study":{"reference":"ResearchStudy/1"},"individual":{"reference":)"
       R"("Patient/S1"},"period":{"start":"2024-01-02"},"assignedArm":"A","actualArm":"Active")",
       R"("S1","kind":"demographics","effective":"2024-01-02","attributes":{"actual_arm":"Active",)"
       R"("arm":"A","status":"on-study"})"},
      {"Patient", R"("id":"S1","gender":"female","identifier":[{"value":"x"}])",
       R"("S1","kind":"demographics","attributes":{"sex":"F"})"},
      {"Patient", R"("id":"S1","active":false,"deceasedDateTime":"2024-01")",
       R"("S1","kind":"demographics","attributes":{"active":"false","deceased":"2024-01"})"},
      {"Patient", R"("id":"S1","active":true,"deceasedBoolean":true)",
       R"("S1","kind":"demographics","attributes":{"deceased":"true"})"},
      {"Patient", R"("identifier":[{"system":"urn:a"},{"value":"S2"}],"communication":[])",
       R"("S2","kind":"demographics")"},
      {"QuestionnaireResponse",
       R"("status":"in-progress","questionnaire":"http://q|1",)"
       R"("subject":{"reference":"Patient/S1"},)"
       R"("authored":"2024-01-02T03:04:05+01:00","author":{"reference":"Patient/S1"},"item":[])",
       R"("S1","kind":"questionnaire","effective":"2024-01-02T03:04:05+01:00",)"
       R"("author":"Patient/S1","attributes":{"status":"in-progress"})"},
  };
  for (const auto& [type, members, told] : rows) {
    EXPECT_EQ(told_by(resource(type, members)), std::string(told) + '\n') << members;
  }
}

TEST(ResourceReader, SaysWhatTheCallerNeeds) {
  ResourceReader reader;
  const auto patient = reader.read(
      strict_study(), R"({"resourceType":"Patient","id":"S-1.a","identifier":[{"system":"urn:a"},)"
                      R"({"system":"urn:b","value":"7"},{"value":"8"}]})");
  ASSERT_TRUE(patient.ok());
  EXPECT_EQ(patient->type, ResourceType::patient);
  EXPECT_EQ(patient->id + ' ' + patient->identifier, "S-1.a urn:b|7");
  const auto response =
      reader.read(strict_study(), R"({"resourceType":"QuestionnaireResponse","status":"completed",)"
                                  R"("questionnaire":"http://q|1","identifier":{"value":"8"},)"
                                  R"("subject":{"reference":"Patient/S1"}})");
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->canonical + ' ' + response->identifier, "http://q|1 |8");
}

TEST(ResourceReader, AnEntryOfABundleIsReadInItsPlace) {
  const std::string entry =
      R"({ "resourceType":"Observation","status":"final","code":{"text":"x"},)"
      R"("subject":{"reference":"urn:uuid:1"}} )";
  const std::string bundle = R"({"entry":[{"resource":)" + entry + "}]}";
  JsonTree tree;
  const auto root = tree.parse(bundle);
  ASSERT_TRUE(root.ok());
  const Json resource = (*(*root)["entry"].begin())["resource"];
  const std::string path = "Bundle.entry[0].resource";
  ResourceReader reader;
  const auto refused = reader.read(open_study(), resource, resource.raw(), path);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().front().code, "subjectMissing");
  EXPECT_EQ(refused.error().front().path, path + ".subject");
  const auto read =
      reader.read(open_study(), resource, resource.raw(), path,
                  [](std::string_view reference) { return reference == "urn:uuid:1" ? "S1" : ""; });
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->record.subject, "S1");
  EXPECT_EQ(read->record.original, entry.substr(0, entry.size() - 1));
}

TEST(ResourceReader, RefusesWithCodesThatStay) {
  const struct {
    std::string json, issues;
  } rows[] = {
      {"{", "invalidJson@\n"},
      {"{}", "typeNotSupported@\n"},
      {R"({"resourceType":"Goal"})", "typeNotSupported@\n"},
      {R"({"resourceType":"Observation"})",
       "missingElement@Observation.status\nsubjectMissing@Observation.subject\n"
       "missingElement@Observation.code\n"},
      {observation(R"(,"colour":"x","valueCode":"x","values":1)"),
       "unknownElement@Observation\nunknownElement@Observation\nunknownElement@Observation\n"
       "structure@Observation.value\n"},
      {observation(
           R"(,"modifierExtension":[],"implicitRules":"urn:x","component":[{"code":{"text":)"
           R"("ALT"},"modifierExtension":[]}],"contained":[{"resourceType":"Device",)"
           R"("implicitRules":"urn:y"}])"),
       "modifierExtension@Observation\nimplicitRules@Observation.implicitRules\n"
       "modifierExtension@Observation.component[0]\n"
       "implicitRules@Observation.contained[0].implicitRules\n"},
      {observation(R"(,"valueString":"a","dataAbsentReason":{"text":"b"})"),
       "invalidValue@Observation.dataAbsentReason\n"},
      {observation(R"(,"meta":[])"), "structure@Observation.meta\n"},
      {observation(R"(,"valueString":"a","valueInteger":1)"), "structure@Observation\n"},
      {observation(R"(,"valueQuantity":{"value":"1","comparator":"~"})"),
       "invalidValue@Observation.value.comparator\nstructure@Observation.value.value\n"},
      {observation(R"(,"valueQuantity":{"value":1e999})"),
       "invalidValue@Observation.value.value\n"},
      {observation(R"(,"effectiveDateTime":"2023-02-29")"), "invalidValue@Observation.effective\n"},
      {observation(R"(,"effectiveDateTime":"0001-01-01")"), "invalidValue@Observation.effective\n"},
      {observation(R"(,"effectivePeriod":{"start":1})"), "structure@Observation.effective.start\n"},
      {observation(R"(,"component":[{"code":{"text":"?"}},{}],"id":"a/b")"),
       "invalidValue@Observation.id\ncodeUnknown@Observation.component[0].code\n"
       "missingElement@Observation.component[1].code\n"},
      {observation(R"(,"contained":[{"resourceType":"Patient","name":[]}])"),
       "identifying@Observation.contained[0].name\n"},
      {resource("Observation", R"("status":"entered-in-error","code":{"text":"ALT"},"subject":)"
                               R"({"reference":"Group/1"})"),
       "enteredInError@Observation.status\nsubjectMissing@Observation.subject\n"},
      {resource("Observation", R"("status":"done","code":{"text":"ALT"},"subject":{})"),
       "invalidValue@Observation.status\nsubjectMissing@Observation.subject\n"},
      {resource("Observation", R"("status":"final","code":{"text":"ALT"},"subject":{"reference":)"
                               R"("Patient/)" +
                                   std::string(model::kIdCharsMax + 1, 'x') + R"("})"),
       "invalidValue@Observation.subject\n"},
      {resource("Patient", R"("id":"S1","name":[],"_photo":[],"telecom":[],"address":[],)"
                           R"("contact":[],"gender":"M","extension":[{"url":"http://hl7.org/fhir/)"
                           R"(StructureDefinition/patient-mothersMaidenName","valueString":"x"}])"),
       "identifying@Patient.name\nidentifying@Patient.photo\nidentifying@Patient.telecom\n"
       "identifying@Patient.address\nidentifying@Patient.contact\n"
       "identifying@Patient.extension[0]\ninvalidValue@Patient.gender\n"},
      {resource("Patient", R"("gender":"male")"), "subjectMissing@Patient\n"},
      {resource("Patient", R"("id":"S1","active":1,"deceasedDateTime":true,"contained":[)"
                           R"({"resourceType":"RelatedPerson","name":[]}])"),
       "identifying@Patient.contained[0].name\nstructure@Patient.active\n"
       "structure@Patient.deceasedDateTime\n"},
      {resource("AdverseEvent", R"("actuality":"potential","subject":{"reference":"Patient/S1"},)"
                                R"("seriousness":{"text":"?"},"severity":{})"),
       "notSupported@AdverseEvent.actuality\nmissingElement@AdverseEvent.event\n"
       "codeUnknown@AdverseEvent.seriousness\ncodeUnknown@AdverseEvent.severity\n"},
      {resource("MedicationAdministration",
                R"("status":"completed","subject":{"reference":"Patient/S1"})"),
       "missingElement@MedicationAdministration.medication\n"
       "missingElement@MedicationAdministration.effective\n"},
      {resource("MedicationStatement", R"("status":"active","subject":{"reference":"Patient/S1"},)"
                                       R"("medicationReference":{"reference":"Medication/1"})"),
       "missingElement@MedicationStatement.medication\n"},
      {resource("ResearchSubject", R"("individual":{"reference":"Patient/S1"})"),
       "missingElement@ResearchSubject.status\nmissingElement@ResearchSubject.study\n"},
      {resource("QuestionnaireResponse", R"("status":"completed","authored":"noon")"),
       "subjectMissing@QuestionnaireResponse.subject\n"
       "invalidValue@QuestionnaireResponse.authored\n"},
  };
  for (const auto& [json, issues] : rows) EXPECT_EQ(told_by(json), issues) << json;
}

TEST(ResourceReader, OnlyACorrectionSaysThatSomethingWasAnError) {
  const std::string json =
      R"({"resourceType":"Observation","status":"entered-in-error","code":{"text":"ALT"},)"
      R"("subject":{"reference":"Patient/S1"},"valueQuantity":{"value":1,"unit":"U/L"},)"
      R"("component":[{"code":{"text":"ALT"},"valueInteger":1}]})";
  EXPECT_EQ(told_by(json), "enteredInError@Observation.status\n");
  ResourceReader reader;
  const auto read = reader.read(strict_study(), json, Intent::correct);
  ASSERT_TRUE(read.ok());
  const std::string rest = R"(,"not_done":"entered in error",)"
                           R"("attributes":{"status":"entered-in-error"})";
  EXPECT_EQ(in_short(read->record), R"("S1","kind":"lab","code":"ALT")" + rest);
  EXPECT_EQ(in_short(read->parts.at(0).record), R"("S1","kind":"lab","code":"ALT")" + rest);
}

TEST(ResourceReader, KeepsItsLimit) {
  const auto with = [](std::size_t count) {
    std::string components;
    for (std::size_t i = 0; i < count; ++i) {
      components += i == 0 ? "{" : ",{";
      components += R"("code":{"text":"ALT"}})";
    }
    return observation(R"(,"component":[)" + components + "]");
  };
  ResourceReader reader;
  const auto most = reader.read(strict_study(), with(kPartsMax));
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(most->parts.size(), kPartsMax);
  EXPECT_EQ(told_by(with(kPartsMax + 2)), "tooMany@Observation.component[500]\n");
}

TEST(ResourceReader, CutsWordsForTheirColumnsAndKeepsThemInTheOriginal) {
  std::string long_name, long_text;
  for (std::size_t i = 0; i < model::kIdCharsMax + 5; ++i) long_name += "ä";
  long_text.assign(model::kTextCharsMax + 5, 'x');
  ResourceReader reader;
  const auto read = reader.read(strict_study(), observation(R"(,"valueString":")" + long_text +
                                                            R"(\u0001","performer":[)"
                                                            R"({"display":"a\n)" +
                                                            long_name + R"("}])"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->record.value.text, std::string(model::kTextCharsMax, 'x'));
  EXPECT_EQ(read->record.author, "a " + long_name.substr(0, 2 * (model::kIdCharsMax - 2)));
}

TEST(ResourceReader, FaultsOfARecordHaveTheirPlaceInTheResource) {
  const model::Faults faults = {{"/code", "is not there"},
                                {"/value", "is impossible"},
                                {"/attributes/arm", "is no arm"},
                                {"/site", "?"}};
  std::string text;
  for (const ResourceType type : {ResourceType::observation, ResourceType::research_subject,
                                  ResourceType::medication_statement}) {
    for (const model::Issue& issue : issues_of(type, "X", faults)) {
      text += issue.code + '@' + issue.path + ' ';
    }
  }
  EXPECT_EQ(text,
            "codeUnknown@X.code invalidValue@X.value invalidValue@X.assignedArm invalidValue@X "
            "codeUnknown@X.code invalidValue@X.value invalidValue@X.assignedArm invalidValue@X "
            "codeUnknown@X.medication invalidValue@X.dosage invalidValue@X.assignedArm "
            "invalidValue@X ");
}

}  // namespace
}  // namespace trialward::fhir
