#include "model/encode_record.h"

#include <gtest/gtest.h>

#include "model/decode_record.h"

namespace trialward::model {
namespace {

TEST(EncodeRecord, DecodesToTheSameContent) {
  const char* const records[] = {
      R"({"source":"s","source_id":"1","subject":"P-1","kind":"lab","code":"ALT","value":34.0,)"
      R"("unit":"U/L","range":{"low":6,"high":34},"effective":"2014-01-16T13:17","visit":"W1",)"
      R"("baseline":true,"author":"Dr A"})",
      R"({"source":"s","source_id":"2","subject":"P-1","site":"A","kind":"vital","code":"T",)"
      R"("system":"http://loinc.org","not_done":"refused"})",
      R"({"source":"s","source_id":"3","subject":"P-1","kind":"questionnaire","code":"Q",)"
      R"("value":2,"text":"often","device_time":"2024-05-01T10:00:00.5Z",)"
      R"("sent_time":"2024-05-01T12:00+02:00"})",
      R"({"source":"s","source_id":"4","subject":"P-1","kind":"adverse_event","code":"Fall",)"
      R"("value":"fell","serious":false,"severity":"MILD","attributes":{"a":"\"","b":"é"},)"
      R"("amends":7,"reason":"typing error"})",
      R"({"source":"s","source_id":"5","subject":"P-1","kind":"lab","code":"ALT","value":null})",
  };
  RecordDecoder decoder;
  for (const char* const json : records) {
    auto record = decoder.decode(json);
    ASSERT_TRUE(record.ok()) << json << ": " << record.error().front().reason;
    auto again = decoder.decode(encode_record(*record));
    ASSERT_TRUE(again.ok()) << encode_record(*record) << ": " << again.error().front().reason;
    EXPECT_EQ(canonical_content(*again), canonical_content(*record)) << json;
  }
}

TEST(EncodeRecord, NumbersOfOtherFeedsAreSpeltForJson) {
  Record record;
  record.source = record.source_id = record.subject = record.code = "x";
  struct Row {
    double number;
    const char* text;
    const char* json;
  };
  for (const Row& row : {Row{0.5, ".5", R"("value":0.5)"}, Row{-0.5, "-.5", R"("value":-0.5)"}}) {
    record.value.number = row.number;
    record.value.number_text = row.text;
    EXPECT_NE(encode_record(record).find(row.json), std::string::npos) << row.text;
  }
}

}  // namespace
}  // namespace trialward::model
