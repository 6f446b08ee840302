#include "delivery/message.h"

#include <gtest/gtest.h>

namespace trialward::delivery {
namespace {

using base::OutboundAnswer;
using base::OutboundFailure;

store::DeliveryContent content() {
  store::DeliveryContent content{.event = 9, .study = "demo"};
  content.alert_event = {.number = 7,
                         .type = model::AlertEventType::raised,
                         .at_ms = 1'700'000'000'000,
                         .actor = "monitor",
                         .causes = {{.id = 3, .source = "lab", .source_id = "A-1"}},
                         .alert = 5,
                         .subject = "SUBJ-1",
                         .site = "S01",
                         .rule = "alt-3xuln",
                         .title = "ALT at 3 x ULN or more",
                         .severity = "critical"};
  return content;
}

// The contract with receivers: a change here is a change of its number, and of docs/delivery.md.
TEST(MessageTest, TheBodyIsAsPromised) {
  EXPECT_EQ(webhook_body("k", "desk", content()),
            R"({"contract":"trialward.alert-event/1","id":"k","target":"desk","study":"demo",)"
            R"("event":{"number":7,"type":"raised","at":"2023-11-14T22:13:20.000Z",)"
            R"("actor":"monitor","alert":5,"rule":"alt-3xuln","title":"ALT at 3 x ULN or more",)"
            R"("severity":"critical","subject":"SUBJ-1","site":"S01",)"
            R"("records":[{"id":3,"source":"lab","source_id":"A-1"}]}})");
}

TEST(MessageTest, TheKeyIsOfStoreEventAndTarget) {
  const std::string key = idempotency_key("store", 9, 1000, "desk");
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(key, idempotency_key("store", 9, 1000, "desk"));
  EXPECT_NE(key, idempotency_key("other", 9, 1000, "desk"));
  EXPECT_NE(key, idempotency_key("store", 10, 1000, "desk"));
  EXPECT_NE(key, idempotency_key("store", 9, 1001, "desk")) << "of a store that was restored";
  EXPECT_NE(key, idempotency_key("store", 9, 1000, "other"));
}

// By `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac SECRET`.
TEST(MessageTest, TheSignatureIsThatOfEachSecret) {
  EXPECT_EQ(signature({"0123456789abcdef", "fedcba9876543210"}, 1'700'000'000'999, R"({"a":1})"),
            "t=1700000000,"
            "v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23,"
            "v1=b32c46cc98bca64571d8fd1f15c9c2c492dd6883b977ebc5c859dd995d9d12ea");
}

TEST(MessageTest, ARequestHasWhatAReceiverNeeds) {
  Target target{.name = "desk", .url = "https://d/", .secrets = {"0123456789abcdef"}};
  target.timeout = std::chrono::seconds(3);
  const base::OutboundRequest request = webhook(target, "k", content(), 4, 1'700'000'000'000);
  EXPECT_EQ(request.method, "POST");
  ASSERT_EQ(request.headers.size(), 5u);
  EXPECT_EQ(request.headers[0].second, "application/json");
  EXPECT_EQ(request.headers[1].first + ": " + request.headers[1].second, "Idempotency-Key: k");
  EXPECT_EQ(request.headers[2].first + ": " + request.headers[2].second,
            "Trialward-Event: alert.raised");
  EXPECT_EQ(request.headers[3].first + ": " + request.headers[3].second, "Trialward-Attempt: 4");
  EXPECT_EQ(request.headers[4].second,
            signature(target.secrets, 1'700'000'000'000, request.body));
  EXPECT_EQ(request.deadlines.total, std::chrono::seconds(3));
  EXPECT_EQ(request.deadlines.connect, std::chrono::seconds(3));
}

TEST(MessageTest, AMailTellsPeople) {
  store::DeliveryContent told = content();
  told.alert_event.title = "High\r\nBcc: everyone@example.org";
  const base::OutboundMail mail = email({.name = "desk"}, "k", told);
  EXPECT_EQ(mail.id, "k");
  EXPECT_EQ(mail.subject.find('\n'), std::string::npos);
  EXPECT_NE(mail.text.find("subject    SUBJ-1"), std::string::npos);
  EXPECT_NE(mail.text.find("record     lab A-1"), std::string::npos);
}

TEST(MessageTest, AnswersMeanWhatIsStated) {
  struct Case {
    TargetKind kind;
    int status;
    OutboundFailure failure;
    Verdict verdict;
    Reading::Health health;
  };
  using enum OutboundFailure;
  using Health = Reading::Health;
  constexpr auto kHook = TargetKind::webhook;
  constexpr auto kMail = TargetKind::email;
  const Case cases[] = {
      {kHook, 200, none, Verdict::delivered, Health::well},
      {kHook, 204, none, Verdict::delivered, Health::well},
      {kHook, 202, too_large, Verdict::delivered, Health::well},
      // It has said that it took the event: what became of the body does not matter.
      {kHook, 200, broken, Verdict::delivered, Health::well},
      {kHook, 200, stalled, Verdict::delivered, Health::well},
      {kHook, 201, deadline, Verdict::delivered, Health::well},
      {kHook, 200, cancelled, Verdict::delivered, Health::well},
      {kHook, 404, broken, Verdict::failed, Health::ill},
      {kHook, 100, broken, Verdict::failed, Health::ill},
      {kHook, 302, none, Verdict::failed, Health::ill},
      {kHook, 400, none, Verdict::refused, Health::well},
      {kHook, 401, none, Verdict::refused, Health::well},
      {kHook, 404, none, Verdict::refused, Health::well},
      {kHook, 408, none, Verdict::failed, Health::ill},
      {kHook, 410, none, Verdict::refused, Health::well},
      {kHook, 425, none, Verdict::failed, Health::ill},
      {kHook, 429, none, Verdict::failed, Health::ill},
      {kHook, 499, none, Verdict::refused, Health::well},
      {kHook, 500, none, Verdict::failed, Health::ill},
      {kHook, 503, none, Verdict::failed, Health::ill},
      {kHook, 0, deadline, Verdict::failed, Health::ill},
      {kHook, 0, tls, Verdict::failed, Health::ill},
      {kHook, 0, too_large, Verdict::failed, Health::ill},
      {kHook, 0, cancelled, Verdict::failed, Health::unknown},
      {kMail, 250, none, Verdict::delivered, Health::well},
      {kMail, 550, broken, Verdict::refused, Health::well},
      {kMail, 554, connect, Verdict::failed, Health::ill},
      {kMail, 451, broken, Verdict::failed, Health::ill},
      {kMail, 535, login, Verdict::failed, Health::ill},
      {kMail, 250, tls, Verdict::failed, Health::ill},
      {kMail, 0, deadline, Verdict::failed, Health::ill},
  };
  for (const Case& one : cases) {
    OutboundAnswer answer;
    answer.status = one.status;
    answer.failure = one.failure;
    const Reading reading = read_answer(one.kind, answer);
    const std::string name = std::to_string(one.status) + " " + std::string(to_string(one.failure));
    EXPECT_EQ(reading.verdict, one.verdict) << name;
    EXPECT_EQ(reading.health, one.health) << name;
    EXPECT_EQ(reading.error.empty(), one.verdict == Verdict::delivered) << name;
  }
}

TEST(MessageTest, RetryAfterIsReadAndBounded) {
  struct Case {
    const char* value;
    int seconds;
  };
  const Case cases[] = {{"7", 7},   {"0", 0},  {"-1", 0},     {"999999", 3600},
                        {"soon", 0}, {"7x", 0}, {"Wed, 21 Oct 2015 07:28:00 GMT", 0}};
  for (const Case& one : cases) {
    OutboundAnswer answer;
    answer.status = 503;
    answer.headers = {{"RETRY-AFTER", one.value}};
    EXPECT_EQ(read_answer(TargetKind::webhook, answer).retry_after,
              std::chrono::seconds(one.seconds))
        << one.value;
  }
}

}  // namespace
}  // namespace trialward::delivery
