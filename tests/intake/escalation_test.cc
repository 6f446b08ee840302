// Escalation under a clock that is moved by hand: the look-out, the queue and the commit together.
#include "intake/intake.h"
#include "monitor/escalator.h"
#include "store/alert_rows.h"
#include "store/boot_row.h"
#include "store/read_back.h"
#include "tests/intake/bench_study.h"

namespace trialward::intake {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kEscalationToml = R"(
[[escalation]]
severity = "info"
tiers = [{ targets = ["on-call"], after = "15 min" }, { targets = ["chief"], after = "30 min" }]
)";

class EscalationTest : public StudyBench {
 protected:
  void SetUp() override {
    StudyBench::SetUp();
    start();
  }
  void TearDown() override { stop(); }

  // The process, on the store as it is.
  void start() {
    reopen();
    auto study = model::load_study(std::vector<model::DefinitionFile>{
        {"escalation.toml", kEscalationToml}, {"study.toml", kStudyToml}});
    ASSERT_TRUE(study.ok());
    auto active = std::make_shared<ActiveStudy>(*study_);
    active->study = std::make_shared<const model::Study>(std::move(*study));
    study_ = active;
    ASSERT_TRUE(store::adopt_boot(store_->writer(), clock_).ok());
    tasks_ = std::make_unique<runtime::TaskList>(clock_);
    intake_ = std::make_unique<Intake>(
        store_->writer(), clock_, IntakeOptions{},
        [this](std::vector<Publication> publications) {
          for (Publication& one : publications) take(std::move(one.event));
          if (escalator_ != nullptr) escalator_->changed();
        },
        [](const BatchReport&) {});
    auto reader = store_->open_reader();
    ASSERT_TRUE(reader.ok());
    escalator_ = std::make_unique<monitor::Escalator>(
        std::move(*reader), std::vector<monitor::Escalator::Study>{{study_->row, study_->study}},
        [this](std::int64_t, const store::Wait& wait, monitor::Escalator::Done done) {
          ++handed_over_;
          if (no_place_) return false;
          return submit(EscalateAlert{wait.alert, wait.storm, wait.tier}, std::move(done));
        },
        random_, *tasks_);
  }
  void stop() {
    intake_.reset();
    escalator_.reset();
    tasks_.reset();
  }

  bool submit(Command command, std::function<void()> done = [] {}) {
    auto ticket = intake_->admit(Lane::safety, 100);
    if (!ticket) return false;
    Submission sent = submission({std::move(command)});
    sent.received_ms = clock_.utc_ms();
    intake_->submit(std::move(*ticket), std::move(sent), runtime::kForever,
                    [this, done = std::move(done)](const SubmissionResult& result) {
                      last_ = result.verdict;
                      done();
                    });
    return true;
  }
  // What the two threads do in a fifth of a second, and that long.
  void look() {
    escalator_->step();
    while (intake_->run_once()) {
    }
    clock_.advance(milliseconds(200));
  }
  void pass(base::Duration time) {
    const base::TimePoint until = clock_.now() + time;
    while (clock_.now() < until) look();
  }
  void raise(const std::string& id = "1", const std::string& subject = "P-1") {
    ASSERT_TRUE(submit(alt(id, 150, subject)));
    while (intake_->run_once()) {
    }
  }
  void acknowledge(std::int64_t alert) {
    auto values = store::read_back_of(store_->writer().connection(), alert);
    ASSERT_TRUE(values.ok());
    ASSERT_TRUE(submit(AcknowledgeAlert{alert, "seen", *values}));
    while (intake_->run_once()) {
    }
    ASSERT_EQ(last_, Verdict::stored);
  }
  void take(model::AlertEvent event) {
    at_.push_back(clock_.now());
    events_.push_back(std::move(event));
  }
  // When each escalation came, in seconds after `from`.
  std::vector<double> escalations(base::TimePoint from) const {
    std::vector<double> all;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i].type != model::AlertEventType::escalated) continue;
      all.push_back(std::chrono::duration<double>(at_[i] - from).count());
    }
    return all;
  }
  static void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_GE(found[i], expected[i]) << "early";
      EXPECT_LE(found[i], expected[i] + 1) << "late";
    }
  }

  std::unique_ptr<runtime::TaskList> tasks_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<monitor::Escalator> escalator_;
  std::vector<model::AlertEvent> events_;
  std::vector<base::TimePoint> at_;
  Verdict last_ = Verdict::poison;
  int handed_over_ = 0;
  bool no_place_ = false;
};

TEST_F(EscalationTest, EachTierIsToldOnTimeAndTheLastAgain) {
  const base::TimePoint from = clock_.now();
  raise();
  pass(minutes(80));
  expect_near(escalations(from), {900, 2700, 4500});
  EXPECT_EQ(events_.back().detail.tier, 2);
  EXPECT_EQ(events_.back().detail.targets, std::vector<std::string>{"chief"});
  EXPECT_EQ(events_.back().detail.late_ms, 0);
  acknowledge(1);
  events_.clear();
  at_.clear();
  pass(hours(2));
  EXPECT_TRUE(events_.empty());
}

// The bar: exact to a second under a clock that jumps an hour to and fro.
TEST_F(EscalationTest, AJumpOfTheWallClockChangesNothing) {
  for (const auto jump : {hours(1), hours(-1)}) {
    for (const auto before : {minutes(0), minutes(14)}) {
      events_.clear();
      at_.clear();
      static int subject = 0;
      ++subject;
      const base::TimePoint from = clock_.now();
      raise("J" + std::to_string(subject), "P-" + std::to_string(subject));
      pass(before);
      clock_.jump_wall(jump);
      pass(minutes(44) - before);
      expect_near(escalations(from), {900});
      clock_.jump_wall(-jump);
      pass(minutes(2));
      expect_near(escalations(from), {900, 2700});
      acknowledge(subject);
    }
  }
}

TEST_F(EscalationTest, ARestartWithAJumpInBetweenChangesNothing) {
  // Machines that share a store have no clock in common but the wall clock.
  if (on_postgres()) GTEST_SKIP() << "with PostgreSQL it does";
  for (const auto jump : {hours(1), hours(-1)}) {
    events_.clear();
    at_.clear();
    static int subject = 100;
    ++subject;
    const base::TimePoint from = clock_.now();
    raise("R" + std::to_string(subject), "P-" + std::to_string(subject));
    pass(minutes(5));
    stop();
    clock_.jump_wall(jump);
    clock_.advance(minutes(5));
    start();
    pass(minutes(6));
    expect_near(escalations(from), {900});
    EXPECT_EQ(events_.back().detail.late_ms, 0);
    acknowledge(subject - 100);
  }
}

TEST_F(EscalationTest, WhatFellDueWhileItWasDownComesAtOnceAndSaysSo) {
  const base::TimePoint from = clock_.now();
  raise();
  pass(minutes(1));
  stop();
  clock_.advance(hours(3));
  const base::TimePoint started = clock_.now();
  start();
  look();
  expect_near(escalations(started), {0});
  const auto late = std::chrono::milliseconds(events_.back().detail.late_ms);
  const auto expected = std::chrono::duration_cast<milliseconds>(started - from) - minutes(15);
  EXPECT_NEAR(static_cast<double>(late.count()), static_cast<double>(expected.count()), 1000);
  // The tier that was just told has its time, too.
  pass(minutes(29));
  EXPECT_EQ(escalations(started).size(), 1u);
  pass(minutes(2));
  expect_near(escalations(started), {0, 1800});
}

TEST_F(EscalationTest, AfterAStartOfTheMachineTheWallClockTells) {
  raise();
  pass(minutes(5));
  stop();
  clock_.advance(minutes(4));
  clock_.reboot();
  const base::TimePoint started = clock_.now();
  start();
  pass(minutes(7));
  expect_near(escalations(started), {360});  // 15 min less the 5 and 4 before
}

TEST_F(EscalationTest, AfterAStartWithAWallClockGoneBackItIsLateByNoMoreThanItsTime) {
  raise();
  pass(minutes(10));
  stop();
  clock_.jump_wall(-hours(1));
  clock_.reboot();
  const base::TimePoint started = clock_.now();
  start();
  pass(minutes(16));
  expect_near(escalations(started), {900});
}

TEST_F(EscalationTest, AnAcknowledgementThatCameJustBeforeWins) {
  raise();
  clock_.advance(minutes(15));
  auto values = store::read_back_of(store_->writer().connection(), 1);
  ASSERT_TRUE(values.ok());
  ASSERT_TRUE(submit(AcknowledgeAlert{1, "seen", *values}));
  escalator_->step();  // what it read is what was committed: the alert still waits
  EXPECT_EQ(handed_over_, 1);
  EXPECT_EQ(escalator_->in_flight(), 1u);
  while (intake_->run_once()) {
  }
  EXPECT_EQ(last_, Verdict::conflict);  // the escalation, behind the acknowledgement
  EXPECT_EQ(escalator_->in_flight(), 0u);
  EXPECT_EQ(events_.back().type, model::AlertEventType::acknowledged);
  pass(hours(1));
  EXPECT_EQ(events_.back().type, model::AlertEventType::acknowledged);
}

TEST_F(EscalationTest, WithoutAPlaceInTheQueueItIsTriedAgain) {
  raise();
  no_place_ = true;
  clock_.advance(minutes(15));
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(handed_over_, 5);
  EXPECT_EQ(escalator_->in_flight(), 0u);
  no_place_ = false;
  look();
  EXPECT_EQ(events_.back().type, model::AlertEventType::escalated);
}

TEST_F(EscalationTest, NoMoreThanSoManyAreOnTheirWay) {
  const std::size_t more = monitor::Escalator::kInFlightMax + 40;
  for (std::size_t i = 0; i < more; ++i) {
    raise("B" + std::to_string(i), "P-" + std::to_string(1000 + i));
  }
  clock_.advance(minutes(15));
  escalator_->step();
  EXPECT_EQ(escalator_->in_flight(), monitor::Escalator::kInFlightMax);
  const base::TimePoint from = clock_.now();
  pass(seconds(1));
  EXPECT_EQ(escalations(from).size(), more);
  EXPECT_EQ(escalator_->in_flight(), 0u);
}

}  // namespace
}  // namespace trialward::intake
