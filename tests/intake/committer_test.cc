#include "intake/committer.h"

#include "monitor/rules.h"
#include "store/alert_rows.h"
#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

class CommitterTest : public CommitterBench {
 protected:
  void SetUp() override {
    CommitterBench::SetUp();
    if (store_ != nullptr) renew();
  }
  void renew(SubjectCacheOptions subjects = {.subjects_max = 100, .unsaved_max = 1}) {
    CommitterBench::renew(subjects);
  }
};

TEST_F(CommitterTest, P1ARecordIsStoredWithItsAuditEntryAlertAndState) {
  const auto outcome = commit({submission({alt("1", 150)})});
  ASSERT_EQ(outcome.results.front().verdict, Verdict::stored);
  const CommandResult& result = outcome.results.front().results.front();
  EXPECT_EQ(result.id, 1);
  EXPECT_FALSE(result.repeated);
  EXPECT_EQ(result.alerts, std::vector<std::int64_t>{1});
  EXPECT_EQ(result.raised, 1);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE object_table = 'records'"), 1);
  EXPECT_EQ(count("SELECT last_record FROM subject_states"), 1);
  ASSERT_EQ(outcome.publications.size(), 1u);
  const model::AlertEvent& event = outcome.publications.front().event;
  EXPECT_EQ(event.number, 1);
  EXPECT_EQ(event.rule, "hundred");
  EXPECT_EQ(event.subject, "P-1");
  EXPECT_EQ(event.site, "A");
  ASSERT_EQ(event.causes.size(), 1u);
  EXPECT_EQ(event.causes.front().source_id, "1");
}

TEST_F(CommitterTest, P2ARepeatIsTheFirstAnswerAndStoresNothing) {
  commit({submission({alt("1", 150)})});
  const SubmissionResult again = one({alt("1", 150)});
  ASSERT_EQ(again.verdict, Verdict::stored);
  EXPECT_TRUE(again.results.front().repeated);
  EXPECT_EQ(again.results.front().id, 1);
  EXPECT_EQ(again.results.front().alerts, std::vector<std::int64_t>{1});
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM alert_events"), 1);
}

TEST_F(CommitterTest, P2OtherContentUnderTheSameIdIsAConflict) {
  commit({submission({alt("1", 50)})});
  const SubmissionResult other = one({alt("1", 51)});
  EXPECT_EQ(other.verdict, Verdict::conflict);
  EXPECT_EQ(other.faults.front().path, "/source_id");
}

// As after a study's bounds were narrowed: what is stored is repeated, the rest is refused with the
// faults of today.
TEST_F(CommitterTest, P2ARepeatOfWhatWouldNotBeTakenTodayIsOneAllTheSame) {
  ASSERT_EQ(one({alt("1", 150)}).verdict, Verdict::stored);
  reopen("h1", std::string(kStudyToml) + "possible = [0, 100]\n");
  committer_ = std::make_unique<Committer>(store_->writer(), clock_, SubjectCacheOptions{});
  const auto sent = [&](const std::string& source_id, double value) {
    model::Record record = alt(source_id, 50).record;
    record.value.number = value;
    AppendRecord command;
    EXPECT_FALSE(prepare(*study_, std::move(record), kNow, command).empty());
    return one({command});
  };
  const SubmissionResult again = sent("1", 150);
  ASSERT_EQ(again.verdict, Verdict::stored) << model::to_json(again.faults);
  EXPECT_TRUE(again.results.front().repeated);
  EXPECT_EQ(again.results.front().alerts, std::vector<std::int64_t>{1});
  for (const SubmissionResult& refused : {sent("1", 151), sent("2", 150)}) {
    EXPECT_EQ(refused.verdict, Verdict::invalid);
    EXPECT_EQ(refused.faults.front().path, "/value");
  }
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
}

// Whatever has become of its subject or of what it corrects: the first answer again.
TEST_F(CommitterTest, P2ARepeatComesBeforeAnyRefusal) {
  const AppendRecord first = alt("1", 50, "P-7");
  ASSERT_EQ(one({first}).verdict, Verdict::stored);
  Submission elsewhere = submission({first});
  elsewhere.site = "B";
  EXPECT_EQ(commit({elsewhere}).results.front().faults.front().path, "/source_id");
  AppendRecord correction = alt("2", 60, "P-7");
  correction.record.amends = 1;
  correction.record.reason = "typing error";
  ASSERT_EQ(one({correction}).verdict, Verdict::stored);
  EXPECT_TRUE(one({correction}).results.front().repeated) << "record 1 is corrected already";
  // Known content under another, unknown subject: nobody is enrolled by it.
  EXPECT_EQ(one({alt("1", 50, "P-8")}).verdict, Verdict::conflict);
  EXPECT_EQ(count("SELECT count(*) FROM subjects"), 1);
}

TEST_F(CommitterTest, P2DuplicatesWithinABatchAreStoredOnce) {
  const auto outcome = commit({submission({alt("1", 50)}), submission({alt("1", 50)}),
                               submission({alt("1", 60)}), submission({alt("2", 50)})});
  EXPECT_FALSE(outcome.results[0].results.front().repeated);
  EXPECT_TRUE(outcome.results[1].results.front().repeated);
  EXPECT_EQ(outcome.results[2].verdict, Verdict::conflict);
  EXPECT_EQ(outcome.results[3].verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 2);
}

// More than are written with one statement: what was sent before is found at one end or the other.
TEST_F(CommitterTest, P2WhatIsSentAgainIsFoundAmongMuchThatIsNew) {
  constexpr int kMany = 900;
  for (const int known : {1, kMany}) {
    SCOPED_TRACE(known);
    const std::string prefix = std::to_string(known) + "-";
    ASSERT_EQ(one({alt(prefix + std::to_string(known), 50)}).verdict, Verdict::stored);
    std::vector<Submission> batch;
    for (int i = 1; i <= kMany; ++i)
      batch.push_back(submission({alt(prefix + std::to_string(i), 50)}));
    for (const bool again : {false, true}) {
      const auto outcome = commit(batch);
      int repeated = 0;
      for (const SubmissionResult& result : outcome.results) {
        ASSERT_EQ(result.verdict, Verdict::stored);
        repeated += result.results.front().repeated ? 1 : 0;
      }
      EXPECT_EQ(repeated, again ? kMany : 1);
    }
  }
  EXPECT_EQ(count("SELECT count(*) FROM records"), 2 * kMany);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE object_table = 'records'"), 2 * kMany);
}

TEST_F(CommitterTest, FurtherCausesJoinTheOpenAlertUntilItIsAcknowledged) {
  EXPECT_EQ(one({alt("1", 150)}).results.front().raised, 1);
  EXPECT_EQ(one({alt("2", 160)}).results.front().raised, 0);
  auto alerts = store::read_alerts(store_->writer().connection(), {.study = study_->row});
  ASSERT_TRUE(alerts.ok()) << alerts.error().message;
  ASSERT_EQ(alerts->size(), 1u);
  EXPECT_EQ(alerts->front().records.size(), 2u);
  EXPECT_EQ(alerts->front().status(), "open");

  const model::ReadBack value{.record = 2, .value = "160", .unit = "U/L"};
  ASSERT_EQ(one({AcknowledgeAlert{1, "called the site", {value}}}).verdict, Verdict::stored);
  EXPECT_EQ(one({AcknowledgeAlert{1, "again", {value}}}).verdict, Verdict::conflict);
  EXPECT_EQ(one({AcknowledgeAlert{9, "which"}}).verdict, Verdict::not_found);
  const SubmissionResult next = one({alt("3", 170)});
  EXPECT_EQ(next.results.front().raised, 1);
  EXPECT_EQ(next.results.front().alerts, std::vector<std::int64_t>{2});
  alerts = store::read_alerts(store_->writer().connection(),
                              {.study = study_->row, .status = "acknowledged"});
  ASSERT_EQ(alerts->size(), 1u);
  EXPECT_EQ(alerts->front().note, "called the site");
  EXPECT_EQ(alerts->front().acknowledged_by, "tester");
}

TEST_F(CommitterTest, EventNumbersHaveNoGap) {
  for (int i = 0; i < 5; ++i) one({alt(std::to_string(i), 150)});
  auto events = store::read_alert_events(store_->writer().connection(), study_->row, 2, 10);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ(events->front().number, 3);
  EXPECT_EQ(events->back().number, 5);
}

TEST_F(CommitterTest, ARuleThatThrowsRaisesAnOperationalAlertAndTheRecordIsStored) {
  const SubmissionResult result = one({alt("1", 666)});
  ASSERT_EQ(result.verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM alerts WHERE rule = 'trialward-rule-failed'"), 1);
}

TEST_F(CommitterTest, ASubmissionIsAtomic) {
  one({alt("1", 50)});
  const SubmissionResult result =
      one({alt("2", 150), AcknowledgeAlert{77, "no such alert"}, alt("3", 50)});
  EXPECT_EQ(result.verdict, Verdict::not_found);
  EXPECT_EQ(result.faults.front().path, "/1");
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 0);
  // What was taken back leaves no trace in ids, chains and the subject's state.
  EXPECT_EQ(one({alt("4", 50)}).results.front().id, 2);
  EXPECT_EQ(count("SELECT last_record FROM subject_states"), 2);
  EXPECT_EQ(count("SELECT previous FROM records WHERE id = 2"), 1);
}

TEST_F(CommitterTest, AnAtomicRefusalKeepsTheBatchsEarlierChangesOfTheSubject) {
  const auto outcome =
      commit({submission({alt("1", 50)}), submission({alt("2", 50), AcknowledgeAlert{77, "none"}}),
              submission({alt("3", 50)})});
  EXPECT_EQ(outcome.results[0].verdict, Verdict::stored);
  EXPECT_EQ(outcome.results[1].verdict, Verdict::not_found);
  EXPECT_EQ(outcome.results[2].verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT previous FROM records WHERE source_id = '3'"), 1);
  EXPECT_EQ(count("SELECT CAST(substr(CAST(watch AS TEXT), 1, 1) AS INTEGER) FROM subject_watches"),
            2);
}

TEST_F(CommitterTest, OnlyThePoisonSubmissionIsRefused) {
  auto broken = std::make_shared<ActiveStudy>(*study_);
  broken->monitor = std::make_shared<const HundredMonitor>("broken");
  std::vector<Submission> batch;
  for (int i = 0; i < 9; ++i) {
    batch.push_back(submission({alt(std::to_string(i), 50, "P-" + std::to_string(i))}));
  }
  batch[4].study = broken;
  const auto outcome = commit(std::move(batch));
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(outcome.results[i].verdict, i == 4 ? Verdict::poison : Verdict::stored) << i;
  }
  EXPECT_EQ(count("SELECT count(*) FROM records"), 8);
  EXPECT_EQ(count("SELECT count(*) FROM subjects"), 8);
}

TEST_F(CommitterTest, TokensAreCreatedAndRevoked) {
  const store::TokenRow token{.name = "n", .role = "feed", .study = study_->row};
  ASSERT_EQ(one({CreateToken{token}}).verdict, Verdict::stored);
  EXPECT_EQ(one({CreateToken{token}}).verdict, Verdict::conflict);  // the same hash
  EXPECT_EQ(one({RevokeToken{1}}).verdict, Verdict::stored);
  EXPECT_EQ(one({RevokeToken{1}}).verdict, Verdict::conflict);
  EXPECT_EQ(one({RevokeToken{2}}).verdict, Verdict::not_found);
}

TEST_F(CommitterTest, CorrectionsAppendAndChainVersions) {
  one({alt("1", 50)});
  AppendRecord second = alt("2", 55);
  second.record.amends = 1;
  second.record.reason = "typing error";
  ASSERT_EQ(one({second}).verdict, Verdict::stored);
  EXPECT_EQ(count("SELECT version FROM records WHERE id = 2"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE action = 'record.corrected'"), 1);
  AppendRecord rival = alt("3", 56);
  rival.record.amends = 1;
  EXPECT_EQ(one({rival}).verdict, Verdict::conflict);
  AppendRecord foreign = alt("4", 56, "P-2");
  foreign.record.amends = 2;
  EXPECT_EQ(one({foreign}).faults.front().path, "/amends");
  EXPECT_EQ(count("SELECT count(*) FROM subjects"), 1);  // a refused record enrols nobody
}

// The versions of one record are one to a rule with one_alert_per = "record".
TEST_F(CommitterTest, ACorrectionOfACorrectionBelongsToTheFirstVersionsAlert) {
  auto study = model::load_study(std::vector<model::DefinitionFile>{
      {"rules.toml",
       "[[rules]]\nid = \"r\"\ntitle = \"t\"\none_alert_per = \"record\"\n"
       "kind = \"lab\"\nabove = 100\nunit = \"U/L\"\ncodes = [\"ALT\"]\n"},
      {"study.toml", kStudyToml}});
  ASSERT_TRUE(study.ok());
  auto active = std::make_shared<ActiveStudy>(*study_);
  active->study = std::make_shared<const model::Study>(std::move(*study));
  auto monitor = monitor::load_rules(active->study);
  ASSERT_TRUE(monitor.ok());
  active->monitor = std::move(*monitor);
  study_ = active;

  const auto correct = [&](const std::string& source_id, double value, std::int64_t amends) {
    AppendRecord correction = alt(source_id, value);
    correction.record.amends = amends;
    correction.record.reason = "typing error";
    return one({correction}).results.front().alerts;
  };
  using Alerts = std::vector<std::int64_t>;
  EXPECT_EQ(one({alt("1", 150)}).results.front().alerts, Alerts{1});
  EXPECT_EQ(correct("2", 160, 1), Alerts{1});
  EXPECT_EQ(correct("3", 50, 2), Alerts{});
  EXPECT_EQ(correct("4", 170, 3), Alerts{1});
  EXPECT_EQ(one({alt("5", 150)}).results.front().alerts, Alerts{2});
}

TEST_F(CommitterTest, EffectiveTimesMeanTheSitesClock) {
  one({alt("1", 50)});
  // 10:00 in Berlin on 2024-03-01 is 09:00 UTC, and the minute lasts a minute.
  EXPECT_EQ(count("SELECT from_ms FROM records"), 1'709'283'600'000);
  EXPECT_EQ(count("SELECT until_ms - from_ms FROM records"), 60'000);
}

TEST_F(CommitterTest, SitesAreKept) {
  AppendRecord at_b = alt("1", 50, "P-7");
  at_b.record.site = "B";
  ASSERT_EQ(one({at_b}).verdict, Verdict::stored);
  AppendRecord at_a = alt("2", 50, "P-7");
  at_a.record.site = "A";
  EXPECT_EQ(one({at_a}).faults.front().path, "/site");
  Submission scoped = submission({alt("3", 50, "P-7")});
  scoped.site = "A";
  EXPECT_EQ(commit({scoped}).results.front().verdict, Verdict::forbidden);
  scoped.site = "B";
  EXPECT_EQ(commit({scoped}).results.front().verdict, Verdict::stored);
}

TEST_F(CommitterTest, WithoutEnrolmentAnUnknownSubjectIsRefused) {
  std::string toml = kStudyToml;
  toml.replace(toml.find("first-record"), 12, "demographics");
  reopen("h1", toml);
  renew();
  const SubmissionResult result = one({alt("1", 50)});
  EXPECT_EQ(result.verdict, Verdict::invalid);
  EXPECT_EQ(result.faults.front().path, "/subject");
  EXPECT_EQ(count("SELECT count(*) FROM subjects"), 0);
}

TEST_F(CommitterTest, TheWatchIsSavedReadAgainAndRebuilt) {
  for (int i = 0; i < 4; ++i) one({alt(std::to_string(i), 50)});
  const std::string saved = "SELECT count(*) FROM subject_watches WHERE CAST(watch AS TEXT) = ";
  EXPECT_EQ(count(saved + "'4 10'"), 1);
  reopen();  // the same rules: goes on from what was saved
  renew();
  one({alt("4", 50)});
  EXPECT_EQ(count(saved + "'5 15'"), 1);
  reopen("h2");  // other rules: rebuilt from the records
  renew();
  one({alt("5", 50)});
  EXPECT_EQ(count(saved + "'6 21'"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM subject_watches WHERE rules = 'h2'"), 1);
  // A damaged one is rebuilt, too.
  ASSERT_TRUE(store_->writer()
                  .connection()
                  .script(test_sql("UPDATE subject_watches SET watch = CAST('damaged' AS BLOB)"))
                  .ok());
  reopen("h2");
  renew();
  one({alt("6", 50)});
  EXPECT_EQ(count(saved + "'7 28'"), 1);
}

// What was saved lacks records then; whoever reads it shows it them.
TEST_F(CommitterTest, AWatchIsSavedWithTheFirstRecordAndThenSeldom) {
  renew({.subjects_max = 100, .unsaved_max = 4});
  const std::string saved = "SELECT count(*) FROM subject_watches WHERE CAST(watch AS TEXT) = ";
  for (int i = 0; i < 4; ++i) one({alt(std::to_string(i), 50)});
  EXPECT_EQ(count(saved + "'1 1'"), 1);
  EXPECT_EQ(count("SELECT as_of FROM subject_watches"), 1);
  EXPECT_EQ(count("SELECT last_record FROM subject_states"), 4);
  reopen();
  renew({.subjects_max = 100, .unsaved_max = 4});
  one({alt("4", 50)});
  EXPECT_EQ(count(saved + "'5 15'"), 1);
  EXPECT_EQ(count("SELECT as_of FROM subject_watches"), 5);
  // A record that is not the subject's: the watch is built anew.
  ASSERT_TRUE(
      store_->writer()
          .connection()
          .script(test_sql("UPDATE subject_watches SET as_of = 4, watch = CAST('9 99' AS BLOB)"))
          .ok());
  ASSERT_TRUE(store_->writer()
                  .connection()
                  .script("UPDATE records SET previous = 3 "
                          "WHERE id = 5")
                  .ok());
  reopen();
  renew({.subjects_max = 100, .unsaved_max = 4});
  one({alt("5", 50)});
  EXPECT_EQ(count(saved + "'5 17'"), 1);
}

// So that what a record costs does not grow with what is remembered of its subject.
TEST_F(CommitterTest, ALongWatchIsSavedMoreSeldom) {
  const SubjectCacheOptions options{.subjects_max = 100, .unsaved_max = 1, .saved_bytes_of_one = 1};
  renew(options);
  const auto as_of = [&] { return count("SELECT as_of FROM subject_watches"); };
  for (int i = 1; i <= 3; ++i) one({alt(std::to_string(i), 50)});
  EXPECT_EQ(as_of(), 1) << "three bytes were saved: '1 1'";
  reopen();
  renew(options);
  one({alt("4", 50)});
  EXPECT_EQ(as_of(), 4) << "the bytes are known again with what was read";
}

TEST_F(CommitterTest, TheSubjectCacheIsBounded) {
  renew({.subjects_max = 2, .unsaved_max = 1});
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 6; ++i) {
      const std::string subject = "P-" + std::to_string(i);
      ASSERT_EQ(one({alt(subject + "/" + std::to_string(round), 50, subject)}).verdict,
                Verdict::stored);
    }
  }
  EXPECT_EQ(count("SELECT count(*) FROM subject_watches"), 6);
  EXPECT_EQ(count("SELECT min(CAST(substr(CAST(watch AS TEXT), 1, 1) AS INTEGER)) "
                  "FROM subject_watches"),
            3);
}

class SubjectCacheTest : public CommitterTest {
 protected:
  // A record each; gives how many of the subjects had to be read.
  int read_of(const std::vector<std::string>& subjects) {
    int read = 0;
    for (const std::string& subject : subjects) {
      const auto before = committer_->subjects();
      const std::string id = "r" + std::to_string(++records_);
      EXPECT_EQ(one({alt(id, 50, subject)}).verdict, Verdict::stored);
      const auto after = committer_->subjects();
      read += after.subjects + after.evicted > before.subjects + before.evicted ? 1 : 0;
    }
    return read;
  }

  int records_ = 0;
};

// A watch of this study takes a thousand bytes for each record that it has seen.
TEST_F(SubjectCacheTest, ItIsBoundedInBytesByWhatIsTrulyHeld) {
  renew({.subjects_max = 100, .bytes_max = 10'000, .unsaved_max = 1});
  EXPECT_EQ(read_of({"P-1", "P-2", "P-3"}), 3);
  const std::size_t three = committer_->subjects().bytes;
  EXPECT_GT(three, 3'000u);
  EXPECT_LT(three, 6'000u);
  for (int i = 0; i < 30; ++i) {
    read_of({"P-1", "P-2", "P-3"});
    ASSERT_LE(committer_->subjects().bytes, 10'000u);
  }
  EXPECT_GT(committer_->subjects().evicted, 0u);
  EXPECT_EQ(count("SELECT count(*) FROM subject_watches WHERE CAST(watch AS TEXT) LIKE '31 %'"), 3)
      << "what had to go is read again as it was";
  // One that is larger than all of the bound goes as soon as its transaction has ended.
  EXPECT_EQ(committer_->subjects().subjects, 0u);
  EXPECT_EQ(committer_->subjects().bytes, 0u);
}

TEST_F(SubjectCacheTest, WhoWasTouchedLongestAgoGoes) {
  renew({.subjects_max = 3, .unsaved_max = 1});
  EXPECT_EQ(read_of({"P-1", "P-2", "P-3", "P-1", "P-4"}), 4);  // P-2 goes
  EXPECT_EQ(read_of({"P-1", "P-3", "P-4"}), 0);
  EXPECT_EQ(read_of({"P-2"}), 1);  // P-1 goes
  EXPECT_EQ(read_of({"P-3", "P-4"}), 0);
  EXPECT_EQ(committer_->subjects().evicted, 2u);
}

// What a transaction has changed is written at its end, so it stays until then.
TEST_F(SubjectCacheTest, WhoIsTouchedByTheTransactionStaysUntilItsEnd) {
  renew({.subjects_max = 2, .bytes_max = 1, .unsaved_max = 1});
  std::vector<Submission> batch;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 6; ++i) {
      const std::string subject = "P-" + std::to_string(i);
      batch.push_back(submission({alt(subject + "/" + std::to_string(round), 50, subject)}));
    }
  }
  for (const SubmissionResult& result : commit(batch).results) {
    EXPECT_EQ(result.verdict, Verdict::stored);
  }
  EXPECT_EQ(count("SELECT count(*) FROM subject_watches WHERE CAST(watch AS TEXT) LIKE '2 %'"), 6);
  EXPECT_EQ(committer_->subjects().subjects, 0u);
}

// A refused part of a transaction is forgotten, and of no other subject anything.
TEST_F(SubjectCacheTest, ARefusedPartForgetsWhatItTouchedAlone) {
  ASSERT_EQ(read_of({"P-1", "P-2", "P-3"}), 3);  // records 1, 2 and 3
  const auto outcome =
      commit({submission({alt("a", 50, "P-1")}), submission({alt("b", 50, "P-2")}),
              submission({alt("c", 50, "P-2"), alt("r1", 51, "P-3")}),  // r1 has other content
              submission({alt("d", 50, "P-3")})});
  EXPECT_EQ(outcome.results[2].verdict, Verdict::conflict);
  EXPECT_EQ(committer_->subjects().subjects, 2u) << "P-1, and P-3 that came again";
  ASSERT_EQ(read_of({"P-1", "P-2", "P-3"}), 1) << "P-2 alone is read";
  EXPECT_EQ(count("SELECT count(*) FROM records"), 9);
  EXPECT_EQ(count("SELECT count(*) FROM subject_watches WHERE CAST(watch AS TEXT) IN "
                  "('3 12', '3 15', '3 18')"),
            3)
      << "records 1, 4 and 7; 2, 5 and 8; 3, 6 and 9";
  EXPECT_EQ(count("SELECT min(last_record) * 100 + max(last_record) FROM subject_states"), 709);
}

}  // namespace
}  // namespace trialward::intake
