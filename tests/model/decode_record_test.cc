#include "model/decode_record.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

constexpr std::string_view kHead =
    R"("source":"lab-feed","source_id":"A-1","subject":"01-701-1015","kind":"lab","code":"ALT")";

// A record with its ids and these further members.
std::string with(std::string_view members) {
  return "{" + std::string(kHead) + "," + std::string(members) + "}";
}

std::string decode_faults(std::string_view json) {
  RecordDecoder decoder;
  const auto record = decoder.decode(json);
  if (record.ok()) return "none";
  std::string text;
  for (const auto& [path, reason] : record.error()) text += path + ": " + reason + "\n";
  return text;
}

TEST(DecodeRecord, ReadsEveryMember) {
  const std::string json = with(R"("site":"701","system":"urn:x","value":34.0,"text":"fasting",
    "unit":"U/L","range":{"low":6,"high":34.50},"effective":"2014-01-16T13:17",
    "device_time":"2014-01-16T18:17:05Z","sent_time":"2014-01-16T18:17:06.5Z","author":"analyser",
    "visit":"WEEK 2","baseline":true,"attributes":{"z":"last","a":""},"amends":12,
    "reason":"typing error")");
  RecordDecoder decoder;
  const auto decoded = decoder.decode(json);
  ASSERT_TRUE(decoded.ok()) << to_json(decoded.error());
  const Record& record = *decoded;
  EXPECT_EQ(record.source, "lab-feed");
  EXPECT_EQ(record.source_id, "A-1");
  EXPECT_EQ(record.subject, "01-701-1015");
  EXPECT_EQ(record.site, "701");
  EXPECT_EQ(record.kind, Kind::lab);
  EXPECT_EQ(record.code, "ALT");
  EXPECT_EQ(record.system, "urn:x");
  EXPECT_EQ(record.value.number, 34);
  EXPECT_EQ(record.value.number_text, "34.0");
  EXPECT_EQ(record.value.text, "fasting");
  EXPECT_EQ(record.unit, "U/L");
  EXPECT_EQ(record.range.low, 6);
  EXPECT_EQ(record.range.high, 34.5);
  EXPECT_EQ(record.range.high_text, "34.50");
  EXPECT_EQ(record.effective, "2014-01-16T13:17");
  EXPECT_EQ(record.device_ms, 1389896225000);
  EXPECT_EQ(record.sent_ms, 1389896226500);
  EXPECT_EQ(record.author, "analyser");
  EXPECT_EQ(record.visit, "WEEK 2");
  EXPECT_TRUE(record.baseline);
  const std::vector<std::pair<std::string, std::string>> attributes = {{"a", ""}, {"z", "last"}};
  EXPECT_EQ(record.attributes, attributes);
  EXPECT_EQ(record.amends, 12);
  EXPECT_EQ(record.reason, "typing error");
  EXPECT_EQ(record.original, json);
}

TEST(DecodeRecord, ReadsWhatOnlyAdverseEventsHave) {
  RecordDecoder decoder;
  const auto record = decoder.decode(R"({"source":"s","source_id":"1","subject":"x",
    "kind":"adverse_event","code":"HEADACHE","serious":true,"severity":"LIFE THREATENING"})");
  ASSERT_TRUE(record.ok()) << to_json(record.error());
  EXPECT_EQ(record->serious, true);
  EXPECT_EQ(record->severity, "LIFE THREATENING");
  EXPECT_TRUE(record->value.missing());
}

TEST(DecodeRecord, NumbersKeepTheirSpelling) {
  const struct {
    const char* spelled;
    double number;
  } cases[] = {
      {"0", 0},
      {"-0", 0},
      {"34.0", 34},
      {"1e1", 10},
      {"1.50E+3", 1500},
      {"2.5e-3", 0.0025},
      {"123456789012345678901234567890", 123456789012345678901234567890.0},
      {"18446744073709551616", 18446744073709551616.0},
      {"0.1000000000000000055511151231257827", 0.1},
      {"0.00012345678901234567890123", 0.00012345678901234567890123},
      {"-0.98765432109876543210987654321e2", -98.765432109876543210987654321},
      {"4.9e-324", 4.9e-324},
      {"1.7976931348623157e308", 1.7976931348623157e308},
  };
  for (const auto& [spelled, number] : cases) {
    for (const char* blanks : {"", " ", " \n\t\r"}) {
      RecordDecoder decoder;
      const auto record = decoder.decode(with(std::string("\"value\": ") + spelled + blanks));
      ASSERT_TRUE(record.ok()) << spelled << to_json(record.error());
      EXPECT_EQ(record->value.number, number) << spelled;
      EXPECT_EQ(record->value.number_text, spelled);
    }
  }
}

TEST(DecodeRecord, ValuesMayBeNumbersTextsMissingOrNotDone) {
  const struct {
    const char* members;
    bool missing;
    const char* text;
    const char* not_done;
  } cases[] = {
      {R"("value":"<0.2")", false, "<0.2", ""},
      {R"("value":"\u00b5\ud83d\ude00\n")", false, "µ😀\n", ""},
      {R"("value":null)", true, "", ""},
      {R"("unit":"U/L")", true, "", ""},
      {R"("not_done":"refused")", false, "", "refused"},
      {R"("value":null,"not_done":"refused")", false, "", "refused"},
  };
  for (const auto& [members, missing, text, not_done] : cases) {
    RecordDecoder decoder;
    const auto record = decoder.decode(with(members));
    ASSERT_TRUE(record.ok()) << members << to_json(record.error());
    EXPECT_EQ(record->value.missing(), missing) << members;
    EXPECT_EQ(record->value.text, text) << members;
    EXPECT_EQ(record->value.not_done, not_done) << members;
    EXPECT_FALSE(record->value.number) << members;
  }
}

TEST(DecodeRecord, P10_MembersThatAreWrongAreNamed) {
  const struct {
    const char* members;
    const char* faults;
  } cases[] = {
      {R"("colour":1)", "/colour: is unknown\n"},
      {R"("a/b~":{"x":[1]},"visit":"V1")", "/a~1b~0: is unknown\n"},
      {R"("code":"ALT")", "/code: is given twice\n"},
      {R"("\u0063ode":"ALT")", "/code: is given twice\n"},
      {R"("site":701)", "/site: must be a string\n"},
      {R"("site":null)", "/site: must be a string\n"},
      {R"("site":["701"],"visit":3)", "/site: must be a string\n/visit: must be a string\n"},
      {R"("value":true)", "/value: must be a number, a string or null\n"},
      {R"("value":{"x":1})", "/value: must be a number, a string or null\n"},
      {R"("value":"")", "/value: is empty; a missing value is null\n"},
      {R"("text":"x")", "/text: is for words beside a number; words alone are the value\n"},
      {R"("value":"y","text":"x")",
       "/text: is for words beside a number; words alone are the value\n"},
      {R"("not_done":"")", "/not_done: is empty; it says why nothing was measured\n"},
      {R"("not_done":"x","value":1)", "/value: there is none when not done\n"},
      {R"("not_done":"x","value":"y")", "/value: there is none when not done\n"},
      {R"("not_done":"x","unit":"y")", "/unit: there is none when not done\n"},
      {R"("range":[1,2])", "/range: must be an object\n"},
      {R"("range":{"low":"1","hi":2})", "/range/low: must be a number\n/range/hi: is unknown\n"},
      {R"("range":{"low":1,"low":2})", "/range/low: is given twice\n"},
      {R"("range":{"low":null})", "/range/low: must be a number\n"},
      {R"("device_time":"2014-01-16T13:17")",
       "/device_time: is not an instant with an offset, such as 2024-01-31T08:30:00Z\n"},
      {R"("sent_time":1389896226)", "/sent_time: must be a string\n"},
      {R"("baseline":"Y")", "/baseline: must be true or false\n"},
      {R"("serious":true)", "/serious: only an adverse_event has it\n"},
      {R"("severity":"MILD")", "/severity: only an adverse_event has it\n"},
      {R"("attributes":{"a":1})", "/attributes/a: must be a string\n"},
      {R"("attributes":{"a":"1","b":"2","a":"1"})", "/attributes/a: is given twice\n"},
      {R"("attributes":{"":"1"})", "/attributes: a member's name is empty\n"},
      {R"("attributes":{"a":"\u0000"})", "/attributes/a: has a control character\n"},
      {R"("attributes":"a")", "/attributes: must be an object\n"},
      {R"("amends":"12")", "/amends: must be the id of a record\n"},
      {R"("amends":0,"reason":"x")", "/amends: must be the id of a record\n"},
      {R"("amends":1.5)", "/amends: must be the id of a record\n"},
      {R"("amends":99999999999999999999)", "/amends: must be the id of a record\n"},
      {R"("amends":12)", "/reason: a correction needs a reason\n"},
      {R"("reason":"x")", "/reason: there is none without amends\n"},
      {R"("visit":"a\tb")", "/visit: has a control character\n"},
      {R"("value":"a\u0001b")", "/value: has a control character\n"},
  };
  for (const auto& [members, faults] : cases) {
    EXPECT_EQ(decode_faults(with(members)), faults) << members;
  }
}

TEST(DecodeRecord, IdsAreRequired) {
  EXPECT_EQ(decode_faults("{}"),
            "/source: is missing\n/source_id: is missing\n/subject: is missing\n"
            "/kind: is missing\n/code: is missing\n");
  EXPECT_EQ(
      decode_faults(R"({"source":"","source_id":"\n","subject":"x","kind":"lab","code":"ALT"})"),
      "/source: is empty\n/source_id: has a control character\n");
  EXPECT_EQ(decode_faults(R"({"source":"s","source_id":"1","subject":"x","kind":"Lab","code":"ALT",
                          "serious":true})"),
            "/kind: is not a kind of record\n");
  EXPECT_EQ(decode_faults(R"({"source":"s","source_id":"1","subject":"x","kind":"demographics"})"),
            "none");
}

TEST(DecodeRecord, P10_WhatIsNoRecordIsRefused) {
  const std::string record = "{" + std::string(kHead) + "}";
  const struct {
    std::string json, fault;  // how it begins
  } cases[] = {
      {"", ": is not JSON"},
      {"   ", ": is not JSON"},
      {"nonsense", ": is not JSON"},
      {"true story", ": is not JSON"},
      {"source,source_id,subject", ": is not JSON"},
      {"2026-01-01", ": is not JSON"},
      {"[1,", ": is not JSON"},
      {"\"x", ": is not JSON"},
      {"[]", ": is not an object"},
      {"34", ": is not an object"},
      {"\"x\"", ": is not an object"},
      {"null", ": is not an object"},
      {"{", ": is not JSON"},
      {"{\"source\"}", ": is not JSON"},
      {"{\"source\":}", ": is not JSON"},
      {"{\"source\":\"x\",}", ": is not JSON"},
      {"{source:\"x\"}", ": is not JSON"},
      {"{'source':'x'}", ": is not JSON"},
      {record.substr(0, record.size() - 1), ": is not JSON"},
      {record + "x", ": "},
      {record + record, ": something follows the record"},
      {record + "}", ": something follows the record"},
      {record + " []", ": is not JSON"},
      {"\xEF\xBB\xBF" + record, ": is not"},
      {with("\"value\":01"), "/value: is no number"},
      {with("\"value\":1."), "/value: is no number"},
      {with("\"value\":.5"), ": is not JSON"},
      {with("\"value\":+5"), ": is not JSON"},
      {with("\"value\":-"), "/value: is no number"},
      {with("\"value\":1x"), "/value: is no number"},
      {with("\"value\":1e400"), "/value: is no number"},
      {with("\"value\":-1e400"), "/value: is no number"},
      {with("\"value\":NaN"), ": is not JSON"},
      {with("\"value\":Infinity"), ": is not JSON"},
      {with("\"value\":nul"), ": is not JSON"},
      {with("\"value\":nullx"), ": is not JSON"},
      {with("\"baseline\":tru"), ": is not JSON"},
      {with("\"value\":\"\xff\""), ": is not JSON"},
      {with("\"value\":\"\xc0\xaf\""), ": is not JSON"},
      {with("\"value\":\"\xed\xa0\x80\""), ": is not JSON"},
      {with("\"value\":\"\\ud800\""), ": is not JSON"},
      {with("\"value\":\"\\x41\""), ": is not JSON"},
      {with("\"value\":\"a\nb\""), ": is not JSON"},
      {with("\"value\":\"unclosed"), ": is not JSON"},
      {with("\"range\":{\"low\":1"), ": is not JSON"},
      {with("\"attributes\":{\"a\" \"b\"}"), ": is not JSON"},
  };
  for (const auto& [json, fault] : cases) {
    const std::string faults = decode_faults(json);
    EXPECT_EQ(faults.rfind(fault, 0), 0u) << json << "\n" << faults;
  }
}

TEST(DecodeRecord, P10_SizeIsLimitedBeforeItIsRead) {
  const auto padded = [](std::size_t bytes) {
    std::string json = "{" + std::string(kHead);
    return json + std::string(bytes - json.size() - 1, ' ') + "}";
  };
  EXPECT_EQ(decode_faults(padded(kRecordBytesMax)), "none");
  EXPECT_EQ(decode_faults(padded(kRecordBytesMax + 1)), ": is larger than 65536 bytes\n");
  EXPECT_EQ(decode_faults(std::string(100 << 20, '[')), ": is larger than 65536 bytes\n");
}

TEST(DecodeRecord, P10_DepthIsLimitedBeforeItIsRead) {
  const auto nested = [](std::size_t depth) {  // the record itself is one level
    return with("\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']'));
  };
  EXPECT_EQ(decode_faults(nested(kRecordDepthMax)), "/x: is unknown\n");
  EXPECT_EQ(decode_faults(nested(kRecordDepthMax + 1)), ": is nested deeper than 8 levels\n");
  EXPECT_EQ(decode_faults(std::string(kRecordBytesMax, '[')), ": is nested deeper than 8 levels\n");
  // Brackets within strings are no nesting, also behind an escaped quote.
  EXPECT_EQ(decode_faults(with(R"("value":"\"[[[[[[[[[[[[","visit":"{{{{{{{{{\\")")), "none");
}

TEST(DecodeRecord, P10_LengthsAreLimited) {
  const auto member = [](const char* name, std::size_t chars) {
    return with("\"" + std::string(name) + "\":\"" + std::string(chars, 'x') + "\"");
  };
  for (const char* name : {"site", "system", "unit", "author", "visit", "effective"}) {
    EXPECT_EQ(decode_faults(member(name, kIdCharsMax)), "none") << name;
    EXPECT_EQ(decode_faults(member(name, kIdCharsMax + 1)),
              "/" + std::string(name) + ": has 129 characters, more than 128\n");
  }
  for (const char* name : {"value", "not_done"}) {
    EXPECT_EQ(decode_faults(member(name, kTextCharsMax)), "none") << name;
    EXPECT_EQ(decode_faults(member(name, kTextCharsMax + 1)),
              "/" + std::string(name) + ": has 20001 characters, more than 20000\n");
  }
  EXPECT_EQ(decode_faults(with("\"value\":" + std::string(kIdCharsMax + 1, '1'))),
            "/value: must be a number of fewer digits\n");
  EXPECT_EQ(decode_faults(with("\"" + std::string(kIdCharsMax + 1, 'x') + "\":1")),
            ": has a member whose name is longer than any known one\n");
}

TEST(DecodeRecord, P10_TheListsOfAttributesAndOfFaultsAreBounded) {
  const auto attributes = [](std::size_t count) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i) {
      members += (i ? ",\"a" : "\"a") + std::to_string(i) + "\":\"x\"";
    }
    return with("\"attributes\":{" + members + "}");
  };
  EXPECT_EQ(decode_faults(attributes(kAttributesMax)), "none");
  EXPECT_EQ(decode_faults(attributes(kAttributesMax + 1)),
            "/attributes: has more than 64 members\n");
  EXPECT_EQ(decode_faults(attributes(4000)), "/attributes: has more than 64 members\n");

  std::string unknown = "\"x\":1";
  for (int i = 0; i < 4000; ++i) unknown += ",\"x" + std::to_string(i) + "\":1";
  RecordDecoder decoder;
  const auto record = decoder.decode(with(unknown));
  ASSERT_FALSE(record.ok());
  EXPECT_EQ(record.error().size(), kFaultsMax);
}

TEST(DecodeRecord, ADecoderIsAsNewAfterARefusal) {
  RecordDecoder decoder;
  const std::string good = with(R"("value":1,"attributes":{"a":"b"})");
  const auto first = decoder.decode(good);
  ASSERT_TRUE(first.ok());
  for (const char* bad : {"{", "{\"source\":\"a\",\"attributes\":{\"x\":", "[[[[[[[[[[", "\xff"}) {
    EXPECT_FALSE(decoder.decode(bad).ok());
    const auto again = decoder.decode(good);
    ASSERT_TRUE(again.ok()) << bad << to_json(again.error());
    EXPECT_EQ(canonical_content(*again), canonical_content(*first));
  }
}

TEST(DecodeRecord, P10_EveryPrefixAndEveryChangedByteIsHandled) {
  const std::string good = with(R"("value":34.0,"unit":"U/L","range":{"low":6,"high":34},
    "effective":"2014-01-16T13:17","attributes":{"a":"\u00e9\\"},"amends":12,"reason":"x")");
  RecordDecoder decoder;
  ASSERT_TRUE(decoder.decode(good).ok());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decoder.decode(std::string_view(good).substr(0, size)).ok()) << size;
  }
  // Other bytes may make another record; what must hold is that it can be read again.
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'"', '\\', '{', '}', ',', ':', ' ', '0', '\0', '\xff'}) {
      std::string changed = good;
      changed[at] = byte;
      const auto record = decoder.decode(changed);
      if (!record.ok()) {
        EXPECT_FALSE(record.error().empty());
        continue;
      }
      const auto again = decoder.decode(record->original);
      ASSERT_TRUE(again.ok());
      EXPECT_EQ(canonical_content(*again), canonical_content(*record));
    }
  }
}

}  // namespace
}  // namespace trialward::model
