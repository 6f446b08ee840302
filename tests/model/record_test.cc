#include "model/record.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "model/decode_record.h"

namespace trialward::model {
namespace {

Record decoded(std::string_view json) {
  RecordDecoder decoder;
  auto record = decoder.decode(json);
  EXPECT_TRUE(record.ok()) << json << "\n" << to_json(record.error());
  return record.ok() ? std::move(record).value() : Record{};
}

// A record with every member that a lab value can have.
constexpr const char* kLab = R"({"source":"lab-feed","source_id":"A-1","subject":"01-701-1015",
  "site":"701","kind":"lab","code":"ALT","system":"urn:x","value":34.0,"text":"fasting",
  "unit":"U/L","range":{"low":6,"high":34.50},"effective":"2014-01-16T13:17",
  "device_time":"2014-01-16T18:17:05Z","sent_time":"2014-01-16T18:17:06.5Z","author":"analyser 7",
  "visit":"WEEK 2","baseline":true,"attributes":{"method":"IFCC","arm":"Placebo"},
  "amends":12,"reason":"typing error"})";

StoredRecord stored(std::string_view json) {
  StoredRecord record;
  record.id = 34;
  record.record = decoded(json);
  record.interval = Interval{1389896220000, 1389896280000};
  record.received_ms = 1389896300000;
  record.actor = "token-5";
  record.version = 2;
  record.definition = 3;
  record.shard = 17;
  record.position = 99;
  return record;
}

TEST(Record, KindsHaveNamesAndAreFoundByThem) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>(i);
    names.insert(to_string(kind));
    EXPECT_EQ(parse_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(names.size(), kKinds);
  EXPECT_EQ(to_string(Kind::adverse_event), "adverse_event");
  EXPECT_EQ(to_string(Kind::disposition), "disposition");
  EXPECT_EQ(parse_kind("Lab"), std::nullopt);
  EXPECT_EQ(parse_kind(""), std::nullopt);
}

TEST(Record, TheReferenceFlagFollowsFromNumberAndRange) {
  const struct {
    std::optional<double> number, low, high;
    const char* flag;
  } cases[] = {
      {5.9, 6, 34, "LOW"},
      {6, 6, 34, "NORMAL"},
      {34, 6, 34, "NORMAL"},
      {34.1, 6, 34, "HIGH"},
      {1, std::nullopt, 34, "NORMAL"},
      {35, std::nullopt, 34, "HIGH"},
      {5, 6, std::nullopt, "LOW"},
      {5, std::nullopt, std::nullopt, ""},
      {std::nullopt, 6, 34, ""},
  };
  for (const auto& [number, low, high, flag] : cases) {
    Value value;
    value.number = number;
    Range range;
    range.low = low;
    range.high = high;
    EXPECT_EQ(reference_flag(value, range), flag) << number.value_or(-1);
  }
}

TEST(Record, AttributesAreFoundByName) {
  Record record;
  record.attributes = {{"arm", "A"}, {"method", ""}, {"site_note", "x"}};
  ASSERT_NE(record.attribute("method"), nullptr);
  EXPECT_EQ(*record.attribute("arm"), "A");
  EXPECT_EQ(record.attribute("armx"), nullptr);
  EXPECT_EQ(record.attribute(""), nullptr);
  EXPECT_EQ(record.attribute("zzz"), nullptr);
}

TEST(Record, SendingsThatMeanTheSameHaveTheSameContent) {
  const std::string content = canonical_content(decoded(kLab));
  for (const char* same : {
           R"({"subject":"01-701-1015","source_id":"A-1","source":"lab-feed","kind":"lab",
            "site":"701","code":"\u0041LT","system":"urn:x","value":3.40e1,"text":"fasting",
            "unit":"U\/L","range":{"high":34.5,"low":6.0},"effective":"2014-01-16T13:17",
            "device_time":"2014-01-16T19:17:05+01:00","sent_time":"2014-01-16T18:17:06.500Z",
            "author":"analyser 7","visit":"WEEK 2","baseline":true,
            "attributes":{"arm":"Placebo","method":"IFCC"},"amends":12,"reason":"typing error"})",
       }) {
    EXPECT_EQ(canonical_content(decoded(same)), content);
  }
}

// A retry is stamped anew.
TEST(Record, P2TheTimeOfTheTransferIsNoContent) {
  const std::string content = canonical_content(decoded(kLab));
  Record record = decoded(kLab);
  *record.sent_ms += 60'000;
  EXPECT_EQ(canonical_content(record), content);
  record.sent_ms.reset();
  EXPECT_EQ(canonical_content(record), content);
}

TEST(Record, ZeroHasNoSignInTheContent) {
  Record plus, minus;
  plus.value.number = 0.0;
  minus.value.number = -0.0;
  EXPECT_EQ(canonical_content(plus), canonical_content(minus));
}

TEST(Record, EveryMemberIsPartOfTheContent) {
  using Change = std::function<void(Record&)>;
  const std::pair<const char*, Change> changes[] = {
      {"source", [](Record& r) { r.source += "x"; }},
      {"source_id", [](Record& r) { r.source_id += "x"; }},
      {"subject", [](Record& r) { r.subject += "x"; }},
      {"site", [](Record& r) { r.site.clear(); }},
      {"kind", [](Record& r) { r.kind = Kind::vital; }},
      {"code", [](Record& r) { r.code += "x"; }},
      {"system", [](Record& r) { r.system.clear(); }},
      {"number", [](Record& r) { r.value.number = 34.1; }},
      {"no number", [](Record& r) { r.value.number.reset(); }},
      {"text", [](Record& r) { r.value.text += "x"; }},
      {"not_done", [](Record& r) { r.value.not_done = "x"; }},
      {"unit", [](Record& r) { r.unit.clear(); }},
      {"low", [](Record& r) { r.range.low = 7; }},
      {"no high", [](Record& r) { r.range.high.reset(); }},
      {"effective", [](Record& r) { r.effective += ":00"; }},
      {"device_time", [](Record& r) { r.device_ms = 1; }},
      {"author", [](Record& r) { r.author += "x"; }},
      {"visit", [](Record& r) { r.visit += "x"; }},
      {"baseline", [](Record& r) { r.baseline = false; }},
      {"serious", [](Record& r) { r.serious = true; }},
      {"not serious", [](Record& r) { r.serious = false; }},
      {"severity", [](Record& r) { r.severity = "MILD"; }},
      {"attribute", [](Record& r) { r.attributes[0].second += "x"; }},
      {"attribute's name", [](Record& r) { r.attributes[1].first += "x"; }},
      {"no attributes", [](Record& r) { r.attributes.clear(); }},
      {"amends", [](Record& r) { r.amends = 13; }},
      {"reason", [](Record& r) { r.reason += "x"; }},
      // Texts that would be the same when simply written one after the other.
      {"shifted", [](Record& r) { r.source = "lab-fee", r.source_id = "dA-1"; }},
      {"quoted", [](Record& r) { r.code = "ALT\",\"system\":\"urn:x"; }},
  };
  std::set<std::string> contents = {canonical_content(decoded(kLab))};
  for (const auto& [name, change] : changes) {
    Record record = decoded(kLab);
    change(record);
    EXPECT_TRUE(contents.insert(canonical_content(record)).second) << name;
  }
  Record record = decoded(kLab);
  record.original = "something else";
  record.value.number_text = "34";
  EXPECT_FALSE(contents.insert(canonical_content(record)).second);
}

TEST(Record, IsWrittenForReaders) {
  EXPECT_EQ(
      to_json(stored(kLab), true),
      R"({"id":34,"source":"lab-feed","source_id":"A-1","subject":"01-701-1015","site":"701",)"
      R"("kind":"lab","code":"ALT","system":"urn:x","value":34.0,"text":"fasting","unit":"U/L",)"
      R"("range":{"low":6,"high":34.50},"flag":"NORMAL",)"
      R"("attributes":{"arm":"Placebo","method":"IFCC"},"reason":"typing error",)"
      R"("effective":"2014-01-16T13:17","effective_utc":{"from":"2014-01-16T18:17:00.000Z",)"
      R"("until":"2014-01-16T18:18:00.000Z"},"device_time":"2014-01-16T18:17:05.000Z",)"
      R"("sent_time":"2014-01-16T18:17:06.500Z","received":"2014-01-16T18:18:20.000Z",)"
      R"("author":"analyser 7","visit":"WEEK 2","baseline":true,"actor":"token-5","version":2,)"
      R"("amends":12,"definition":3,"shard":17,"position":99})");
}

TEST(Record, NamesWhatReplacedIt) {
  StoredRecord record = stored(kLab);
  record.amended_by = 40;
  EXPECT_NE(to_json(record, false).find(R"("amends":12,"amended_by":40,"definition")"),
            std::string::npos);
}

TEST(Record, WhatIsAbsentIsLeftOut) {
  StoredRecord record;
  record.record = decoded(R"({"source":"s","source_id":"1","subject":"x","kind":"adverse_event",
    "code":"HEADACHE","serious":false,"severity":"MILD"})");
  record.flags = kImplausible;
  EXPECT_EQ(to_json(record, true),
            R"({"id":0,"source":"s","source_id":"1","subject":"x","kind":"adverse_event",)"
            R"("code":"HEADACHE","value":null,"implausible":true,"serious":false,)"
            R"("severity":"MILD","received":"1970-01-01T00:00:00.000Z","version":1,)"
            R"("definition":0,"shard":0,"position":0})");
}

TEST(Record, ValuesAreWrittenAsTheyWereSent) {
  const struct {
    const char* members;
    const char* written;
  } cases[] = {
      {R"("value":"<0.2")", R"("value":"<0.2")"},
      {R"("value":1.50E+3)", R"("value":1.50E+3)"},
      {R"("value":-0)", R"("value":-0)"},
      {R"("value":null)", R"("value":null)"},
      {R"("not_done":"refused")", R"("not_done":"refused")"},
  };
  for (const auto& [members, written] : cases) {
    StoredRecord record;
    record.record = decoded(std::string(R"({"source":"s","source_id":"1","subject":"x","kind":"lab",
      "code":"ALT",)") + members +
                            "}");
    const std::string json = to_json(record, true);
    EXPECT_NE(json.find(std::string(R"("code":"ALT",)") + written + R"(,"received")"),
              std::string::npos)
        << json;
  }
}

TEST(Record, TellsWhereItsNumberLiesAlsoByTheStudysRange) {
  const struct {
    const char* range;
    std::uint16_t flags;
    const char* written;
  } cases[] = {
      {"", 0, R"("unit":"g","received")"},
      {"", kStudyRange, R"("unit":"g","flag":"NORMAL","range_from":"study",)"},
      {"", kStudyRange | kBelowRange, R"("unit":"g","flag":"LOW","range_from":"study",)"},
      {"", kStudyRange | kAboveRange | kImplausible,
       R"("unit":"g","flag":"HIGH","range_from":"study","implausible":true)"},
      {R"("range":{"low":1},)", kStudyRange | kAboveRange,
       R"("range":{"low":1},"flag":"HIGH","range_from":"record and study",)"},
      {R"("range":{"low":9,"high":3},)", kLowUnusable | kHighUnusable,
       R"("range":{"low":9,"high":3},"unusable":["/range/low","/range/high"],"received")"},
      {R"("range":{"low":9,"high":3},)", kLowUnusable | kHighUnusable | kStudyRange,
       R"("flag":"NORMAL","range_from":"study","unusable":["/range/low","/range/high"],)"},
      {R"("range":{"low":1,"high":3},)", kLowUnusable,
       R"("flag":"HIGH","unusable":["/range/low"],)"},
      {R"("range":{"low":1,"high":3},)", 0,
       R"("range":{"low":1,"high":3},"flag":"HIGH","received")"},
  };
  for (const auto& [range, flags, written] : cases) {
    StoredRecord record;
    record.record = decoded(R"({"source":"s","source_id":"1","subject":"x","kind":"lab",
      "code":"ALT","value":5,)" + std::string(range) + R"("unit":"g"})");
    record.flags = flags;
    const std::string json = to_json(record, true);
    EXPECT_NE(json.find(written), std::string::npos) << json;
  }
}

TEST(Record, NumbersThatJsonCannotSpellAreWrittenAnew) {
  for (const char* spelled : {"+5", "005", ".5e1", "5.", "5 ", "", "five", "5e", "5,0"}) {
    StoredRecord record;
    record.record.value.number = 5;
    record.record.value.number_text = spelled;
    EXPECT_NE(to_json(record, true).find(R"("value":5,)"), std::string::npos) << spelled;
  }
}

TEST(Record, BlindedReadersDoNotSeeTheArm) {
  const std::string json = to_json(stored(kLab), false);
  EXPECT_EQ(json.find("Placebo"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("attributes":{"method":"IFCC"})"), std::string::npos) << json;
  EXPECT_EQ(json.find("typing error"), std::string::npos) << "the reason may tell it, too";
  StoredRecord record;
  for (const auto name : kBlindedAttributes) record.record.attributes.emplace_back(name, "Placebo");
  EXPECT_EQ(to_json(record, false).find("attributes"), std::string::npos);
}

TEST(Record, BlindedReadersSeeOfAnExposureItsPlaceAndTimeOnly) {
  const char* exposure = R"({"source":"s","source_id":"1","subject":"x","site":"701",
    "kind":"exposure","code":"DEMOVIR","system":"urn:drugs","value":10,"text":"tablet","unit":"mg",
    "range":{"low":1,"high":9},"effective":"2014-01-16T13:17","attributes":{"dose":"ten"},
    "visit":"WEEK 2","amends":12,"reason":"was placebo"})";
  StoredRecord record = stored(exposure);
  record.flags = kImplausible;
  EXPECT_EQ(to_json(record, false),
            R"({"id":34,"source":"s","source_id":"1","subject":"x","site":"701",)"
            R"("kind":"exposure","effective":"2014-01-16T13:17",)"
            R"("effective_utc":{"from":"2014-01-16T18:17:00.000Z",)"
            R"("until":"2014-01-16T18:18:00.000Z"},"received":"2014-01-16T18:18:20.000Z",)"
            R"("visit":"WEEK 2","actor":"token-5","version":2,"amends":12,"definition":3,)"
            R"("shard":17,"position":99})");
  EXPECT_NE(to_json(record, true).find("DEMOVIR"), std::string::npos);
}

TEST(Record, ShardsNeverChange) {
  // Stores depend on these: if one differs, the function is wrong, not the test.
  const struct {
    const char* study;
    const char* subject;
    int shard;
  } cases[] = {
      {"demo", "SUBJ-1", 114},      {"demo", "SUBJ-2", 95}, {"cdiscpilot01", "01-701-1015", 90},
      {"demo", "01-701-1015", 245}, {"", "", 210},
  };
  for (const auto& [study, subject, shard] : cases) {
    EXPECT_EQ(shard_of(study, subject), shard) << study << " " << subject;
  }
}

TEST(Record, ShardsAreUsedEvenly) {
  std::vector<int> counts(kShards);
  constexpr int kSubjects = 100 * kShards;
  for (int i = 0; i < kSubjects; ++i) {
    const int shard = shard_of("demo", "SUBJ-" + std::to_string(i));
    ASSERT_GE(shard, 0);
    ASSERT_LT(shard, kShards);
    ++counts[static_cast<std::size_t>(shard)];
  }
  // A fair choice stays within five standard deviations, 50 of 100, but once in 10,000 such tests.
  for (int count : counts) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 150);
  }
}

}  // namespace
}  // namespace trialward::model
