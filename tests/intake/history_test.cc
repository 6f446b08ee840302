// Item 8 of the monitor: data of the past is judged in full, its alerts are marked, nobody is told.
#include "intake/history.h"

#include "tests/intake/watched_study.h"

namespace trialward::intake {
namespace {

constexpr const char* kHistoryRules = R"(
[[rules]]
id = "high"
title = "t"
severity = "critical"
kind = "lab"
codes = ["ALT"]
above = 100
unit = "U/L"
[[rules]]
id = "both"
title = "t"
severity = "critical"
within = "30 d"
all = [
  { kind = "lab", codes = ["AST"], above = 100, unit = "U/L" },
  { kind = "lab", codes = ["BILI"], above = 2, unit = "mg/dL" },
]
[[rules]]
id = "no-temp"
title = "t"
within = "2 d"
missing = { kind = "vital", codes = ["TEMP"] }
after_each = { kind = "exposure" }
)";

constexpr const char* kEscalation = R"(
[[escalation]]
severity = "critical"
tiers = [{ targets = ["on-call"], after = "15 min" }, { targets = ["chief"], after = "30 min" }]
[storm]
subjects = 3
within = "10 min"
)";

// Every event goes to `desk`, and to whom it names.
class Routes final : public model::AlertRoutes {
 public:
  std::vector<std::string> targets(std::string_view,
                                   const model::AlertEvent& event) const override {
    std::vector<std::string> names = event.detail.targets;
    names.push_back("desk");
    return names;
  }
};

class HistoryTest : public WatchedStudy {
 protected:
  void SetUp() override {
    WatchedStudy::SetUp();
    routes_ = &desk_;
    use_rules(kHistoryRules, kEscalation);
  }
  std::int64_t past(model::Record record) {
    return run(of_the_past(std::move(record))).results.front().id;
  }
  SubmissionResult pass(std::int64_t utc_ms) { return run(submission({PassTime{"S1", utc_ms}})); }
  model::Record dose(const std::string& id, std::int64_t at_ms) {
    return record(id, model::Kind::exposure, "DRUG", {}, "", model::format_utc(at_ms));
  }
  std::int64_t rows() { return count("SELECT count(*) FROM outbox"); }
  std::int64_t waiting() { return count("SELECT count(*) FROM alert_states WHERE waits <> 0"); }
  // "rule", with a star when it is historical; in the order of their ids.
  std::string marked() {
    std::string text;
    for (const model::Alert& alert : alerts()) {
      text += alert.rule + (alert.life.historical ? "* " : " ");
    }
    return text;
  }

  static constexpr std::int64_t kDay = 24 * 3'600'000LL;
  const Routes desk_;
};

TEST_F(HistoryTest, ItsAlertsAreMarkedAndNobodyIsTold) {
  const auto result = run(of_the_past(lab("1", "ALT", 150, "2020-01-01")));
  EXPECT_EQ(result.results.front().raised, 1);
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_TRUE(events_.front().event.detail.historical);
  EXPECT_TRUE(events_.front().event.historical);
  EXPECT_TRUE(events_.front().event.detail.targets.empty());
  past(lab("2", "ALT", 160, "2020-01-02"));
  EXPECT_EQ(told(), "high: 1 2\n");
  EXPECT_EQ(marked(), "high* ");
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(waiting(), 0);
  // What people do with it is told to nobody outside either, until it is reopened.
  (void)run(submission({acknowledgement(1)}));
  EXPECT_EQ(rows(), 0);
  (void)run(submission({ChangeAlert{1, model::AlertEventType::reopened, "look at it"}}));
  EXPECT_EQ(marked(), "high ");
  EXPECT_EQ(rows(), 2) << "on-call and desk";
  EXPECT_EQ(waiting(), 1);
}

// The alert of the day ends when what it waits for is found to have begun earlier; it is still
// missing, and somebody is being called.
TEST_F(HistoryTest, WhatTakesThePlaceOfAnAlertOfTodayIsNews) {
  std::string first = kHistoryRules;
  first.replace(first.find("after_each"), 10, "after");
  use_rules(first, kEscalation);
  const std::int64_t day = clock_.utc_ms() / kDay * kDay;
  store(dose("1", day - 10 * kDay));
  (void)pass(day);
  EXPECT_EQ(marked(), "no-temp ");
  past(dose("2", day - 20 * kDay));
  EXPECT_EQ(marked(), "no-temp ") << "it has joined the alert of today";
  EXPECT_EQ(count("SELECT count(*) FROM alert_causes"), 2);
}

TEST_F(HistoryTest, ARecordOfTodayHasAnAlertOfItsOwn) {
  past(lab("1", "ALT", 150, "2020-01-01"));
  store(lab("2", "ALT", 160, "2025-06-01"));
  past(lab("3", "ALT", 170, "2020-01-03"));
  store(lab("4", "ALT", 180, "2025-06-02"));
  EXPECT_EQ(told(), "high: 1 3\nhigh: 2 4\n");
  EXPECT_EQ(marked(), "high* high ");
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE alert = 1"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE alert = 2"), 3);
  EXPECT_EQ(waiting(), 1);
  // An alert is taken out of the way of its like alone.
  (void)run(submission({acknowledgement(1)}));
  store(lab("5", "ALT", 190, "2025-06-03"));
  EXPECT_EQ(told(), "high: 1 3\nhigh: 2 4 5\n");
}

TEST_F(HistoryTest, WhatARecordOfTodayHasAPartInIsNews) {
  past(lab("1", "AST", 150, "2025-06-01"));
  store(lab("2", "BILI", 3, "2025-06-02"));
  EXPECT_EQ(marked(), "both ");
  EXPECT_EQ(told(), "both: 1 2\n");
  EXPECT_EQ(waiting(), 1);
  // The past that completes what holds today.
  (void)run(submission({acknowledgement(1)}));
  past(lab("3", "AST", 170, "2025-06-03"));
  EXPECT_EQ(marked(), "both both ");
  EXPECT_EQ(waiting(), 1);
}

TEST_F(HistoryTest, TheOrderOfThePastMakesNoDifference) {
  past(lab("2", "BILI", 3, "2020-06-02"));
  past(lab("1", "AST", 150, "2020-06-01"));
  EXPECT_EQ(marked(), "both* ");
  EXPECT_EQ(waiting(), 0);
}

TEST_F(HistoryTest, CorrectionsTakeOverWhatTheyCorrect) {
  const std::int64_t live = store(lab("1", "ALT", 50, "2025-06-01"));
  model::Record higher = lab("2", "ALT", 150, "2025-06-01");
  higher.amends = live;
  higher.reason = "a typing error";
  past(higher);
  EXPECT_EQ(marked(), "high ") << "it is a value of today";
  EXPECT_EQ(waiting(), 1);

  const std::int64_t old = past(lab("3", "ALT", 50, "2020-01-01"));
  correct(old, lab("4", "ALT", 155, "2020-01-01"));
  EXPECT_EQ(told(), "high: 2 4\n") << "somebody finds out today";
  const std::int64_t older = past(lab("5", "ALT", 150, "2020-01-01"));
  EXPECT_EQ(marked(), "high high* ");
  correct(older, lab("6", "ALT", 40, "2020-01-01"));
  EXPECT_EQ(told(), "high: 2 4\nhigh!: -5\n") << "and it is revised as others are";
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE alert = 2"), 0);
}

TEST_F(HistoryTest, AStormIsNotMadeOfThePast) {
  for (int i = 0; i < 6; ++i) {
    model::Record one = lab("o" + std::to_string(i), "ALT", 150, "2020-01-01");
    one.subject = "P" + std::to_string(i);
    past(one);
  }
  EXPECT_EQ(count("SELECT count(*) FROM alert_storms"), 0);
  for (int i = 0; i < 3; ++i) {
    model::Record one = lab("n" + std::to_string(i), "ALT", 150, "2025-06-01");
    one.subject = "P" + std::to_string(i);
    store(one);
    EXPECT_EQ(count("SELECT count(*) FROM alert_storms"), i == 2 ? 1 : 0);
  }
  EXPECT_EQ(count("SELECT count FROM alert_storms"), 3);
}

TEST_F(HistoryTest, WhatWasMissingLongAgoCallsNobody) {
  past(dose("1", kNow - 400 * kDay));
  EXPECT_EQ(pass(kNow + 1000).results.front().raised, 1);
  EXPECT_EQ(marked(), "no-temp* ");
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(HistoryTest, WhatIsOverdueAfterThePastWasToldCallsSomebody) {
  // One was overdue before, one will be, and both are found at once: the server was down.
  past(dose("1", kNow - 400 * kDay));
  past(dose("2", kNow - kDay));
  (void)pass(kNow + 30 * kDay);
  EXPECT_EQ(told(), "no-temp: 1\nno-temp: 2\n");
  EXPECT_EQ(marked(), "no-temp* no-temp ");
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE alert = 2"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM subject_passes"), 1);
}

// The dose of today is no first one any more, and what was waited for because of it is missing for
// a year.
TEST_F(HistoryTest, WhatTakesThePlaceOfWhatIsWaitedForTodayIsNews) {
  std::string first = kHistoryRules;
  first.replace(first.find("after_each"), 10, "after");
  use_rules(first, kEscalation);
  store(dose("1", kNow));
  (void)pass(kNow + 1000);
  EXPECT_EQ(marked(), "");
  past(dose("2", kNow - 400 * kDay));
  EXPECT_EQ(told(), "no-temp: 2\n");
  EXPECT_EQ(marked(), "no-temp ");
  EXPECT_EQ(waiting(), 1);
}

// Whatever is missing of many years is found with two alerts, not with one change for each.
TEST_F(HistoryTest, AllThatWasMissingIsFoundAtOnce) {
  constexpr int kDoses = 200;
  for (int i = 0; i < kDoses; ++i) past(dose(std::to_string(i), kNow - (900 - i * 3) * kDay));
  past(dose("now", kNow));
  EXPECT_EQ(pass(kNow + kDay).results.front().raised, 1);
  EXPECT_EQ(marked(), "no-temp* ");
  EXPECT_EQ(count("SELECT count(*) FROM alert_causes"), kDoses);
  EXPECT_EQ(count("SELECT count(*) FROM alert_events"), 1);
  EXPECT_EQ(pass(kNow + 3 * kDay).results.front().raised, 1);
  EXPECT_EQ(marked(), "no-temp* no-temp ");
  EXPECT_EQ(waiting(), 1);
}

TEST_F(HistoryTest, WhatIsMissingAfterALateRecordOfTodayCallsSomebody) {
  store(dose("1", kNow - 400 * kDay));
  (void)pass(kNow + 1000);
  EXPECT_EQ(marked(), "no-temp ");
  EXPECT_EQ(waiting(), 1);
}

TEST_F(HistoryTest, TheBrokenRuleOfAPastRecordCallsNobody) {
  StudyBench::reopen();
  renew({}, &desk_);
  AppendRecord broken = alt("1", 666);
  broken.flags |= model::kHistorical;
  (void)run(submission({broken}));
  EXPECT_EQ(marked(), std::string(kRuleFailed) + "* ");
  EXPECT_EQ(rows(), 0);
}

}  // namespace
}  // namespace trialward::intake
