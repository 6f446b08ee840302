#include "intake/intake.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <latch>
#include <thread>

#include "tests/intake/bench_study.h"

namespace trialward::intake {
namespace {

using namespace std::chrono_literals;

class IntakeTest : public StudyBench {
 protected:
  void SetUp() override {
    StudyBench::SetUp();
    make({});
  }
  // Each run_once() answers what it has taken.
  void make(IntakeOptions options) {
    options.ahead = false;
    make_as(std::move(options));
  }
  void make_as(IntakeOptions options) {
    intake_.reset();
    intake_ = std::make_unique<Intake>(
        store_->writer(), clock_, std::move(options),
        [this](std::vector<Publication> events) { published_ += events.size(); },
        [this](const BatchReport& report) {
          reports_.push_back(report);
          observed_();
        });
  }
  // Puts one record into a lane; its verdict will stand in verdicts_.
  bool put(const std::string& source_id, Lane lane = Lane::live, base::Duration deadline = 10s,
           double value = 50) {
    auto ticket = intake_->admit(lane, 100);
    if (!ticket) return false;
    auto& verdict = verdicts_.emplace_back(source_id, std::nullopt);
    intake_->submit(std::move(*ticket), submission({alt(source_id, value)}),
                    clock_.now() + deadline, [this, &verdict](const SubmissionResult& result) {
                      EXPECT_FALSE(verdict.second.has_value());  // answered once
                      verdict.second = result.verdict;
                      order_.push_back(verdict.first);
                    });
    return true;
  }

  std::deque<std::pair<std::string, std::optional<Verdict>>> verdicts_;
  std::vector<std::string> order_;  // as answered
  std::vector<BatchReport> reports_;
  std::function<void()> observed_ = [] {};
  std::size_t published_ = 0;
  std::unique_ptr<Intake> intake_;  // last: its end answers what waits
};

TEST_F(IntakeTest, WhatWaitsIsCommittedAsOneBatch) {
  EXPECT_FALSE(intake_->run_once());
  for (int i = 0; i < 7; ++i) put(std::to_string(i));
  EXPECT_TRUE(intake_->run_once());
  EXPECT_FALSE(intake_->run_once());
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].records, 7u);
  EXPECT_EQ(reports_[0].verdicts[static_cast<std::size_t>(Verdict::stored)], 7u);
  EXPECT_EQ(order_.size(), 7u);
  EXPECT_EQ(reports_[0].wal_bytes > 0, !on_postgres());
}

TEST_F(IntakeTest, ABatchIsCappedInItemsAndInBytes) {
  make({.batch = {.items_max = 3}});
  for (int i = 0; i < 7; ++i) put(std::to_string(i));
  intake_->run_once();
  EXPECT_EQ(order_.size(), 3u);
  make({.batch_bytes_max = 250});
  for (int i = 10; i < 17; ++i) put(std::to_string(i));
  order_.clear();
  intake_->run_once();
  EXPECT_EQ(order_.size(), 2u);
}

// With a server; with SQLite each is answered at once.
TEST_F(IntakeTest, P1WhatIsUnderWayIsAnsweredOnceItHasEnded) {
  make_as({.batch = {.items_max = 3}});
  for (int i = 0; i < 7; ++i) put(std::to_string(i));
  for (const std::size_t answered : {3U, 6U, 7U}) {
    EXPECT_TRUE(intake_->run_once());
    EXPECT_EQ(order_.size(), on_postgres() && answered < 7 ? answered - 3 : answered);
  }
  EXPECT_FALSE(intake_->run_once());
  ASSERT_EQ(reports_.size(), 3U);
  EXPECT_EQ(reports_[1].records, 3U);
  EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end()));
}

TEST_F(IntakeTest, P6AfterASafetyRecordNoBatchIsMadeBehindAnother) {
  make_as({.batch = {.items_max = 3}});
  put("safety", Lane::safety);
  for (int i = 0; i < 8; ++i) put(std::to_string(i));
  EXPECT_TRUE(intake_->run_once());
  EXPECT_EQ(order_.size(), 3U);
  clock_.advance(2s);
  EXPECT_TRUE(intake_->run_once());
  EXPECT_EQ(order_.size(), on_postgres() ? 3U : 6U);
}

TEST_F(IntakeTest, P6AfterASafetyRecordBatchesAreShort) {
  if (!on_postgres()) GTEST_SKIP() << "with SQLite they are short enough";
  observed_ = [this] {
    clock_.advance(200ms + 2ms * static_cast<int>(reports_.back().records));
  };
  int last = 0;
  for (int batch = 0; batch < 200; ++batch) {
    for (int i = 0; i <= batch % 2 * 90; ++i) put(std::to_string(++last));
    while (intake_->run_once()) {
    }
  }
  put("safety", Lane::safety);
  intake_->run_once();
  for (int i = 0; i < 400; ++i) put(std::to_string(++last));
  intake_->run_once();
  const auto records_in_short = static_cast<double>(reports_.back().records);
  const base::Duration backlog = intake_->backlog(Lane::live);
  clock_.advance(2s);
  EXPECT_LT(intake_->backlog(Lane::live), backlog) << "in fewer batches";
  intake_->run_once();
  const auto records = static_cast<double>(reports_.back().records);
  EXPECT_NEAR(records_in_short / records, 0.6, 0.1);
  // But a flood of safety records is taken in large ones.
  put("safety again", Lane::safety);
  intake_->run_once();
  for (int i = 0; i < 200; ++i) put(std::to_string(++last), Lane::safety);
  intake_->run_once();
  EXPECT_NEAR(static_cast<double>(reports_.back().records), records, 20);
}

TEST_F(IntakeTest, P5DrainAnswersWhatIsUnderWay) {
  make_as({.batch = {.items_max = 3}});
  for (int i = 0; i < 7; ++i) put(std::to_string(i));
  EXPECT_TRUE(intake_->run_once());
  intake_->drain(clock_.now());  // at once: what waits is not committed any more
  EXPECT_EQ(order_.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(verdicts_[i].second, i < 3 ? Verdict::stored : Verdict::cancelled) << i;
  }
}

// What Retry-After is made of.
TEST_F(IntakeTest, P4TheBacklogIsHowLongWhatWaitsWillTake) {
  if (on_postgres()) GTEST_SKIP() << "a server's batches are fitted: see batch_pace_test";
  make({.live_wait_max = 2s});
  EXPECT_EQ(intake_->backlog(Lane::live), base::Duration::zero()) << "nothing is known yet";
  observed_ = [this] { clock_.advance(320ms); };
  for (int i = 0; i < 16; ++i) put(std::to_string(i));
  intake_->run_once();
  EXPECT_EQ(intake_->backlog(Lane::live), base::Duration::zero());
  int taken = 0;
  while (put(std::to_string(16 + taken))) ++taken;
  EXPECT_EQ(taken, 101);  // of 20 ms each
  EXPECT_EQ(intake_->admit(Lane::live, 10).error(), runtime::Refusal::too_slow);
  EXPECT_EQ(intake_->lanes()[1].counts.refused[static_cast<int>(runtime::Refusal::too_slow)], 2u);
  EXPECT_NEAR(std::chrono::duration<double>(intake_->backlog(Lane::live)).count(), 2.02, 0.001);
  EXPECT_TRUE(put("urgent", Lane::safety));
}

TEST_F(IntakeTest, CachesAreDroppedWhenAskedAndReadAgain) {
  put("1");
  intake_->run_once();
  int dropped = 0;
  intake_->drop_caches([&] { ++dropped; });
  put("2");
  EXPECT_TRUE(intake_->run_once());
  EXPECT_EQ(dropped, 1);
  ASSERT_TRUE(store_->writer().connection().script("UPDATE subjects SET site = 'B'").ok());
  put("3");
  intake_->run_once();
  EXPECT_EQ(verdicts_.back().second, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM records WHERE site = 'B'"), 1) << "read again";
  intake_->drain(clock_.now());
  intake_->drop_caches([&] { ++dropped; });
  EXPECT_EQ(dropped, 1);
}

TEST_F(IntakeTest, P4AFullLaneRefusesAndOnlyThatLane) {
  IntakeOptions options;
  options.live = {"live", 2, 1000, 4};
  make(options);
  EXPECT_TRUE(put("1"));
  EXPECT_TRUE(put("2"));
  auto refused = intake_->admit(Lane::live, 100);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), runtime::Refusal::items_full);
  EXPECT_TRUE(put("3", Lane::safety));
  intake_->run_once();
  EXPECT_TRUE(put("4"));
}

TEST_F(IntakeTest, P4SafetyGoesBeforeAFullBulkLane) {
  make({.batch = {.items_max = 4}});
  for (int i = 0; i < 12; ++i) put("bulk" + std::to_string(i), Lane::bulk);
  put("safety", Lane::safety);
  intake_->run_once();
  EXPECT_NE(std::find(order_.begin(), order_.end(), "safety"), order_.end());
}

TEST_F(IntakeTest, WhatIsPastItsDeadlineIsAnsweredAndNotStored) {
  put("late", Lane::live, 1s);
  put("early", Lane::live, 5s);
  clock_.advance(2s);
  intake_->run_once();
  EXPECT_EQ(verdicts_[0].second, Verdict::expired);
  EXPECT_EQ(verdicts_[1].second, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_EQ(reports_[0].expired, 1u);
}

// Nobody takes anything out of the queue meanwhile, as when a COMMIT takes long.
TEST_F(IntakeTest, P4WhatIsPastItsDeadlineIsAnsweredWhileNothingIsCommitted) {
  put("late", Lane::live, 1s);
  put("early", Lane::live, 5s);
  put("later", Lane::bulk, 2s);
  intake_->expire();
  EXPECT_TRUE(order_.empty());
  clock_.advance(2s);
  intake_->expire();
  EXPECT_EQ(order_, (std::vector<std::string>{"late", "later"}));
  EXPECT_EQ(verdicts_[0].second, Verdict::expired);
  EXPECT_EQ(verdicts_[2].second, Verdict::expired);
  EXPECT_EQ(reports_.at(0).expired, 2U);
  intake_->run_once();
  EXPECT_EQ(verdicts_[1].second, Verdict::stored);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
}

TEST_F(IntakeTest, AlertsArePublishedBeforeTheAnswer) {
  put("1", Lane::live, 10s, 150);
  intake_->run_once();
  EXPECT_EQ(published_, 1u);
}

TEST_F(IntakeTest, PoisonIsSetAside) {
  make({.set_aside_path = folder_.file("aside.ndjson")});
  auto broken = std::make_shared<ActiveStudy>(*study_);
  broken->monitor = std::make_shared<const HundredMonitor>("broken");
  AppendRecord command = alt("1", 50);
  command.record.original = "{\"as\":\"sent\"}";
  Submission poison = submission({command});
  poison.study = broken;
  auto ticket = intake_->admit(Lane::live, 100);
  std::optional<Verdict> verdict;
  intake_->submit(std::move(*ticket), std::move(poison), clock_.now() + 1s,
                  [&](const SubmissionResult& result) { verdict = result.verdict; });
  intake_->run_once();
  EXPECT_EQ(verdict, Verdict::poison);
  std::ifstream file(folder_.file("aside.ndjson"));
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_NE(line.find(R"("original":"{\"as\":\"sent\"}")"), std::string::npos) << line;
}

TEST_F(IntakeTest, DrainCommitsWhatWaitsAndRefusesNewcomers) {
  for (int i = 0; i < 5; ++i) put(std::to_string(i));
  intake_->drain(clock_.now() + 1s);
  EXPECT_EQ(order_.size(), 5u);
  auto refused = intake_->admit(Lane::live, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), runtime::Refusal::closed);
}

TEST_F(IntakeTest, DrainWithoutTimeAnswersTheRestAsCancelled) {
  for (int i = 0; i < 5; ++i) put(std::to_string(i));
  intake_->drain(clock_.now());
  ASSERT_EQ(order_.size(), 5u);
  EXPECT_EQ(verdicts_[0].second, Verdict::cancelled);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 0);
}

TEST_F(IntakeTest, ItsThreadCommitsAndStops) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  std::latch answered(20);
  {
    Intake intake(
        store_->writer(), clock, {}, [](std::vector<Publication>) {}, [](const BatchReport&) {});
    intake.start(tasks);
    for (int i = 0; i < 20; ++i) {
      auto ticket = intake.admit(Lane::bulk, 10);
      ASSERT_TRUE(ticket.ok());
      intake.submit(std::move(*ticket), submission({alt(std::to_string(i), 50)}),
                    clock.now() + 60s, [&](const SubmissionResult& result) {
                      EXPECT_EQ(result.verdict, Verdict::stored);
                      answered.count_down();
                    });
    }
    answered.wait();
    intake.drain(clock.now() + 5s);
  }
  EXPECT_EQ(tasks.count(), 0u);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 20);
}

// A batch that has been taken from the queue, and is not being committed yet, is at work: drain()
// must not take it for done, and then wait for its statements as long as they like.
TEST_F(IntakeTest, P5DrainSeesABatchThatHasJustBegun) {
  if (!on_postgres()) GTEST_SKIP() << "it wants a statement that waits for another session";
  auto other = store::PostgresConnection::open(folder_.store(), {.writes = true});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->script("BEGIN; LOCK TABLE records IN ACCESS EXCLUSIVE MODE").ok());
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  std::latch taken(1), draining(1);
  Intake intake(
      store_->writer(), clock, {}, [](std::vector<Publication>) {}, [](const BatchReport&) {});
  const auto submit = [&](const char* id, base::TimePoint deadline, Intake::Done done) {
    auto ticket = intake.admit(Lane::live, 10);
    ASSERT_TRUE(ticket.ok());
    intake.submit(std::move(*ticket), submission({alt(id, 50)}), deadline, std::move(done));
  };
  // The first is answered before the commit, as it is late, and that takes a while.
  submit("1", clock.now(), [&](const SubmissionResult& result) {
    EXPECT_EQ(result.verdict, Verdict::expired);
    taken.count_down();
    draining.wait();
  });
  submit("2", runtime::kForever, [](const SubmissionResult& result) {
    EXPECT_EQ(result.verdict, Verdict::unavailable);
  });
  intake.start(tasks);
  taken.wait();
  const base::TimePoint begun = clock.now();
  const runtime::Cancel never;
  std::thread goes_on([&] {
    (void)never.wait_until(clock, begun + 300ms);  // by then it has looked at the queue
    draining.count_down();
  });
  intake.drain(begun + 100ms);
  EXPECT_LT(clock.now() - begun, 5s);
  goes_on.join();
}

}  // namespace
}  // namespace trialward::intake
