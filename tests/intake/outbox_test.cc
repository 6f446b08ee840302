// What the commit has to do with the outbox (store/outbox_rows.h).
#include "store/read_back.h"
#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

// Everything goes to `desk`; raised alerts go to `phone` as well.
class TwoRoutes final : public model::AlertRoutes {
 public:
  std::vector<std::string> targets(std::string_view study,
                                   const model::AlertEvent& event) const override {
    EXPECT_EQ(study, "s");
    std::vector<std::string> names = {"desk"};
    if (event.type == model::AlertEventType::raised) names.push_back("phone");
    return names;
  }
};

class OutboxTest : public CommitterBench {
 protected:
  void SetUp() override {
    CommitterBench::SetUp();
    if (store_ != nullptr) renew({}, &routes_);
  }
  SubmissionResult commit(Submission submission) {
    return CommitterBench::commit({std::move(submission)}).results.front();
  }

  const TwoRoutes routes_;
};

TEST_F(OutboxTest, P1TheOutboxIsWrittenWithTheAlert) {
  one({alt("1", 150)});
  one({alt("2", 160)});
  auto values = store::read_back_of(store_->writer().connection(), 1);
  ASSERT_TRUE(values.ok());
  one({AcknowledgeAlert{.alert = 1, .note = "seen", .values = *values}});
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE target = 'desk' AND state = 0"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE target = 'phone'"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE created_ms = " + std::to_string(kNow)), 4);
  one({alt("3", 50)});
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 4);
}

TEST_F(OutboxTest, P1WithoutTheAlertThereIsNoRow) {
  // The second command of the submission is refused: nothing of the first is kept.
  const auto refused = one({alt("1", 150), AcknowledgeAlert{.alert = 77, .note = "none"}});
  EXPECT_EQ(refused.verdict, Verdict::not_found);
  EXPECT_EQ(count("SELECT count(*) FROM alert_events"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 0);
}

TEST_F(OutboxTest, OutcomesTravelAsCommands) {
  one({alt("1", 150)});
  Submission outcomes{.actor = "delivery", .received_ms = kNow + 7};
  outcomes.commands.emplace_back(RecordAttempts{
      {{.delivery = 1, .next = store::DeliveryState::delivered, .outcome = "delivered"},
       {.delivery = 2, .next = store::DeliveryState::dead, .outcome = "refused"}}});
  const auto recorded = commit(outcomes);
  ASSERT_EQ(recorded.verdict, Verdict::stored);
  EXPECT_EQ(recorded.results.front().id, 1) << "one was delivered";
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE state = 1 AND settled_ms = " +
                  std::to_string(kNow + 7)), 1);

  auto change = one({ChangeDelivery{2, store::DeliveryChange::resend, "mended"}});
  EXPECT_EQ(change.verdict, Verdict::stored);
  change = one({ChangeDelivery{1, store::DeliveryChange::resend, "again"}});
  EXPECT_EQ(change.verdict, Verdict::conflict);
  change = one({ChangeDelivery{9, store::DeliveryChange::discard, "none"}});
  EXPECT_EQ(change.verdict, Verdict::not_found);
  auto foreign = submission({ChangeDelivery{2, store::DeliveryChange::discard, "x"}});
  foreign.site = "B";
  EXPECT_EQ(commit(foreign).verdict, Verdict::not_found);

  Submission prune{.actor = "delivery", .received_ms = kNow + 9};
  prune.commands.emplace_back(PruneDeliveries{.before_ms = kNow + 8, .limit = 10});
  EXPECT_EQ(commit(prune).results.front().id, 1);
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 1);
}

TEST_F(OutboxTest, AnAlertThatHasArrivedIsDeliveredAndThatIsToldToNobody) {
  one({alt("1", 150)});
  const auto arrive = [this](std::int64_t delivery) {
    Submission outcomes{.actor = "delivery", .received_ms = kNow + 7};
    outcomes.commands.emplace_back(RecordAttempts{
        .attempts = {{.delivery = delivery,
                      .next = store::DeliveryState::delivered,
                      .outcome = "delivered"}},
        .studies = {submission({}).study}});
    std::vector<Submission> batch{std::move(outcomes)};
    return committer_->commit(batch);
  };
  const auto outcome = arrive(1);
  ASSERT_EQ(outcome.results.front().verdict, Verdict::stored);
  ASSERT_EQ(outcome.publications.size(), 1U);
  EXPECT_EQ(outcome.publications.front().event.type, model::AlertEventType::delivered);
  EXPECT_EQ(outcome.publications.front().event.detail.target, "desk");
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE state = 'delivered'"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 2) << "no row for the delivered event";
  EXPECT_TRUE(arrive(2).publications.empty()) << "it was delivered already";
}

}  // namespace
}  // namespace trialward::intake
