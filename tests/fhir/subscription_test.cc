#include "fhir/subscription.h"

#include <gtest/gtest.h>

#include "fhir/subscription_notice.h"

namespace trialward::fhir {
namespace {

const std::string kBase = std::string(kBackport);

// A Subscription with what a test puts into it: `root` and `channel` are further members.
std::string json_of(const std::string& root = "", const std::string& channel = "",
                    const std::string& payload = "id-only") {
  return R"({"resourceType":"Subscription","status":"requested","reason":"r","criteria":")" +
         std::string(kAlertTopic) + "\"" + root +
         R"(,"channel":{"type":"rest-hook","endpoint":"https://d.example/h",)" +
         R"("payload":"application/fhir+json","_payload":{"extension":[{"url":")" + kBase +
         R"(backport-payload-content","valueCode":")" + payload + "\"}]}" + channel + "}}";
}

std::string filters(const std::vector<std::string>& criteria) {
  std::string list;
  for (const std::string& one : criteria) {
    list += (list.empty() ? "" : ",") + (R"({"url":")" + kBase) +
            R"(backport-filter-criteria","valueString":")" + one + "\"}";
  }
  return R"(,"_criteria":{"extension":[)" + list + "]}";
}

std::string wish(const std::string& name, const std::string& value) {
  return R"(,"extension":[{"url":")" + kBase + name + "\"," + value + "}]";
}

// "code path" of each fault; "" for none.
std::string faults(const std::string& json) {
  SubscriptionReader reader;
  const auto read = reader.read(json);
  std::string all;
  if (read) return all;
  for (const model::Issue& issue : read.error()) {
    all += (all.empty() ? "" : ", ") + issue.code + " " + issue.path;
  }
  return all;
}

TEST(SubscriptionTest, IsReadAndWrittenAgain) {
  SubscriptionReader reader;
  const std::string json = json_of(
      R"(,"id":"7","end":"2030-01-02T03:04:05Z","contact":[{"system":"email","value":"a@b"}])" +
          filters({"DetectedIssue?severity=high,low&patient=Patient/A%20b,B", "code=urn:x|r1"}),
      R"(,"header":["Authorization: Bearer x","X-A:b"],"extension":[{"url":")" + kBase +
          R"(backport-timeout","valueUnsignedInt":9},{"url":")" + kBase +
          R"(backport-heartbeat-period","valueUnsignedInt":60},{"url":")" + kBase +
          R"(backport-max-count","valuePositiveInt":3}])",
      "full-resource");
  const auto read = reader.read(json, "7");
  ASSERT_TRUE(read.ok()) << read.error().front().words << " " << read.error().front().path;
  EXPECT_EQ(read->severities, (std::vector<std::string>{"critical", "info"}));
  EXPECT_EQ(read->subjects, (std::vector<std::string>{"A b", "B"}));
  EXPECT_EQ(read->rules, std::vector<std::string>{"r1"});
  EXPECT_EQ(read->end_ms, 1893553445000);
  EXPECT_EQ(read->content, PayloadContent::full_resource);
  EXPECT_EQ(read->heartbeat_s, 60u);
  EXPECT_EQ(read->timeout_s, 9u);
  EXPECT_EQ(read->events_max, 3u);
  ASSERT_EQ(read->headers.size(), 2u);
  EXPECT_EQ(read->headers[0].second, "Bearer x");
  EXPECT_EQ(read->headers[1], (std::pair<std::string, std::string>{"X-A", "b"}));

  const std::string written = write_subscription(
      *read, {.id = "7", .status = "error", .error = "no", .version = 2, .updated_ms = 0});
  EXPECT_EQ(written.find("Bearer"), std::string::npos) << "no secret is shown";
  EXPECT_NE(written.find(R"("versionId":"2")"), std::string::npos);
  EXPECT_NE(written.find(R"("status":"error")"), std::string::npos);
  EXPECT_NE(written.find(R"("contact":[{"system":"email","value":"a@b"}])"), std::string::npos);
  // What a server has written it reads as the same.
  const auto again = reader.read(written, "7");
  ASSERT_TRUE(again.ok()) << again.error().front().path;
  EXPECT_EQ(again->headers[0].second, kHiddenValue);
  EXPECT_EQ(
      write_subscription(
          *again, {.id = "7", .status = "error", .error = "no", .version = 2, .updated_ms = 0}),
      written);
}

TEST(SubscriptionTest, WhatWouldNotBeAsMeantIsRefused) {
  const std::string path = "Subscription.criteria.extension[0].value";
  const struct {
    std::string json, expected;
  } kCases[] = {
      {json_of(), ""},
      {"{}", "typeNotSupported Subscription"},
      {json_of(R"(,"modifierExtension":[])"),
       "unknownElement Subscription, modifierExtension Subscription"},
      {json_of(R"(,"end":"2030")"), "invalidValue Subscription.end"},
      {json_of(filters({"Observation?severity=high"})), "notSupported " + path},
      {json_of(filters({"DetectedIssue?"})), "notSupported " + path},
      {json_of(filters({"DetectedIssue?status=final"})), "notSupported " + path},
      {json_of(filters({"DetectedIssue?severity:not=high"})), "notSupported " + path},
      {json_of(filters({"DetectedIssue?severity=urgent"})), "invalidValue " + path},
      {json_of(filters({"DetectedIssue?severity="})), "invalidValue " + path},
      {json_of(filters({"patient=https://t.example/fhir/Patient/A"})), "invalidValue " + path},
      {json_of(filters({"patient=Group/A"})), "invalidValue " + path},
      {json_of(filters({"patient=urn:x|A"})), "invalidValue " + path},
      {json_of(filters({"DetectedIssue?code=a%4"})), "invalidValue " + path},
      {json_of(filters({"code=a", "code=b"})),
       "notSupported Subscription.criteria.extension[1].value"},
      {json_of("", wish("backport-max-count", R"("valuePositiveInt":101)")),
       "invalidValue Subscription.channel.extension[0].value"},
      {json_of("", wish("backport-heartbeat-period", R"("valueUnsignedInt":4)")),
       "invalidValue Subscription.channel.extension[0].value"},
      {json_of("", wish("backport-heartbeat-period", R"("valueUnsignedInt":86401)")),
       "invalidValue Subscription.channel.extension[0].value"},
      {json_of("", wish("backport-timeout", R"("valueUnsignedInt":301)")),
       "invalidValue Subscription.channel.extension[0].value"},
      {json_of("", wish("backport-other", R"("valueCode":"x")")),
       "notSupported Subscription.channel.extension[0]"},
      {json_of("", R"(,"header":["no header"])"), "invalidValue Subscription.channel.header[0]"},
      {json_of("", R"(,"header":["A\u0000: b"])"), "invalidValue Subscription.channel.header[0]"},
      {json_of("", R"(,"header":["A: b\nC: d"])"), "invalidValue Subscription.channel.header[0]"},
      {json_of("", R"(,"header":["Content-Length: 1"])"),
       "notSupported Subscription.channel.header[0]"},
      {json_of("", R"(,"header":["X-Original-URL: /admin", "x-rewrite-url: /admin"])"),
       "notSupported Subscription.channel.header[0], notSupported Subscription.channel.header[1]"},
      {json_of("", R"(,"header":["X-HTTP-Method-Override: PUT", "Forwarded: for=x"])"),
       "notSupported Subscription.channel.header[0], notSupported Subscription.channel.header[1]"},
      {json_of("", R"(,"header":["X-Forwarded-Host: x", "Proxy-Authorization: x"])"),
       "notSupported Subscription.channel.header[0], notSupported Subscription.channel.header[1]"},
      {json_of("", "", "everything"),
       "invalidValue Subscription.channel.payload.extension[0].value"},
  };
  for (const auto& one : kCases) EXPECT_EQ(faults(one.json), one.expected) << one.json;
}

TEST(SubscriptionTest, AReferenceMayBeginWithThisServersBase) {
  SubscriptionReader reader;
  const std::string base = "https://t.example/fhir";
  const auto read = reader.read(json_of(filters({"patient=" + base + "/Patient/A"})), "", base);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->subjects, std::vector<std::string>{"A"});
  for (const char* other : {"https://t.example/fhir2/Patient/A", "https://t.example/fhir/A",
                            "https://t.example/fhir/Group/A"}) {
    EXPECT_FALSE(reader.read(json_of(filters({"patient=" + std::string(other)})), "", base).ok())
        << other;
  }
}

TEST(SubscriptionTest, ItIsBounded) {
  std::vector<std::string> many(kFiltersMax + 1, "severity=high");
  EXPECT_NE(faults(json_of(filters(many))).find("tooMany Subscription.criteria"),
            std::string::npos);
  std::string values = "code=a";
  for (std::size_t i = 1; i < kFilterValuesMax; ++i) values += ",a";
  EXPECT_EQ(faults(json_of(filters({values}))), "");
  EXPECT_EQ(faults(json_of(filters({values + ",a"}))), "tooMany Subscription.criteria");
  std::string headers;
  for (std::size_t i = 0; i < kChannelHeadersMax; ++i) headers += R"("A: b",)";
  const auto with = [](const std::string& list) {
    return json_of("", ",\"header\":[" + list + "]");
  };
  EXPECT_EQ(faults(with(headers.substr(0, headers.size() - 1))), "");
  EXPECT_EQ(faults(with(headers + R"("A: b")")), "tooMany Subscription.channel.header");
  const std::string fits = "A: " + std::string(kHeaderBytesMax - 3, 'x');
  EXPECT_EQ(faults(with("\"" + fits + "\"")), "");
  EXPECT_EQ(faults(with("\"" + fits + "x\"")), "tooLong Subscription.channel.header");
  // What is kept of it, with its value hidden, can be read again.
  const std::string name(kHeaderBytesMax - 10, 'n');
  EXPECT_EQ(faults(with("\"" + name + ": \"")), "");
  EXPECT_EQ(faults(with("\"" + name + "n:\"")), "tooLong Subscription.channel.header");
  EXPECT_EQ(faults(json_of(R"(,"end":"9999-12-31T23:59:59-12:00")")),
            "invalidValue Subscription.end");
}

TEST(SubscriptionNoticeTest, HasTheFormOfTheGuide) {
  Notice notice{.type = NoticeType::event_notification,
                .base = "https://t.example/fhir",
                .subscription = 7,
                .status = "active",
                .total = 2,
                .content = PayloadContent::id_only,
                .events = {{.number = 1, .at_ms = 0, .alert = 4, .raised = true},
                           {.number = 2, .at_ms = 1000, .alert = 4}}};
  const std::string id_only = notification_bundle(notice);
  EXPECT_NE(id_only.find(
                R"({"name":"notification-event","part":[{"name":"event-number","valueString":"2"},)"
                R"({"name":"timestamp","valueInstant":"1970-01-01T00:00:01.000Z"},)"
                R"({"name":"focus","valueReference":{"reference":)"
                R"("https://t.example/fhir/DetectedIssue/4"}}]})"),
            std::string::npos)
      << id_only;
  EXPECT_NE(id_only.find(R"({"fullUrl":"https://t.example/fhir/DetectedIssue/4","request":)"
                         R"({"method":"POST","url":"DetectedIssue"},"response":{"status":"201"}})"),
            std::string::npos)
      << id_only;
  EXPECT_NE(id_only.find(R"({"name":"events-since-subscription-start","valueString":"2"})"),
            std::string::npos);
  notice.content = PayloadContent::empty;
  EXPECT_EQ(notification_bundle(notice).find("DetectedIssue"), std::string::npos);
}

}  // namespace
}  // namespace trialward::fhir
