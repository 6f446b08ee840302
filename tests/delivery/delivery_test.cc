#include "delivery/delivery.h"

#include <set>

#include "tests/delivery/bench_delivery.h"

namespace trialward::delivery {
namespace {

using namespace std::chrono_literals;
using base::OutboundAnswer;
using base::OutboundFailure;

class DeliveryTest : public DeliveryBench {};

TEST_F(DeliveryTest, WhatIsTakenIsDelivered) {
  open();
  raise("P-1");
  run();
  ASSERT_EQ(out(), "P-1:1");
  EXPECT_EQ(outbound_.calls[0].request.url, "https://desk.example/hook");
  EXPECT_EQ(delivery_->report()[0].in_flight, 1u);
  outbound_.answer(0, 204);
  run();
  EXPECT_EQ(count("outbox WHERE state = 1 AND attempts = 1"), 1);
  EXPECT_EQ(count("delivery_outcomes WHERE outcome = 'delivered' AND target = 'desk'"), 1);
  EXPECT_EQ(count("audit WHERE action = 'delivery.delivered' AND actor = 'delivery'"), 1);
  EXPECT_EQ(outbound_.calls.size(), 0u);
  EXPECT_EQ(delivery_->report()[0].delivered, 1u);
}

// The first known sin of this field's servers.
TEST_F(DeliveryTest, NothingIsFireAndForget) {
  open();
  raise("P-1");
  run();
  // Sent, but not taken yet; the process ends here.
  EXPECT_EQ(count("outbox WHERE state = 0"), 1);
  open();
  ASSERT_EQ(out(), "P-1:1") << "it is sent again";
  outbound_.answer(0, 200);
  // The target has it, but that is not written down: the process ends here.
  ledger_->no_room = 1 << 30;
  open();
  ASSERT_EQ(out(), "P-1:1");
  const std::string key = outbound_.calls[0].request.headers[1].second;
  outbound_.answer(0, 200);
  run();
  EXPECT_EQ(count("outbox WHERE state = 1"), 1);
  open();
  EXPECT_EQ(out(), "");
  EXPECT_EQ(key.size(), 32u);
}

TEST_F(DeliveryTest, EveryAttemptHasTheSameKeyAndAFreshSignature) {
  open();
  raise("P-1");
  raise("P-2");
  run();
  std::map<std::string, std::set<std::string>> keys, signatures;
  for (int i = 0; i < 5; ++i) {
    while (!outbound_.calls.empty()) {
      const auto& request = outbound_.calls[0].request;
      const std::string subject = member(request.body, "\"subject\":\"", "\"");
      for (const auto& [name, value] : request.headers) {
        if (name == "Idempotency-Key") keys[subject].insert(value);
        if (name == "Trialward-Signature") signatures[subject].insert(value);
      }
      outbound_.answer(0, 500);
    }
    run(70s);
  }
  EXPECT_EQ(keys["P-1"].size(), 1u);
  EXPECT_EQ(keys["P-2"].size(), 1u);
  EXPECT_NE(keys["P-1"], keys["P-2"]);
  EXPECT_GE(signatures["P-1"].size(), 3u);
}

// The second: a target that is down over the weekend would miss its alerts.
TEST_F(DeliveryTest, ARetryNeverGivesUp) {
  open();
  raise("P-1");
  run();
  int attempts = 0;
  base::Duration longest{};
  base::TimePoint last = clock_.now();
  const base::TimePoint week = clock_.now() + std::chrono::hours(24 * 7);
  while (clock_.now() < week) {
    if (!outbound_.calls.empty()) {
      ++attempts;
      longest = std::max(longest, clock_.now() - last);
      last = clock_.now();
      outbound_.answer(0, 503);
      run();
    }
    run(10s);
  }
  // Capped: about one in a minute, and one that follows the breaker's pause as well.
  EXPECT_LE(longest, 100s);
  EXPECT_GE(attempts, 7 * 24 * 60 * 60 / 100);
  EXPECT_EQ(count("outbox WHERE state = 0"), 1);
  EXPECT_EQ(count("outbox_attempts"), store::kAttemptsKept) << "bounded";
  EXPECT_EQ(count("outbox WHERE attempts = " + std::to_string(attempts)), 1);
  while (outbound_.calls.empty()) run(10s);
  outbound_.answer(0, 200);
  run();
  EXPECT_EQ(count("outbox WHERE state = 1"), 1);
}

// The third: a full queue of requests, or of outcomes, takes nothing away.
TEST_F(DeliveryTest, NoEventIsDroppedOnASubmitFailure) {
  outbound_.refuse = base::Error{base::Errc::refused, "too many requests wait to be sent"};
  open();
  raise("P-1");
  for (int i = 0; i < 100; ++i) run(100ms);
  EXPECT_EQ(count("outbox WHERE state = 0 AND attempts = 0"), 1);
  EXPECT_EQ(delivery_->report()[0].breaker.failed, 0u) << "the target is not to blame";
  outbound_.refuse.reset();
  run(100ms);
  ASSERT_EQ(out(), "P-1:1");
  ledger_->no_room = 5;
  ledger_->failures = 3;
  outbound_.answer(0, 200);
  for (int i = 0; i < 20; ++i) run(500ms);
  EXPECT_EQ(ledger_->offered, 9);
  EXPECT_EQ(count("outbox WHERE state = 1"), 1);
  EXPECT_EQ(out(), "") << "and it is not sent again meanwhile";
}

TEST_F(DeliveryTest, ASubjectsEventsAreSentOneAfterTheOther) {
  open();
  raise("P-1");
  raise("P-1");
  raise("P-2");
  raise("P-1");
  run();
  EXPECT_EQ(out(), "P-1:1 P-2:3");
  outbound_.answer(0, 500);
  run();
  EXPECT_EQ(out(), "P-2:3") << "the second waits for the first, however that goes";
  run(2s);
  EXPECT_EQ(out(), "P-2:3 P-1:1");
  ledger_->held = true;
  outbound_.answer(1, 200);
  run();
  EXPECT_EQ(out(), "P-2:3") << "not before it is durable that the first was taken";
  ledger_->held = false;
  ledger_->let_go();
  run();
  EXPECT_EQ(out(), "P-2:3 P-1:2");
  outbound_.answer(1, 200);
  run();
  EXPECT_EQ(out(), "P-2:3 P-1:4");
}

TEST_F(DeliveryTest, RefusedForGoodIsADeadLetterThatAPersonResends) {
  open();
  raise("P-1");
  raise("P-1");
  run();
  outbound_.answer(0, 410);
  run();
  EXPECT_EQ(out(), "P-1:2") << "the subject's next event goes on";
  outbound_.answer(0, 200);
  run(1h);
  EXPECT_EQ(out(), "");
  EXPECT_EQ(delivery_->report()[0].dead, 1);
  EXPECT_EQ(count("delivery_outcomes WHERE outcome = 'dead'"), 1);
  store::Writer& writer = store_->writer();
  ASSERT_TRUE(writer.begin().ok());
  ASSERT_TRUE(store::change_delivery(writer, study_, "", 1, store::DeliveryChange::resend,
                                     {.actor = "anna", .reason = "the hook is mended"})
                  .ok());
  ASSERT_TRUE(writer.commit().ok());
  delivery_->resent(1);
  run();
  ASSERT_EQ(out(), "P-1:1");
  outbound_.answer(0, 200);
  run();
  EXPECT_EQ(count("outbox WHERE state = 1"), 2);
  EXPECT_EQ(count("audit WHERE action = 'delivery.resent' AND actor = 'anna' AND "
                  "reason = 'the hook is mended'"), 1);
}

TEST_F(DeliveryTest, WhatIsResentIsFoundAlsoWhenThereWasNoRoomForItsSubject) {
  options_.lane.subjects_max = 1;
  open();
  raise("P-1");
  run();
  outbound_.answer(0, 410);
  run();
  raise("P-2");
  raise("P-3");
  run();
  EXPECT_EQ(out(), "P-2:2");
  store::Writer& writer = store_->writer();
  ASSERT_TRUE(writer.begin().ok());
  ASSERT_TRUE(store::change_delivery(writer, study_, "", 1, store::DeliveryChange::resend,
                                     {.actor = "anna", .reason = "the hook is mended"})
                  .ok());
  ASSERT_TRUE(writer.commit().ok());
  delivery_->resent(1);
  delivery_->resent(77);  // there is none
  run();
  EXPECT_EQ(out(), "P-2:2");
  for (const char* next : {"P-1:1", "P-3:3", ""}) {
    outbound_.answer(0, 200);
    run();
    EXPECT_EQ(out(), next);
  }
  EXPECT_EQ(count("outbox WHERE state = 1"), 3);
}

TEST_F(DeliveryTest, WhatIsDiscardedIsNotSentAnyMore) {
  open();
  raise("P-1");
  raise("P-1");
  run();
  outbound_.answer(0, 500);
  run();
  store::Writer& writer = store_->writer();
  ASSERT_TRUE(writer.begin().ok());
  ASSERT_TRUE(store::change_delivery(writer, study_, "", 1, store::DeliveryChange::discard,
                                     {.actor = "anna", .reason = "told by telephone"})
                  .ok());
  ASSERT_TRUE(writer.commit().ok());
  run(2s);
  EXPECT_EQ(out(), "P-1:2");
}

TEST_F(DeliveryTest, ASlowTargetDelaysNoOther) {
  Target other = targets_.all[0];
  other.name = "other";
  other.url = "https://other.example/";
  targets_.all.push_back(other);
  open();
  for (int i = 0; i < 30; ++i) raise("P-" + std::to_string(i), {"desk", "other"});
  run();
  EXPECT_EQ(outbound_.calls.size(), 8u) << "four at once for each";
  // `desk` never answers.
  int taken = 0;
  for (int i = 0; i < 200; ++i) {
    for (std::size_t j = 0; j < outbound_.calls.size(); ++j) {
      if (outbound_.calls[j].request.url != other.url) continue;
      outbound_.answer(j, 200);
      ++taken;
      break;
    }
    run();
  }
  EXPECT_EQ(taken, 30);
  EXPECT_EQ(count("outbox WHERE state = 1 AND target = 'other'"), 30);
}

TEST_F(DeliveryTest, WhatIsInFlightIsBounded) {
  options_.in_flight_max = 3;
  Target other = targets_.all[0];
  other.name = "other";
  targets_.all.push_back(other);
  open();
  for (int i = 0; i < 10; ++i) raise("P-" + std::to_string(i), {"desk", "other"});
  run();
  EXPECT_EQ(outbound_.calls.size(), 3u);
}

TEST_F(DeliveryTest, TheBreakerSparesATargetThatIsDown) {
  open();
  for (int i = 0; i < 50; ++i) raise("P-" + std::to_string(i));
  run();
  int attempts = 0;
  for (int i = 0; i < 600; ++i) {
    while (!outbound_.calls.empty()) {
      outbound_.answer(0, 500);
      ++attempts;
    }
    run(100ms);
  }
  EXPECT_NE(delivery_->report()[0].breaker.state, runtime::BreakerState::closed);
  EXPECT_LE(attempts, 40) << "twenty open it; then it is probed, less and less often";
  // It is back: everything goes, and soon.
  int delivered = 0;
  for (int i = 0; i < 600 && delivered < 50; ++i) {
    while (!outbound_.calls.empty()) {
      outbound_.answer(0, 200);
      ++delivered;
      run();
    }
    run(100ms);
  }
  EXPECT_EQ(delivered, 50);
  EXPECT_EQ(count("outbox WHERE state = 1"), 50);
}

TEST_F(DeliveryTest, ATargetThatIsDownIsToldOnceAndOnceWhenItIsBack) {
  open();
  for (int i = 0; i < 50; ++i) raise("P-" + std::to_string(i));
  const auto answer_all = [this](int status) {
    for (int i = 0; i < 600; ++i) {
      while (!outbound_.calls.empty()) {
        outbound_.answer(0, status);
        run();
      }
      run(100ms);
    }
  };
  testing::internal::CaptureStderr();
  answer_all(503);
  std::string told = testing::internal::GetCapturedStderr();
  EXPECT_GT(delivery_->report()[0].breaker.opened, 1u);
  const std::string name = "delivery: '" + delivery_->report()[0].name + "' is ";
  const std::size_t warning = told.find("warning " + name + "not reached");
  ASSERT_NE(warning, std::string::npos) << told;
  EXPECT_NE(told.find("503", warning), std::string::npos) << "the reason: " << told;
  EXPECT_EQ(told.find(name), told.rfind(name)) << "once: " << told;
  EXPECT_EQ(told.find("reached again"), std::string::npos) << told;

  testing::internal::CaptureStderr();
  answer_all(200);
  told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("info    " + name + "reached again"), std::string::npos) << told;
  EXPECT_EQ(told.find("not reached"), std::string::npos) << told;
}

TEST_F(DeliveryTest, RetryAfterIsHonoured) {
  open();
  raise("P-1");
  run();
  OutboundAnswer answer;
  answer.status = 429;
  answer.headers = {{"retry-after", "120"}};
  outbound_.end(0, answer);
  run();
  for (int i = 0; i < 119; ++i) run(1s);
  EXPECT_EQ(out(), "");
  run(1s);
  EXPECT_EQ(out(), "P-1:1");
}

TEST_F(DeliveryTest, MemoryIsBoundedHoweverMuchWaits) {
  options_.lane.subjects_max = 10;
  options_.lane.page = 7;
  open();
  for (int i = 0; i < 200; ++i) raise("P-" + std::to_string(i % 40));
  std::map<std::string, std::int64_t> last;
  int delivered = 0;
  for (int i = 0; i < 500 && delivered < 200; ++i) {
    run();
    ASSERT_LE(delivery_->report()[0].subjects, 10u);
    while (!outbound_.calls.empty()) {
      const std::string body = outbound_.calls[0].request.body;
      std::int64_t& before = last[member(body, "\"subject\":\"", "\"")];
      const std::int64_t number = std::stoll(member(body, "\"number\":", ","));
      ASSERT_GT(number, before) << "a subject's events in their order";
      before = number;
      outbound_.answer(0, 200);
      ++delivered;
    }
  }
  EXPECT_EQ(delivered, 200);
  run();
  EXPECT_EQ(count("outbox WHERE state = 1"), 200);
}

TEST_F(DeliveryTest, StoppingTakesBackWhatIsOutAndWritesDownWhatWasTaken) {
  open();
  raise("P-1");
  raise("P-2");
  run();
  ASSERT_EQ(out(), "P-1:1 P-2:2");
  outbound_.answer(0, 200);
  delivery_->stop(base::Duration::zero());
  EXPECT_EQ(outbound_.calls.size(), 0u);
  EXPECT_EQ(count("outbox WHERE state = 1"), 1);
  EXPECT_EQ(count("outbox WHERE state = 0 AND attempts = 0"), 1);
  raise("P-3");
  EXPECT_FALSE(delivery_->run_once() && !outbound_.calls.empty());
}

TEST_F(DeliveryTest, WhatIsSettledIsCleanedUpAndStaysInHistory) {
  targets_.keep = std::chrono::hours(24);
  open();
  raise("P-1");
  run();
  outbound_.answer(0, 200);
  run();
  for (int i = 0; i < 23; ++i) run(1h);
  EXPECT_EQ(count("outbox"), 1);
  for (int i = 0; i < 2; ++i) run(1h);
  EXPECT_EQ(count("outbox"), 0);
  EXPECT_EQ(count("outbox_attempts"), 0);
  EXPECT_EQ(count("delivery_outcomes WHERE outcome <> 'queued'"), 1);
  EXPECT_EQ(count("alert_events"), 1);
}

TEST_F(DeliveryTest, RowsOfATargetThatIsNoneAreShown) {
  raise("P-1", {"desk", "gone"});
  open();
  clock_.advance(5s);
  run(20s);
  const auto report = delivery_->report();
  ASSERT_EQ(report.size(), 2u);
  EXPECT_EQ(report[1].name, "gone");
  EXPECT_FALSE(report[1].configured);
  EXPECT_EQ(report[1].pending, 1);
  EXPECT_EQ(report[1].oldest_pending, 25s);
}

TEST_F(DeliveryTest, WhatCannotBeWrittenAsAMessageIsForAPersonToSee) {
  open();
  raise("P-1");
  outbound_.refuse = base::Error{base::Errc::invalid, "the URL: nonsense"};
  run();
  run();
  EXPECT_EQ(count("outbox WHERE state = 2"), 1);
}

TEST_F(DeliveryTest, EmailGoesByMail) {
  Target& target = targets_.all[0];
  target.kind = TargetKind::email;
  target.url = "smtp://mail.example:587";
  target.from = "t@example.org";
  target.to = {"a@example.org"};
  open();
  raise("P-1");
  run();
  ASSERT_EQ(outbound_.calls.size(), 1u);
  ASSERT_TRUE(outbound_.calls[0].mail.has_value());
  EXPECT_EQ(outbound_.calls[0].mail->subject, "[s] warning: High (subject P-1, raised)");
  OutboundAnswer answer;
  answer.status = 550;
  answer.failure = OutboundFailure::broken;
  outbound_.end(0, answer);
  run();
  EXPECT_EQ(count("outbox WHERE state = 2"), 1);
}

}  // namespace
}  // namespace trialward::delivery
