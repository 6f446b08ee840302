#include "intake/alert_commands.h"

#include "intake/committer.h"
#include "store/alert_rows.h"
#include "store/read_back.h"
#include "tests/intake/bench_study.h"

namespace trialward::intake {
namespace {

using model::AlertEventType;

constexpr const char* kTwoTiersToml = R"(
[[escalation]]
severity = "info"
tiers = [{ targets = ["on-call"], after = "15 min" }, { targets = ["chief"], after = "30 min" }]
[storm]
subjects = 3
within = "10 min"
)";

class AlertCommandsTest : public StudyBench {
 protected:
  void SetUp() override { begin(""); }
  // With this escalation.toml.
  void begin(const std::string& escalation) {
    StudyBench::SetUp();
    if (!escalation.empty()) {
      auto study = model::load_study(std::vector<model::DefinitionFile>{
          {"escalation.toml", escalation}, {"study.toml", kStudyToml}});
      ASSERT_TRUE(study.ok());
      auto active = std::make_shared<ActiveStudy>(*study_);
      active->study = std::make_shared<const model::Study>(std::move(*study));
      study_ = active;
    }
    committer_ = std::make_unique<Committer>(store_->writer(), clock_, SubjectCacheOptions{});
  }
  SubmissionResult one(Command command) {
    Submission sent = submission({std::move(command)});
    sent.received_ms = clock_.utc_ms();
    std::vector<Submission> batch{std::move(sent)};
    auto outcome = committer_->commit(batch);
    for (Publication& publication : outcome.publications) {
      events_.push_back(std::move(publication.event));
    }
    return outcome.results.front();
  }
  SubmissionResult act(std::int64_t alert, AlertEventType type, model::AlertDetail detail = {}) {
    return one(ChangeAlert{alert, type, "because", std::move(detail)});
  }
  SubmissionResult acknowledge(std::int64_t alert) {
    auto values = store::read_back_of(store_->writer().connection(), alert);
    EXPECT_TRUE(values.ok());
    return one(AcknowledgeAlert{alert, "seen", *values});
  }
  model::Alert alert(std::int64_t id) {
    auto alerts = store::read_alerts(store_->writer().connection(),
                                     {.study = study_->row, .after = id - 1, .until = id});
    EXPECT_TRUE(alerts.ok() && alerts->size() == 1);
    return alerts->front();
  }
  static model::AlertDetail assessment() {
    return {.assessment = model::Assessment{"possibly_related", "unexpected", "drug_withdrawn"}};
  }
  std::string first_fault(const SubmissionResult& result) {
    return result.faults.empty() ? "" : result.faults.front().reason;
  }

  std::unique_ptr<Committer> committer_;
  std::vector<model::AlertEvent> events_;
};

TEST_F(AlertCommandsTest, AnAcknowledgementReadsTheNewestValueBack) {
  one(alt("1", 150));
  const auto with = [&](std::vector<model::ReadBack> values) {
    return one(AcknowledgeAlert{1, "seen", std::move(values)});
  };
  SubmissionResult result = with({});
  EXPECT_EQ(result.verdict, Verdict::conflict);
  EXPECT_EQ(first_fault(result),
            R"(the value of ALT, "150" in U/L (record 1), has to be read back)");
  result = with({{.record = 1, .value = "15", .unit = "U/L"}});
  EXPECT_EQ(result.verdict, Verdict::conflict);
  EXPECT_EQ(result.faults.front().path, "/values/0");
  EXPECT_EQ(first_fault(result), R"(the value of ALT is "150" in U/L (record 1))");
  EXPECT_EQ(first_fault(with({{.record = 1, .value = "150", .unit = "ukat/L"}})),
            R"(the value of ALT is "150" in U/L (record 1))");
  EXPECT_EQ(first_fault(with({{.record = 1, .value = "150"}})),
            R"(the value of ALT is "150" in U/L (record 1))");
  // While somebody reads, a newer value joins.
  one(alt("2", 190));
  result = with({{.record = 1, .value = "150", .unit = "U/L"}});
  ASSERT_EQ(result.faults.size(), 2u);
  EXPECT_EQ(first_fault(result),
            R"(the value of ALT, "190" in U/L (record 2), has to be read back)");
  EXPECT_EQ(count("SELECT count(*) FROM alert_events WHERE type = 'acknowledged'"), 0);
  EXPECT_EQ(with({{.record = 2, .value = " 190.0", .unit = "U/L"}}).verdict, Verdict::stored);
}

TEST_F(AlertCommandsTest, WhatHasToBeReadBackIsQuotedOnce) {
  struct Row {
    model::ReadBack right;
    std::string unread, misread;
  };
  const Row rows[] = {
      {{.record = 1, .code = "ALT", .value = "150", .unit = "U/L"},
       R"(the value of ALT, "150" in U/L (record 1), has to be read back)",
       R"(the value of ALT is "150" in U/L (record 1))"},
      {{.record = 2, .code = "Syncope", .value = "Fainted"},
       R"(the value of Syncope, "Fainted" (record 2), has to be read back)",
       R"(the value of Syncope is "Fainted" (record 2))"},
      {{.record = 3, .code = "Headache", .value = "Headache"},
       R"("Headache" (record 3) has to be read back)",
       R"(it is "Headache" (record 3))"},
  };
  for (const Row& row : rows) {
    const std::vector<model::ReadBack> right = {row.right};
    const auto fault = [&](std::vector<model::ReadBack> given) {
      return store::compare_read_back(right, given).front().reason;
    };
    EXPECT_EQ(fault({}), row.unread);
    EXPECT_EQ(fault({{.record = row.right.record, .value = "x"}}), row.misread);
    EXPECT_TRUE(store::compare_read_back(right, right).empty());
  }
}

TEST_F(AlertCommandsTest, AValueTellsWhenItWasSoUntilItIsReadBack) {
  AppendRecord record = alt("1", 150);
  record.record.effective = "2019-05";
  one(record);
  ASSERT_EQ(alert(1).values.size(), 1u);
  EXPECT_EQ(alert(1).values.front().effective, "2019-05");
  EXPECT_EQ(acknowledge(1).verdict, Verdict::stored);
  EXPECT_EQ(events_.back().detail.values.front().effective, "");
}

TEST_F(AlertCommandsTest, ACorrectedValueIsReadBackAsItIsNow) {
  one(alt("1", 150));
  AppendRecord correction = alt("2", 115);
  correction.record.amends = 1;
  correction.record.reason = "typing error";
  ASSERT_EQ(one(correction).verdict, Verdict::stored);
  EXPECT_EQ(
      first_fault(one(AcknowledgeAlert{1, "seen", {{.record = 1, .value = "150", .unit = "U/L"}}})),
      R"(the value of ALT, "115" in U/L (record 2), has to be read back)");
  EXPECT_EQ(acknowledge(1).verdict, Verdict::stored);
  EXPECT_EQ(events_.back().detail.values.front().value, "115");
}

TEST_F(AlertCommandsTest, ItsWholeLifeIsKept) {
  one(alt("1", 150));
  EXPECT_EQ(act(1, AlertEventType::closed).verdict, Verdict::conflict);
  EXPECT_EQ(first_fault(act(1, AlertEventType::assessed, assessment())),
            "alert 1: it is raised; allowed: acknowledge");
  ASSERT_EQ(acknowledge(1).verdict, Verdict::stored);
  ASSERT_EQ(act(1, AlertEventType::assessed, assessment()).verdict, Verdict::stored);
  ASSERT_EQ(act(1, AlertEventType::closed).verdict, Verdict::stored);
  EXPECT_EQ(alert(1).life.state, model::AlertState::closed);
  EXPECT_EQ(alert(1).assessment, assessment().assessment);
  ASSERT_EQ(act(1, AlertEventType::reopened).verdict, Verdict::stored);
  EXPECT_EQ(alert(1).status(), "open");
  EXPECT_FALSE(alert(1).acknowledged_ms.has_value());
  // A reopened alert takes no further records: the next raises a new one.
  EXPECT_EQ(one(alt("2", 160)).results.front().alerts, std::vector<std::int64_t>{2});
  ASSERT_EQ(acknowledge(1).verdict, Verdict::stored);
  auto history = store::read_alert_history(store_->writer().connection(), study_->row, 1, 0, 100);
  ASSERT_TRUE(history.ok());
  std::string types;
  for (const model::AlertEvent& event : *history) {
    types += std::string(model::to_string(event.type)) + " by " + event.actor + "; ";
  }
  EXPECT_EQ(types,
            "raised by monitor; acknowledged by tester; assessed by tester; closed by tester; "
            "reopened by tester; acknowledged by tester; ");
  EXPECT_EQ((*history)[4].note, "because");
}

TEST_F(AlertCommandsTest, DuplicatesMergeAndAreCounted) {
  for (int i = 1; i <= 3; ++i) {
    one(alt(std::to_string(i), 150));
    acknowledge(i);
  }
  one(alt("4", 150, "P-2"));
  const auto merge = [&](std::int64_t id, std::int64_t into) {
    return act(id, AlertEventType::merged, {.duplicate_of = into});
  };
  EXPECT_EQ(first_fault(merge(4, 1)), "alert 1 is of another subject");
  EXPECT_EQ(first_fault(merge(1, 1)), "an alert is no duplicate of itself");
  EXPECT_EQ(first_fault(merge(1, 9)), "there is no alert 9");
  EXPECT_EQ(merge(9, 1).verdict, Verdict::not_found);
  ASSERT_EQ(merge(2, 1).verdict, Verdict::stored);
  EXPECT_EQ(first_fault(merge(3, 2)), "alert 2 is a duplicate itself, of alert 1");
  EXPECT_EQ(first_fault(merge(1, 3)), "it has duplicates of its own; reopen them first");
  ASSERT_EQ(merge(3, 1).verdict, Verdict::stored);
  EXPECT_EQ(alert(1).duplicates, 2);
  EXPECT_EQ(alert(3).life.duplicate_of, 1);
  ASSERT_EQ(act(3, AlertEventType::reopened).verdict, Verdict::stored);
  EXPECT_EQ(alert(1).duplicates, 1);
}

TEST_F(AlertCommandsTest, AnotherSitesAlertIsLeftAlone) {
  one(alt("1", 150));
  for (const Command& command :
       {Command(AcknowledgeAlert{1, "x"}), Command(ChangeAlert{1, AlertEventType::closed, "x"})}) {
    Submission sent = submission({command});
    sent.site = "B";
    std::vector<Submission> batch{std::move(sent)};
    EXPECT_EQ(committer_->commit(batch).results.front().verdict, Verdict::forbidden);
  }
}

TEST_F(AlertCommandsTest, AnEscalationIsCheckedAgainWhenItIsCommitted) {
  begin(kTwoTiersToml);
  one(alt("1", 150));
  EXPECT_EQ(events_.back().detail.targets, std::vector<std::string>{"on-call"});
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .told = 1}).verdict, Verdict::conflict) << "too early";
  clock_.advance(std::chrono::minutes(15));
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .told = 2}).verdict, Verdict::conflict);
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .storm = true, .told = 1}).verdict, Verdict::conflict);
  ASSERT_EQ(one(EscalateAlert{.alert = 1, .told = 1}).verdict, Verdict::stored);
  EXPECT_EQ(events_.back().type, AlertEventType::escalated);
  EXPECT_EQ(events_.back().detail.tier, 2);
  EXPECT_EQ(events_.back().detail.late_ms, 0);
  EXPECT_EQ(events_.back().detail.targets, std::vector<std::string>{"chief"});
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .told = 1}).verdict, Verdict::conflict) << "again";
  ASSERT_EQ(acknowledge(1).verdict, Verdict::stored);
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .told = 2}).verdict, Verdict::conflict);
  // Reopened, the first tier is told again.
  ASSERT_EQ(act(1, AlertEventType::reopened).verdict, Verdict::stored);
  EXPECT_EQ(events_.back().detail.targets, std::vector<std::string>{"on-call"});
}

TEST_F(AlertCommandsTest, AStormIsOnePageAndItsAlertsAreCounted) {
  begin(kTwoTiersToml);
  const auto raise = [&](int subject) {
    events_.clear();
    return one(alt(std::to_string(subject), 150, "P-" + std::to_string(subject)));
  };
  const auto pages = [&] {
    std::string told;
    for (const model::AlertEvent& event : events_) {
      if (event.detail.targets.empty()) continue;
      told += std::string(model::to_string(event.type)) + " " + std::to_string(event.detail.count) +
              " to " + event.detail.targets.front() + "; ";
    }
    return told;
  };
  raise(1);
  EXPECT_EQ(pages(), "raised 0 to on-call; ");
  raise(2);
  EXPECT_EQ(pages(), "raised 0 to on-call; ");
  raise(3);
  EXPECT_EQ(pages(), "stormed 3 to on-call; ");
  EXPECT_EQ(events_.size(), 4u) << "raised; and each of the three has become one of a storm";
  raise(4);
  EXPECT_EQ(pages(), "");
  raise(5);
  EXPECT_EQ(pages(), "");
  raise(6);
  EXPECT_EQ(pages(), "stormed 6 to on-call; ") << "it has doubled";
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 6);
  EXPECT_EQ(count("SELECT count FROM alert_storms WHERE alert = 3"), 6);
  auto members =
      store::read_alerts(store_->writer().connection(), {.study = study_->row, .storm = 3});
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(members->size(), 6u);

  // It escalates as one, from its last news on.
  clock_.advance(std::chrono::minutes(15));
  EXPECT_EQ(one(EscalateAlert{.alert = 1, .told = 1}).verdict, Verdict::conflict);
  events_.clear();
  ASSERT_EQ(one(EscalateAlert{.alert = 3, .storm = true, .told = 1}).verdict, Verdict::stored);
  EXPECT_EQ(pages(), "escalated 6 to chief; ");
  // Each is acknowledged in its own right; with the last the storm waits no longer.
  for (int i = 1; i <= 5; ++i) ASSERT_EQ(acknowledge(i).verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT waits FROM alert_storms"), 1);
  ASSERT_EQ(acknowledge(6).verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT waits FROM alert_storms"), 0);
  EXPECT_EQ(one(EscalateAlert{.alert = 3, .storm = true, .told = 2}).verdict, Verdict::conflict);
  // After a quiet time it is over.
  clock_.advance(std::chrono::minutes(11));
  raise(7);
  EXPECT_EQ(pages(), "raised 0 to on-call; ");
}

TEST_F(AlertCommandsTest, AStormsTierIsNotThatOfTheAlertThatLeadsIt) {
  begin(kTwoTiersToml);
  for (int i = 1; i <= 3; ++i) one(alt(std::to_string(i), 150, "P-" + std::to_string(i)));
  // What has ended and holds again waits by itself.
  for (const bool holds : {false, true}) {
    ASSERT_TRUE(store_->writer().begin().ok());
    const store::Act act{.actor = "test", .at_ms = clock_.utc_ms()};
    ASSERT_TRUE(
        store::revise_alert(store_->writer(), study_->row, 3, {.holds = holds}, act).ok());
    ASSERT_TRUE(store_->writer().commit().ok());
  }
  const std::string since = "SELECT since_ms FROM alert_states WHERE alert = 3 AND waits = 1";
  const std::int64_t began = count(since);
  clock_.advance(std::chrono::minutes(15));
  ASSERT_EQ(one(EscalateAlert{.alert = 3, .storm = true, .told = 1}).verdict, Verdict::stored);
  EXPECT_EQ(count(since), began);
}

TEST_F(AlertCommandsTest, OneSubjectIsNoStorm) {
  begin(kTwoTiersToml);
  for (int i = 0; i < 8; ++i) {
    one(alt(std::to_string(i), 150));
    acknowledge(i + 1);
  }
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 8);
  EXPECT_EQ(count("SELECT count(*) FROM alert_storms"), 0);
}

}  // namespace
}  // namespace trialward::intake
