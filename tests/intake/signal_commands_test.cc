// The commit itself sees to it that an occurrence has one alert: its sender has looked at the store
// a while before.
#include "intake/signal_commands.h"

#include "store/signal_rows.h"
#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

class SignalCommandsTest : public CommitterBench {
 protected:
  void SetUp() override {
    CommitterBench::SetUp();
    if (store_ != nullptr) commit(alt("1", 5));
  }
  Committer::Outcome commit(Command command) {
    return CommitterBench::commit({submission({std::move(command)})});
  }
  static SignalSchedule signal(bool holds, std::string group = "diary#1") {
    return {.id = 1,
            .subject = "P-1",
            .site = "A",
            .signals = {{.rule = {.id = std::string(kSignalRules) + "missed-diary", .title = "t"},
                         .group = std::move(group),
                         .note = "why",
                         .due_ms = kNow,
                         .holds = holds}}};
  }
};

TEST_F(SignalCommandsTest, SaidTwiceItIsRaisedAndTakenBackOnce) {
  auto done = commit(signal(true));
  ASSERT_EQ(done.publications.size(), 1u);
  EXPECT_EQ(done.publications[0].event.note, "why");
  EXPECT_EQ(commit(signal(true)).publications.size(), 0u);
  EXPECT_EQ(commit(signal(false)).publications.size(), 1u);
  EXPECT_EQ(commit(signal(false)).publications.size(), 0u);
  EXPECT_EQ(commit(signal(true)).publications.size(), 1u) << "it holds again";
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 1);
  EXPECT_EQ(commit(signal(true, "diary#2")).publications.size(), 1u);
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 2);
}

TEST_F(SignalCommandsTest, WhatWasNotRaisedIsNotTakenBack) {
  const auto done = commit(signal(false));
  EXPECT_EQ(done.results.front().verdict, Verdict::stored);
  EXPECT_EQ(done.publications.size(), 0u);
}

TEST_F(SignalCommandsTest, WhatALaterRecordMayHaveChangedIsPassedOver) {
  SignalSchedule seen = signal(true);
  seen.last_record = 1;
  seen.kinds[static_cast<std::size_t>(model::Kind::lab)] = true;
  commit(alt("2", 5));
  EXPECT_EQ(commit(seen).publications.size(), 0u);
  seen.kinds = {};
  seen.kinds[static_cast<std::size_t>(model::Kind::questionnaire)] = true;
  EXPECT_EQ(commit(seen).publications.size(), 1u) << "a laboratory value changes no plan";
  SignalSchedule again = seen;
  again.signals[0].holds = false;
  for (int i = 0; i < store::kNewerMax; ++i) commit(alt("more-" + std::to_string(i), 5));
  EXPECT_EQ(commit(again).publications.size(), 0u) << "too much has come to look through";
  again.last_record = 3;
  EXPECT_EQ(commit(again).publications.size(), 1u);
}

TEST_F(SignalCommandsTest, ACorrectionOfARecordChangesNothingOfIt) {
  commit(signal(true));
  AppendRecord correction = alt("2", 6);
  correction.record.amends = 1;
  correction.record.reason = "a typing error";
  const auto done = commit(std::move(correction));
  EXPECT_EQ(done.results.front().verdict, Verdict::stored);
  EXPECT_EQ(done.publications.size(), 0u);
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE holds = 1"), 1);
}

}  // namespace
}  // namespace trialward::intake
