// What is missing raises an alert when it is due: to the second, whatever the clock does, and after
// a restart.
#include "intake/due_sweep.h"

#include "runtime/periodic.h"
#include "tests/intake/watched_study.h"

namespace trialward::intake {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRules = R"(
[[rules]]
id = "no-alt"
title = "t"
within = "2 h"
missing = { kind = "lab", codes = ["ALT"] }
after = { kind = "exposure" }
until = { kind = "disposition" }
)";

class DueSweepTest : public WatchedStudy {
 protected:
  void SetUp() override {
    WatchedStudy::SetUp();
    clock_.advance(std::chrono::milliseconds(kNow - clock_.utc_ms()));
    start(kRules);
  }
  void TearDown() override { stop(); }

  // A server over the store, with no thread of its own.
  void start(const std::string& rules) {
    use_rules(rules);
    intake_ = std::make_unique<Intake>(
        store_->writer(), clock_, IntakeOptions(),
        [this](std::vector<Publication> events) {
          for (Publication& event : events) events_.push_back(std::move(event));
        },
        [](const BatchReport&) {});
    auto reader = store_->open_reader();
    ASSERT_TRUE(reader.ok());
    sweep_ = std::make_unique<DueSweep>(*intake_, clock_, std::move(*reader),
                                        std::vector<std::shared_ptr<const ActiveStudy>>{study_});
    periodic_ = std::make_unique<runtime::Periodic>(
        runtime::PeriodicOptions{
            .name = "dues", .interval = DueSweep::kInterval, .deadline = 10s},
        [this](const runtime::Cancel& cancel) { return sweep_->run(cancel); }, random_, tasks_);
  }
  void stop() {
    if (periodic_ != nullptr) periodic_->stop();
    if (intake_ != nullptr) intake_->drain(clock_.now());
    periodic_.reset();
    sweep_.reset();
    intake_.reset();
  }

  void send(model::Record record) {
    auto ticket = intake_->admit(Lane::live, 100);
    ASSERT_TRUE(ticket.ok());
    bool stored = false;
    intake_->submit(std::move(*ticket), with(std::move(record)), runtime::kForever,
                    [&](const SubmissionResult& result) {
                      stored = result.verdict == Verdict::stored;
                    });
    settle();
    ASSERT_TRUE(stored);
  }
  void settle() {
    while (intake_->run_once()) {
    }
  }
  // Lets time pass in small steps, and the server do what it does.
  void pass(std::chrono::milliseconds time) {
    for (auto left = time; left > 0ms;) {
      const auto step = std::min<std::chrono::milliseconds>(left, 100ms);
      clock_.advance(step);
      left -= step;
      (void)periodic_->step();
      settle();
    }
  }

  model::Record dose(const std::string& id, std::chrono::milliseconds ago) {
    return record(id, model::Kind::exposure, "DRUG", {}, "",
                  model::format_utc(clock_.utc_ms() - ago.count()));
  }
  model::Record alt(const std::string& id, std::chrono::milliseconds ago) {
    return lab(id, "ALT", 1, model::format_utc(clock_.utc_ms() - ago.count()));
  }

  runtime::TaskList tasks_{clock_};
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<DueSweep> sweep_;
  std::unique_ptr<runtime::Periodic> periodic_;
};

TEST_F(DueSweepTest, RaisesWithinASecondOfWhatIsDueAndNotBefore) {
  send(dose("1", 0min));
  pass(2h - 100ms);
  EXPECT_EQ(told(), "");
  pass(1s);
  EXPECT_EQ(told(), "no-alt: 1\n");
  ASSERT_EQ(events_.size(), 1u);
  pass(1min);
  EXPECT_EQ(count("SELECT count(*) FROM subject_passes"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM subject_dues WHERE due_ms IS NULL"), 1);
}

TEST_F(DueSweepTest, JumpsOfTheWallClockChangeNothing) {
  for (const auto jump : {60min, -60min}) {
    SCOPED_TRACE(jump.count());
    events_.clear();
    model::Record first = dose("j" + std::to_string(jump.count()), 0min);
    first.subject = "J" + std::to_string(jump.count());
    send(first);
    pass(30min);
    clock_.jump_wall(jump);
    pass(90min - 200ms);
    EXPECT_TRUE(events_.empty());
    clock_.jump_wall(-jump);
    pass(1s);
    EXPECT_EQ(events_.size(), 1u);
    // And one that jumps once and stays.
    first = dose("k" + std::to_string(jump.count()), 0min);
    first.subject = "K" + std::to_string(jump.count());
    send(first);
    clock_.jump_wall(jump);
    pass(2h - 200ms);
    EXPECT_EQ(events_.size(), 1u);
    pass(1s);
    EXPECT_EQ(events_.size(), 2u);
    clock_.jump_wall(-jump);
  }
}

TEST_F(DueSweepTest, AServerThatWasDownOverTheDeadlineRaisesAtItsStart) {
  send(dose("1", 0min));
  pass(1h);
  stop();
  clock_.advance(3h);
  reopen();
  start(kRules);
  EXPECT_EQ(told(), "");
  (void)periodic_->step();
  settle();
  EXPECT_EQ(told(), "no-alt: 1\n");
  // Once: also after another restart, and when it was acknowledged meanwhile.
  (void)run(submission({acknowledgement(1)}));
  stop();
  reopen();
  start(kRules);
  pass(1min);
  EXPECT_EQ(told(), "no-alt: 1\n");
}

TEST_F(DueSweepTest, WhatComesLateRevisesTheAlert) {
  send(dose("1", 0min));
  pass(2h + 1s);
  EXPECT_EQ(told(), "no-alt: 1\n");
  stop();
  reopen();
  start(kRules);
  send(alt("2", 2h));  // late in coming, not in being taken
  EXPECT_EQ(told(), "no-alt!: -1\n");
  EXPECT_EQ(events_.back().event.detail.because, std::vector<std::int64_t>{2});
}

TEST_F(DueSweepTest, NothingIsMissedThatCameInTimeOrOfWhoLeft) {
  send(dose("1", 0min));
  pass(1h);
  send(alt("2", 1min));
  model::Record other = dose("3", 0min);
  other.subject = "S2";
  send(other);
  model::Record left = record("4", model::Kind::disposition, "LEFT", {}, "",
                              model::format_utc(clock_.utc_ms() + 1000));
  left.subject = "S2";
  send(left);
  pass(3h);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(count("SELECT count(*) FROM subject_passes"), 0);
}

TEST_F(DueSweepTest, SubjectsFromBeforeTheRuleAreWaitedForToo) {
  stop();
  start("");
  send(dose("1", 90min));
  EXPECT_EQ(count("SELECT count(*) FROM subject_dues"), 0);
  stop();
  start(kRules);
  pass(1s);
  EXPECT_EQ(count("SELECT count(*) FROM subject_dues"), 1);
  EXPECT_EQ(told(), "");
  pass(30min);
  EXPECT_EQ(told(), "no-alt: 1\n");
}

TEST_F(DueSweepTest, MoreThanMayBeUnderWayAtOnceAreFoundOneAfterTheOther) {
  constexpr std::size_t kSubjects = DueSweep::kUnderWayMax + 50;
  for (std::size_t i = 0; i < kSubjects; ++i) {
    model::Record one = dose("d" + std::to_string(i), 3h);
    one.subject = "S" + std::to_string(i);
    send(one);
  }
  clock_.advance(200ms);
  (void)periodic_->step();
  EXPECT_EQ(sweep_->under_way(), DueSweep::kUnderWayMax);
  clock_.advance(200ms);
  (void)periodic_->step();  // nothing was done meanwhile, so nothing is submitted twice
  EXPECT_EQ(sweep_->under_way(), DueSweep::kUnderWayMax);
  pass(1s);
  EXPECT_EQ(sweep_->under_way(), 0u);
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), std::int64_t{kSubjects});
}

TEST_F(DueSweepTest, WhatCouldNotBeStoredIsFoundAgain) {
  if (on_postgres()) GTEST_SKIP() << "triggers are written otherwise";
  stop();
  start("");
  send(dose("1", 2h));
  stop();
  start(kRules);
  auto& connection = store_->writer().connection();
  ASSERT_TRUE(connection.script("CREATE TEMP TRIGGER t BEFORE INSERT ON subject_dues "
                                "BEGIN SELECT RAISE(ABORT, 'not now'); END").ok());
  pass(1s);
  ASSERT_TRUE(connection.script("DROP TRIGGER t").ok());
  pass(1s);
  EXPECT_EQ(count("SELECT count(*) FROM subject_dues"), 0);
  pass(5s);
  EXPECT_EQ(told(), "no-alt: 1\n");
}

TEST_F(DueSweepTest, AFullQueueIsAskedAgainLater) {
  send(dose("1", 3h));
  std::vector<Intake::Ticket> tickets;
  while (true) {
    auto ticket = intake_->admit(Lane::safety, 0);
    if (!ticket) break;
    tickets.push_back(std::move(*ticket));
  }
  pass(1s);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(sweep_->under_way(), 0u);
  tickets.clear();
  pass(1s);
  EXPECT_EQ(told(), "no-alt: 1\n");
}

}  // namespace
}  // namespace trialward::intake
