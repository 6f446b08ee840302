// What late and corrected records make of alerts, through the committer and the store.
#include <algorithm>
#include <random>

#include "tests/intake/watched_study.h"

namespace trialward::intake {
namespace {

constexpr const char* kRevisedRules = R"(
[[rules]]
id = "high"
title = "t"
kind = "lab"
codes = ["ALT"]
at_least = 3
of = "ULN"
[[rules]]
id = "double"
title = "t"
kind = "lab"
codes = ["BILI"]
at_least = 2
of = "baseline"
[[rules]]
id = "hy"
title = "t"
within = "14 d"
then = [
  { kind = "lab", codes = ["ALT"], at_least = 3, of = "ULN" },
  { kind = "lab", codes = ["BILI"], at_least = 2, of = "ULN" },
]
without = [{ kind = "lab", codes = ["ALP"], at_least = 2, of = "ULN", around = "7 d" }]
)";

class ReviseTest : public WatchedStudy {
 protected:
  void SetUp() override {
    WatchedStudy::SetUp();
    use_rules(kRevisedRules);
  }
  void acknowledge(std::int64_t alert) {
    (void)run(submission({acknowledgement(alert)}));
  }
};

TEST_F(ReviseTest, ACorrectionRevisesAnAlertAndAnotherBringsItBack) {
  const std::int64_t high = store(lab("1", "ALT", 400, "2020-01-01"));
  EXPECT_EQ(told(), "high: 1\n");
  const std::int64_t normal = correct(high, lab("2", "ALT", 40, "2020-01-01"));
  EXPECT_EQ(told(), "high!: -1\n");
  ASSERT_EQ(events_.size(), 1u);
  const model::AlertEvent& event = events_.front().event;
  EXPECT_EQ(event.type, model::AlertEventType::revised);
  EXPECT_EQ(event.detail.holds, false);
  EXPECT_EQ(event.detail.because, std::vector<std::int64_t>{normal});
  EXPECT_EQ(event.detail.ended, std::vector<std::int64_t>{high});
  correct(normal, lab("3", "ALT", 140, "2020-01-01"));
  EXPECT_EQ(told(), "high: -1 3\n");  // the same alert
}

TEST_F(ReviseTest, AValueThatIsCorrectedButHighStillKeepsTheAlert) {
  const std::int64_t high = store(lab("1", "ALT", 400, "2020-01-01"));
  correct(high, lab("2", "ALT", 300, "2020-01-01"));
  EXPECT_EQ(told(), "high: -1 2\n");
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_EQ(events_[0].event.type, model::AlertEventType::joined);
  EXPECT_EQ(events_[1].event.type, model::AlertEventType::revised);
  EXPECT_EQ(events_[1].event.detail.holds, true);
}

TEST_F(ReviseTest, ALateBaselineRevisesWhatWasComparedAndItsCorrectionBringsThatBack) {
  store(lab("1", "BILI", 0.5, "2020-01-02"));
  store(lab("2", "BILI", 1, "2020-01-03"));
  EXPECT_EQ(told(), "double: 1 2\n");
  const std::int64_t earlier = store(lab("3", "BILI", 0.9, "2020-01-01"));
  EXPECT_EQ(told(), "double!: -1 -2\n");
  const std::int64_t correction = correct(earlier, lab("4", "BILI", 0.9, "2020-01-05"));
  EXPECT_EQ(told(), "double: 1 2\n");
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_EQ(events_.front().event.type, model::AlertEventType::revised);
  EXPECT_EQ(events_.front().event.detail.again, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(events_.front().event.detail.because, std::vector<std::int64_t>{correction});
}

TEST_F(ReviseTest, LateCholestasisRevisesHysLaw) {
  store(lab("1", "ALT", 120, "2020-01-01"));
  store(lab("2", "BILI", 2.4, "2020-01-10"));
  EXPECT_EQ(told(), "high: 1\nhy: 1 2\n");
  store(lab("3", "ALP", 200, "2020-01-05"));
  EXPECT_EQ(told(), "high: 1\nhy!: -1 -2\n");
}

TEST_F(ReviseTest, AnAcknowledgedAlertIsRevisedAndWhatHoldsAnewRaisesAnother) {
  const std::int64_t high = store(lab("1", "ALT", 400, "2020-01-01"));
  acknowledge(1);
  const std::int64_t normal = correct(high, lab("2", "ALT", 40, "2020-01-01"));
  EXPECT_EQ(told(), "high!: -1\n");
  EXPECT_EQ(alerts().front().life.state, model::AlertState::acknowledged);
  correct(normal, lab("3", "ALT", 140, "2020-01-01"));
  EXPECT_EQ(told(), "high!: -1\nhigh: 3\n");
}

TEST_F(ReviseTest, WhatEndsInOneAlertStaysInAnotherOfTheRule) {
  store(lab("1", "BILI", 0.5, "2020-01-02"));
  const std::int64_t two = store(lab("2", "BILI", 1, "2020-01-03"));
  acknowledge(1);
  store(lab("3", "BILI", 1.1, "2020-01-04"));
  EXPECT_EQ(told(), "double: 1 2\ndouble: 1 3\n");
  correct(two, lab("4", "BILI", 0.6, "2020-01-03"));
  // The baseline alone is no reason.
  EXPECT_EQ(told(), "double!: 1 -2\ndouble: 1 3\n");
}

TEST_F(ReviseTest, OtherRulesKnowWhatACorrectionEnds) {
  const std::int64_t high = store(lab("1", "ALT", 400, "2020-01-01"));
  use_rules("[[rules]]\nid = \"other\"\ntitle = \"t\"\nkind = \"vital\"\ncodes = [\"HR\"]\n"
            "above = 1\nunit = \"/min\"\n");
  correct(high, lab("2", "ALT", 40, "2020-01-01"));
  EXPECT_EQ(told(), "high!: -1\n");
}

TEST_F(ReviseTest, ARestartForgetsNothingOfIt) {
  store(lab("1", "ALT", 120, "2020-01-01"));
  store(lab("2", "BILI", 2.4, "2020-01-10"));
  use_rules(kRevisedRules);  // anew
  store(lab("3", "ALP", 200, "2020-01-05"));
  EXPECT_EQ(told(), "high: 1\nhy!: -1 -2\n");
}

// The alerts that a store holds after records came in some order, by the senders' names.
class StoredArrivals : public WatchedStudy {};

TEST_F(StoredArrivals, EndInOneStateWhateverTheOrder) {
  use_rules(kRevisedRules);
  struct Sent {
    std::string id, code;
    double number;
    std::string effective;
    std::string amends;
  };
  const std::vector<Sent> sent = {
      {"a", "ALT", 130, "2020-01-02", ""},  {"b", "BILI", 2.5, "2020-01-05", ""},
      {"c", "BILI", 1.0, "2020-01-01", ""}, {"d", "BILI", 2.6, "2020-01-09", "b"},
      {"e", "ALP", 300, "2020-01-03", ""},  {"f", "ALP", 60, "2020-01-03", "e"},
      {"g", "ALT", 150, "2020-01-08", ""},  {"h", "BILI", 0.4, "2020-01-04", ""},
      {"i", "BILI", 0.9, "2020-01-06", ""}};
  std::mt19937 random(1);
  std::map<std::string, std::string> states;  // each with an order that led to it
  for (int round = 0; round < 60; ++round) {
    std::vector<std::size_t> order(sent.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    const std::string subject = "S" + std::to_string(round);
    std::map<std::string, std::int64_t> ids;
    while (ids.size() < sent.size()) {
      for (const std::size_t place : order) {
        const Sent& one = sent[place];
        if (ids.contains(one.id) || (!one.amends.empty() && !ids.contains(one.amends))) continue;
        model::Record record = lab(subject + one.id, one.code, one.number, one.effective);
        record.subject = subject;
        ids[one.id] =
            one.amends.empty() ? store(record) : correct(ids.at(one.amends), record);
      }
    }
    std::set<std::string> state;
    auto page = store::read_alerts(store_->writer().connection(),
                                   {.study = study_->row, .limit = 10'000});
    ASSERT_TRUE(page.ok());
    for (const model::Alert& alert : *page) {
      if (alert.subject != subject) continue;
      std::set<std::string> causes;
      for (const auto& name : alert.records) {
        if (!alert.ended.contains(name.id)) causes.insert(name.source_id.substr(subject.size()));
      }
      EXPECT_EQ(alert.life.holds, !causes.empty());
      std::string text = alert.rule + ":";
      for (const std::string& cause : causes) text += " " + cause;
      if (!causes.empty()) state.insert(text);
    }
    std::string all;
    for (const std::string& text : state) all += text + "\n";
    states.emplace(all, subject);
  }
  ASSERT_EQ(states.size(), 1u) << states.begin()->first << "\n" << std::next(states.begin())->first;
  EXPECT_EQ(states.begin()->first, "double: c d\nhigh: a g\nhy: a d g\n");
}

}  // namespace
}  // namespace trialward::intake
