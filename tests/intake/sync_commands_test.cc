// What the commit has to do with schedule sync: what the partner said, and who is out of step.
#include "intake/sync_commands.h"

#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

using Alarm = store::SubjectSync::Alarm;

class SyncCommandsTest : public CommitterBench {
 protected:
  void SetUp() override {
    CommitterBench::SetUp();
    if (store_ != nullptr) one({alt("1", 5)});
  }
  Committer::Outcome one(std::vector<Command> commands) {
    Submission sent = submission(std::move(commands));
    sent.actor = "partner:ecoa";
    return commit({std::move(sent)});
  }
  static store::SubjectSync subject(Alarm alarm, std::string note = "it does not answer") {
    return {.id = 1,
            .subject = "P-1",
            .site = "A",
            .row = {.version = "3", .state = store::SyncState::unreachable, .note = note},
            .alarm = alarm};
  }
  std::string events() {
    auto rows = store_->writer().connection().query("SELECT type FROM alert_events ORDER BY id");
    TW_CHECK(rows.ok());
    std::string all;
    while (rows->next().value()) all += std::string(rows->text(0)) + " ";
    return all;
  }
};

TEST_F(SyncCommandsTest, WhatThePartnerSaidIsAuditedWithTheRow) {
  store::SubjectSync said = subject(Alarm::none);
  said.appointments = {{.activity = "WK2",
                        .number = 1,
                        .state = "booked",
                        .start_ms = 7,
                        .end_ms = 8,
                        .partner = "ecoa",
                        .version = "3"},
                       {.activity = "WK4", .number = 1, .state = "refused", .note = "why"}};
  const auto done = one({SyncSubjects{
      .subjects = {said}, .mark = store::SyncMark{.partner = "ecoa", .seen_until = "then"}}});
  EXPECT_EQ(done.results.front().verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE object_table = 'appointments' AND "
                  "actor = 'partner:ecoa' AND reason = 'schedule sync' AND "
                  "action IN ('appointment.booked', 'appointment.refused')"),
            2);
  EXPECT_EQ(count("SELECT count(*) FROM schedule_sync WHERE version = '3' AND state = 4"), 1);
  auto rows = store::read_appointments(store_->writer().connection(), 1);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1u) << "what was refused counts for nothing";
  EXPECT_EQ((*rows)[0].start_ms, 7);
  auto mark = store::read_sync_mark(store_->writer().connection(), study_->row);
  ASSERT_TRUE(mark.ok());
  EXPECT_EQ(mark->seen_until, "then");
  // A newer one takes its place; the older stays.
  said.appointments = {{.activity = "WK2", .number = 1, .state = "cancelled"}};
  one({SyncSubjects{.subjects = {said}}});
  rows = store::read_appointments(store_->writer().connection(), 1);
  EXPECT_EQ((*rows)[0].state, "cancelled");
  EXPECT_EQ(count("SELECT count(*) FROM appointments"), 3);
}

TEST_F(SyncCommandsTest, OfWhatIsRefusedOnlySoMuchIsKept) {
  store::SubjectSync said = subject(Alarm::none);
  for (int i = 0; i < kRefusedOfSubject - 1; ++i) {
    said.appointments.push_back(
        {.activity = "WK4", .number = i + 1, .state = "refused", .note = "why"});
  }
  one({SyncSubjects{.subjects = {said}}});
  EXPECT_EQ(count("SELECT count(*) FROM appointments"), kRefusedOfSubject - 1);
  EXPECT_EQ(count("SELECT count(*) FROM appointments WHERE note <> 'why'"), 0);
  said.appointments.push_back({.activity = "WK2", .number = 1, .state = "cancelled"});
  one({SyncSubjects{.subjects = {said}}});
  EXPECT_EQ(count("SELECT count(*) FROM appointments WHERE state = 'refused'"),
            kRefusedOfSubject);
  EXPECT_EQ(count("SELECT count(*) FROM appointments WHERE note = "
                  "'why; what is refused after this is not kept'"),
            1);
  EXPECT_EQ(count("SELECT count(*) FROM appointments WHERE state = 'cancelled'"), 1);
}

TEST_F(SyncCommandsTest, AnAlertIsRaisedOnceTakenBackAndHoldsAgain) {
  auto done = one({SyncSubjects{.subjects = {subject(Alarm::raise)}}});
  ASSERT_EQ(done.publications.size(), 1u);
  EXPECT_EQ(done.publications[0].event.rule, kOutOfStep);
  EXPECT_EQ(done.publications[0].event.note, "it does not answer");
  EXPECT_EQ(done.publications[0].event.subject, "P-1");
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::raise)}}}).publications.size(), 0u);
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::end)}}}).publications.size(), 1u);
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::end)}}}).publications.size(), 0u);
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE holds = 0"), 1);
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::raise)}}}).publications.size(), 1u);
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE holds = 1 AND waits = 1"), 1);
  EXPECT_EQ(events(), "raised revised revised ");
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 1);
}

TEST_F(SyncCommandsTest, OneThatWasAcknowledgedIsTakenBackAndTheNextIsAnother) {
  one({SyncSubjects{.subjects = {subject(Alarm::raise)}}});
  const std::int64_t first = count("SELECT alerted FROM schedule_sync");
  EXPECT_EQ(first, count("SELECT id FROM alerts"));
  EXPECT_EQ(one({AcknowledgeAlert{.alert = first, .note = "seen"}}).results.front().verdict,
            Verdict::stored);
  store::SubjectSync ends = subject(Alarm::end);
  ends.alert = first;
  EXPECT_EQ(one({SyncSubjects{.subjects = {ends}}}).publications.size(), 1u);
  EXPECT_EQ(count("SELECT holds FROM alert_states"), 0);
  EXPECT_EQ(count("SELECT alerted FROM schedule_sync"), 0);
  // Out of step again: somebody has to look again.
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::raise)}}}).publications.size(), 1u);
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 2);
  EXPECT_EQ(count("SELECT alerted FROM schedule_sync"), count("SELECT max(id) FROM alerts"));
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE waits = 1"), 1);
  // A mark of before, or of something else, is no alert's id: the open one ends.
  ends.alert = 99;
  EXPECT_EQ(one({SyncSubjects{.subjects = {ends}}}).publications.size(), 1u);
  EXPECT_EQ(count("SELECT count(*) FROM alert_states WHERE holds = 1"), 0);
  EXPECT_EQ(events(), "raised acknowledged revised raised revised ");
}

TEST_F(SyncCommandsTest, OneThatNobodyHasOpenAnyMoreIsNotTakenBack) {
  EXPECT_EQ(one({SyncSubjects{.subjects = {subject(Alarm::end)}}}).results.front().verdict,
            Verdict::stored);
  EXPECT_EQ(events(), "");
}

}  // namespace
}  // namespace trialward::intake
