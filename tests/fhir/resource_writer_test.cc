#include "fhir/resource_writer.h"

#include <gtest/gtest.h>

#include "fhir/resource.h"
#include "fhir/resource_reader.h"
#include "model/decode_record.h"
#include "model/encode_record.h"
#include "tests/fhir/resource_study.h"

namespace trialward::fhir {
namespace {

using model::StoredRecord;

// A native record, stored.
StoredRecord stored(const std::string& members) {
  model::RecordDecoder decoder;
  auto record =
      decoder.decode(R"({"source":"lab","source_id":"7","subject":"S1",)" + members + "}");
  EXPECT_TRUE(record.ok()) << members;
  StoredRecord result;
  if (!record) return result;
  result.record = std::move(*record);
  result.id = 12;
  result.received_ms = 1'700'000'000'000;
  if (!result.record.effective.empty()) {
    auto interval = model::resolve_effective(result.record.effective, "Europe/Berlin");
    EXPECT_TRUE(interval.ok());
    if (interval) result.interval = *interval;
  }
  return result;
}

// A resource, stored.
StoredRecord received(const model::Study& study, std::string_view json) {
  ResourceReader reader;
  auto read = reader.read(study, json);
  EXPECT_TRUE(read.ok()) << json;
  StoredRecord result;
  if (!read) return result;
  result.record = std::move(read->record);
  result.record.source = "ehr";
  result.record.source_id = "o7";
  result.id = 12;
  result.received_ms = 1'700'000'000'000;
  result.flags = model::kResource;
  return result;
}

std::string begin_of(std::string_view type, std::string_view more = "") {
  return R"({"resourceType":")" + std::string(type) +
         R"(","id":"12","meta":{"versionId":"1","lastUpdated":"2023-11-14T22:13:20.000Z")" +
         std::string(more) + "},";
}
constexpr std::string_view kRedacted =
    R"(,"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue",)"
    R"("code":"REDACTED","display":"redacted"}])";

// An array, but for those that R4 gives one identifier.
std::string identifier(bool one) {
  const std::string object = R"({"system":"urn:trialward:source:lab","value":"7"})";
  return "\"identifier\":" + (one ? object : "[" + object + "]") + ",";
}

TEST(ResourceWriter, WritesNativeRecords) {
  const struct {
    std::string record, type, members;
    bool one_identifier = false;
  } rows[] = {
      {R"("kind":"lab","code":"ALT","value":34.0,"unit":"U/L","range":{"low":0,"high":30.50},)"
       R"("effective":"2024-01-02T03:04","author":"Dr. A","visit":"Week 2","text":"odd")",
       "Observation",
       R"("status":"final","category":[{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],)"
       R"("code":{"coding":[{"code":"ALT","display":"Alanine aminotransferase"},)"
       R"({"system":"http://loinc.org","code":"1742-6"}],"text":"Alanine aminotransferase"},)"
       R"("subject":{"reference":"Patient/S1"},"encounter":{"display":"Week 2"},)"
       R"("effectiveDateTime":"2024-01-02T02:04:00.000Z","performer":[{"display":"Dr. A"}],)"
       R"("valueQuantity":{"value":34.0,"unit":"U/L","system":"http://unitsofmeasure.org",)"
       R"("code":"U/L"},"interpretation":[{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"H"}]}],)"
       R"("note":[{"text":"odd"}],"referenceRange":[{"low":{"value":0,"unit":"U/L","system":)"
       R"("http://unitsofmeasure.org","code":"U/L"},"high":{"value":30.50,"unit":"U/L","system":)"
       R"("http://unitsofmeasure.org","code":"U/L"}}])"},
      {R"("kind":"vital","code":"SYSBP","value":">=200","unit":"mmHg","effective":"2024-01-02")",
       "Observation",
       R"("status":"final","category":[{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],)"
       R"("code":{"coding":[{"code":"SYSBP"},{"system":"http://loinc.org","code":"8480-6"}]},)"
       R"("subject":{"reference":"Patient/S1"},"effectiveDateTime":"2024-01-02",)"
       R"("valueQuantity":{"value":200,"comparator":">=","unit":"mmHg","system":)"
       R"("http://unitsofmeasure.org","code":"mm[Hg]"})"},
      {R"("kind":"visit","code":"Week 2","not_done":"missed")", "Observation",
       R"("status":"final","category":[{"coding":[{"system":"urn:trialward:kind",)"
       R"("code":"visit"}]}],)"
       R"("code":{"coding":[{"code":"Week 2"}]},"subject":{"reference":"Patient/S1"},)"
       R"("dataAbsentReason":{"text":"missed"})"},
      {R"("kind":"adverse_event","code":"RASH","effective":"2024-01","serious":true,)"
       R"("severity":"4","attributes":{"aeout":"FATAL"})",
       "AdverseEvent",
       R"("actuality":"actual","event":{"coding":[{"code":"RASH"}]},)"
       R"("subject":{"reference":"Patient/S1"},"date":"2024-01",)"
       R"("seriousness":{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/adverse-event-seriousness","code":"Serious"}]},)"
       R"("severity":{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/adverse-event-severity","code":"severe"}],)"
       R"("text":"4"},"outcome":{"coding":[{"system":)"
       R"("http://terminology.hl7.org/CodeSystem/adverse-event-outcome","code":"fatal"}]})",
       true},
      {R"("kind":"medication","code":"Aspirin","value":500,"unit":"mg","text":"at night",)"
       R"("effective":"2024-01","author":"Mother","attributes":{"end":"2024-02"})",
       "MedicationStatement",
       R"("status":"unknown","medicationCodeableConcept":{"coding":[{"code":"Aspirin"}]},)"
       R"("subject":{"reference":"Patient/S1"},"effectivePeriod":{"start":"2024-01",)"
       R"("end":"2024-02"},)"
       R"("informationSource":{"display":"Mother"},"dosage":[{"text":"at night","doseAndRate":)"
       R"([{"doseQuantity":{"value":500,"unit":"mg","system":"http://unitsofmeasure.org",)"
       R"("code":"mg"}}]}])"},
      {R"("kind":"exposure","code":"XAN","value":54,"unit":"mg","author":"Nurse")",
       "MedicationAdministration",
       R"("status":"completed","medicationCodeableConcept":{"coding":[{"code":"XAN"},)"
       R"({"system":"urn:drugs","code":"xanomeline"}]},"subject":{"reference":"Patient/S1"},)"
       R"("_effectiveDateTime":{"extension":[{"url":)"
       R"("http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]},)"
       R"("performer":[{"actor":{"display":"Nurse"}}],"dosage":{"dose":{"value":54,"unit":"mg",)"
       R"("system":"http://unitsofmeasure.org","code":"mg"}})"},
      {R"("kind":"demographics","effective":"2024-01-02","attributes":{"arm":"A"})",
       "ResearchSubject",
       R"("status":"on-study","period":{"start":"2024-01-02"},"study":{"identifier":{"value":)"
       R"("strict"},"display":"A strict one"},"individual":{"reference":"Patient/S1"},)"
       R"("assignedArm":"A")"},
  };
  for (const auto& [record, type, members, one_identifier] : rows) {
    EXPECT_EQ(to_resource(strict_study(), stored(record), true),
              begin_of(type) + identifier(one_identifier) + members + "}");
  }
}

TEST(ResourceWriter, WhatItWritesIsReadAsTheSameRecord) {
  for (const char* members :
       {R"("kind":"lab","code":"ALT","value":34.0,"unit":"U/L","range":{"low":0,"high":30.50},)"
        R"("effective":"2024-01-02","author":"Dr. A","visit":"Week 2")",
        R"("kind":"lab","code":"HCG","system":"urn:labs","value":"POS")",
        R"("kind":"lab","code":"ALT","value":"<5","unit":"U/L","effective":"2024")",
        R"("kind":"vital","code":"SYSBP","not_done":"no cuff")",
        R"("kind":"questionnaire","code":"GCS","value":13)",
        R"("kind":"adverse_event","code":"RASH","system":"urn:terms","serious":false,)"
        R"("severity":"FATAL","attributes":{"outcome":"fatal","treatment":"XAN"})",
        R"("kind":"medication","code":"Aspirin","value":"two","attributes":{"end":"2024-02",)"
        R"("status":"active"})",
        R"("kind":"exposure","code":"XAN","value":54,"unit":"mg","effective":"2024-01-02",)"
        R"("author":"Nurse","attributes":{"status":"completed"})",
        R"("kind":"demographics","effective":"2024-01-02","attributes":{"actual_arm":"A",)"
        R"("arm":"A","end":"2025","status":"withdrawn"})"}) {
    StoredRecord record = stored(members);
    ResourceReader reader;
    auto again = reader.read(strict_study(), to_resource(strict_study(), record, true));
    ASSERT_TRUE(again.ok()) << members << again.error().front().path;
    again->record.source = record.record.source;
    again->record.source_id = record.record.source_id;
    EXPECT_EQ(model::encode_record(again->record), model::encode_record(record.record));
  }
}

TEST(ResourceWriter, GivesAResourceBackAsItCame) {
  StoredRecord record = received(
      strict_study(),
      R"({ "meta":{"versionId":"9","profile":["urn:p"],"lastUpdated":"2001-01-01T00:00:00Z"},)"
      R"("status":"final" , "resourceType":"Observation","id":"o7","code":{"text":"ALT"},)"
      R"("subject":{"reference":"Patient/S1"},"valueQuantity":{ "value": 1.50 , "unit":"U/L"} })");
  record.version = 3;
  record.first = 5;
  EXPECT_EQ(to_resource(strict_study(), record, false),
            R"({"resourceType":"Observation","id":"5","meta":{"versionId":"3","lastUpdated":)"
            R"("2023-11-14T22:13:20.000Z","profile":["urn:p"]},"status":"final",)"
            R"("code":{"text":"ALT"},"subject":{"reference":"Patient/S1"},)"
            R"("valueQuantity":{ "value": 1.50 , "unit":"U/L"}})");
  const StoredRecord patient = received(strict_study(), R"({"resourceType":"Patient","id":"S1"})");
  EXPECT_EQ(type_of(patient), ResourceType::patient);
  EXPECT_EQ(to_resource(strict_study(), patient, false).substr(0, 38),
            R"({"resourceType":"Patient","id":"S1","m)");
}

TEST(ResourceWriter, TheBlindedAreNotToldTheTreatment) {
  const std::string administration =
      R"({"resourceType":"MedicationAdministration","status":"completed","medicationReference":)"
      R"({"display":"XAN"},"subject":{"reference":"Patient/S1"},"effectiveDateTime":"2024-01-02",)"
      R"("context":{"display":"Week 2"},"dosage":{"text":"XAN patch","dose":{"value":54,)"
      R"("unit":"mg"}},"note":[{"text":"XAN"}],"meta":{"tag":[{"code":"XAN"}]}})";
  const StoredRecord record = received(strict_study(), administration);
  EXPECT_EQ(record.record.kind, model::Kind::exposure);
  EXPECT_NE(to_resource(strict_study(), record, true).find("XAN patch"), std::string::npos);
  EXPECT_EQ(
      to_resource(strict_study(), record, false),
      begin_of("MedicationAdministration", kRedacted) +
          R"("identifier":[{"system":"urn:trialward:source:ehr","value":"o7"}],)"
          R"("status":"unknown","medicationCodeableConcept":{"extension":[{"url":)"
          R"("http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]},)"
          R"("subject":{"reference":"Patient/S1"},"context":{"display":"Week 2"},)"
          R"("effectiveDateTime":"2024-01-02"})");
  const char* others[] = {
      R"({"resourceType":"MedicationStatement","status":"active","medicationCodeableConcept":)"
      R"({"text":"XAN"},"subject":{"reference":"Patient/S1"}})",
      R"({"resourceType":"ResearchSubject","status":"on-study","study":{"display":"s"},)"
      R"("individual":{"reference":"Patient/S1"},"assignedArm":"XAN"})",
      R"({"resourceType":"ResearchSubject","status":"on-study","study":{"display":"s"},)"
      R"("individual":{"reference":"Patient/S1"},"actualArm":"XAN"})",
      R"({"resourceType":"AdverseEvent","actuality":"actual","event":{"text":"Rash"},)"
      R"("subject":{"reference":"Patient/S1"},"suspectEntity":[{"instance":{"display":"XAN"}}]})",
  };
  for (const char* json : others) {
    const StoredRecord one = received(strict_study(), json);
    EXPECT_NE(to_resource(strict_study(), one, true).find("XAN"), std::string::npos) << json;
    const std::string blinded = to_resource(strict_study(), one, false);
    EXPECT_EQ(blinded.find("XAN"), std::string::npos) << blinded;
    EXPECT_NE(blinded.find(kRedacted), std::string::npos) << blinded;
    EXPECT_NE(blinded.find(R"("resourceType":")" + std::string(to_string(type_of(one)))),
              std::string::npos);
    JsonTree tree;
    EXPECT_TRUE(tree.parse(blinded).ok()) << blinded;
  }
  const StoredRecord native = stored(R"("kind":"lab","code":"ALT","attributes":{"arm":"XAN"})");
  EXPECT_EQ(to_resource(strict_study(), native, false).find("XAN"), std::string::npos);
}

TEST(ResourceWriter, DemographicsTellOfAPatient) {
  const StoredRecord record = stored(R"("kind":"demographics","attributes":{"arm":"A","sex":"F"})");
  EXPECT_EQ(to_patient(strict_study(), record),
            R"({"resourceType":"Patient","id":"S1","meta":{"versionId":"1","lastUpdated":)"
            R"("2023-11-14T22:13:20.000Z"},"identifier":[{"system":"urn:trialward:study:strict",)"
            R"("value":"S1"}],"gender":"female"})");
}

TEST(ResourceWriter, WhatCannotStandInAReferenceIsAnIdentifier) {
  StoredRecord record = stored(R"("kind":"lab","code":"ALT")");
  record.record.subject = "S 1/ä";
  const std::string json = to_resource(strict_study(), record, true);
  EXPECT_NE(json.find(R"("subject":{"identifier":{"value":"S 1/ä"}})"), std::string::npos) << json;
  ResourceReader reader;
  const auto again = reader.read(strict_study(), json);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->record.subject, "S 1/ä");
}

TEST(ResourceWriter, AnOriginalThatIsNoResourceIsNotGivenOut) {
  StoredRecord record = stored(R"("kind":"lab","code":"ALT")");
  record.flags = model::kResource;
  EXPECT_EQ(to_resource(strict_study(), record, true).rfind(begin_of("Observation"), 0), 0u);
  EXPECT_EQ(type_of(record), ResourceType::observation);
}

}  // namespace
}  // namespace trialward::fhir
