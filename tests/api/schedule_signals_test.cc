// A late or missed questionnaire raises its alert once, whatever happens to the server; and the
// alert is taken back when the questionnaire comes after all.
#include "api/schedule_signals.h"

#include "store/alert_rows.h"
#include "tests/intake/bench_study.h"

namespace trialward::api {
namespace {

using namespace std::chrono_literals;
using intake::AppendRecord;
using intake::Submission;

constexpr const char* kTwoSites = R"(
[study]
id = "s"
title = "A study"
version = "1"
enrol = "first-record"
subject_pattern = "P-[0-9]+"
default_site = "A"
[kinds]
visit.open = true
questionnaire.open = true
disposition.open = true
[[sites]]
id = "A"
time_zone = "UTC"
)";
constexpr const char* kSecondSite = "[[sites]]\nid = \"B\"\ntime_zone = \"UTC\"\n";

// Each two hours, an hour for it, and half an hour of grace.
std::string diary(const std::string& alerts, int times = 2) {
  return R"([[activities]]
id = "diary"
questionnaire = "Q"
anchor = "enrolment"
window = { after = "PT1H" }
missed_after = "PT30M"
repeat = { every = "PT2H", times = )" +
         std::to_string(times) + " }\n" + alerts;
}
constexpr const char* kBoth = R"(alerts = [
  { when = "late", severity = "info", title = "The diary is late" },
  { when = "missed", severity = "critical", title = "The diary was missed" },
]
)";
constexpr const char* kMissed =
    "alerts = [{ when = \"missed\", title = \"The diary was missed\" }]";

class ScheduleSignalsTest : public intake::StudyBench {
 protected:
  void SetUp() override {
    StudyBench::SetUp();
    if (store_ == nullptr) return;
    clock_.advance(std::chrono::milliseconds(kNow - clock_.utc_ms()));
    start_ms_ = kNow;
  }
  void TearDown() override { stop(); }

  // A server whose study has this schedule; none when it is empty.
  void start(const std::string& schedule, bool two_sites = true) {
    stop();
    std::vector<model::DefinitionFile> files = {
        {"study.toml", std::string(kTwoSites) + (two_sites ? kSecondSite : "")}};
    if (!schedule.empty()) files.push_back({"schedule.toml", schedule});
    load(std::move(files),
         [](const auto&) { return std::make_shared<const intake::HundredMonitor>(); });
    studies_ = {{"s", study_}};
    intake_ = std::make_unique<intake::Intake>(
        store_->writer(), clock_, intake::IntakeOptions(),
        [this](std::vector<intake::Publication> events) {
          for (const intake::Publication& one : events) tell(one.event);
        },
        [](const intake::BatchReport&) {});
    auto reader = store_->open_reader();
    ASSERT_TRUE(reader.ok());
    signals_ = std::make_unique<ScheduleSignals>(ScheduleSignals::Parts{
        studies_, *intake_, std::move(*reader),
        [this] {
          clock_.advance(run_time_);
          return on_duty_;
        },
        random_, tasks_});
  }
  void stop() {
    if (intake_ != nullptr) intake_->drain(clock_.now());
    signals_.reset();
    intake_.reset();
  }

  // What was missed, once the study has this schedule, which has no alerts.
  void take_back(const std::string& schedule) {
    start(diary(kMissed, 1));
    send(first());
    pass(2h);
    EXPECT_TRUE(told().starts_with("raised missed P-1"));
    start(schedule);
    pass(10s);
    EXPECT_EQ(told(), "revised! missed P-1: the schedule asks for it no more\n");
    start(schedule);
    pass(10s);
    EXPECT_EQ(told(), "");
  }

  // "raised late diary#1 P-1"; historical ones with "past " before.
  void tell(const model::AlertEvent& event) {
    const std::string end = event.detail.holds && !*event.detail.holds ? "!" : "";
    const bool late = event.rule == "trialward-activity-late-diary";
    EXPECT_TRUE(late || event.rule == "trialward-activity-missed-diary") << event.rule;
    told_ += std::string(event.historical ? "past " : "") + std::string(to_string(event.type)) +
             end + (late ? " late " : " missed ") + event.subject + ": " + event.note + "\n";
  }
  std::string told() { return std::exchange(told_, ""); }

  void run() {
    const auto done = signals_->run(runtime::Cancel());
    EXPECT_TRUE(done.ok()) << done.error().message;
    while (intake_->run_once()) {
    }
  }
  // The sweep runs at its interval; longer times pass at once, but for their ends.
  void pass(std::chrono::seconds time) {
    if (time > 20s) {
      clock_.advance(time - 10s);
      time = 10s;
    }
    for (; time > 0s; time -= 1s) {
      run();
      clock_.advance(1s);
    }
    run();
  }

  model::Record record(const std::string& id, model::Kind kind, const std::string& code,
                       std::chrono::minutes after, const std::string& subject = "P-1") {
    model::Record record;
    record.source = "s";
    record.source_id = id;
    record.subject = subject;
    record.kind = kind;
    record.code = code;
    const auto after_ms = std::chrono::milliseconds(after).count();
    record.effective = model::format_utc(start_ms_ + after_ms);
    if (kind == model::Kind::questionnaire) {
      record.value.number = 1;
      record.value.number_text = "1";
    }
    return record;
  }
  model::Record first(const std::string& subject = "P-1") {
    return record("first-" + subject, model::Kind::visit, "V", 0min, subject);
  }
  model::Record answer(std::chrono::minutes after) {
    return record("answer", model::Kind::questionnaire, "Q", after);
  }
  std::int64_t send(model::Record record) { return submit({command(std::move(record))}); }
  AppendRecord command(model::Record record) {
    AppendRecord append;
    const auto faults = prepare(*study_, std::move(record), clock_.utc_ms(), append);
    EXPECT_TRUE(faults.empty()) << model::to_json(faults);
    return append;
  }
  std::int64_t submit(std::vector<intake::Command> commands) {
    std::int64_t id = 0;
    leave(std::move(commands), [&id](std::int64_t stored) { id = stored; });
    while (intake_->run_once()) {
    }
    return id;
  }
  // It waits for its commit.
  void leave(std::vector<intake::Command> commands,
             std::function<void(std::int64_t)> done = [](std::int64_t) {}) {
    auto ticket = intake_->admit(intake::Lane::live, 100);
    ASSERT_TRUE(ticket.ok());
    Submission sent = submission(std::move(commands));
    sent.received_ms = clock_.utc_ms();
    intake_->submit(std::move(*ticket), std::move(sent), runtime::kForever,
                    [done = std::move(done)](const intake::SubmissionResult& result) {
                      EXPECT_EQ(result.verdict, intake::Verdict::stored)
                          << model::to_json(result.faults);
                      if (!result.results.empty()) done(result.results.front().id);
                    });
  }

  std::int64_t start_ms_ = 0;
  bool on_duty_ = true;
  std::chrono::milliseconds run_time_{0};  // what a run takes at least
  std::string told_;
  Studies studies_;
  runtime::TaskList tasks_{clock_};
  std::unique_ptr<intake::Intake> intake_;
  std::unique_ptr<ScheduleSignals> signals_;
};

TEST_F(ScheduleSignalsTest, WhatIsLateAndThenMissedIsToldOnceAndTakenBackWhenItComes) {
  start(diary(kBoth));
  send(first());
  pass(59min);
  EXPECT_EQ(told(), "");
  pass(2min);
  const std::string note =
      " P-1: diary, number 1: due 2025-06-15T15:06:40.000Z, until "
      "2025-06-15T16:06:40.000Z\n";
  EXPECT_EQ(told(), "raised late" + note);
  pass(30min);
  EXPECT_EQ(told(), "raised missed" + note);
  EXPECT_EQ(count("SELECT count(*) FROM alerts WHERE severity = 'critical' AND "
                  "title = 'The diary was missed' AND join_group = 'diary#1'"),
            1);
  pass(10s);
  EXPECT_EQ(told(), "");
  // It was filled in in time, and sent when the tablet was on line again.
  const std::int64_t sent = send(answer(30min));
  pass(6s);
  EXPECT_EQ(told(),
            "revised! late P-1: it was done after all\n"
            "revised! missed P-1: it was done after all\n");
  // And that was a mistake.
  model::Record correction = answer(30min);
  correction.source_id = "2";
  correction.amends = sent;
  correction.reason = "of another subject";
  correction.value = {.not_done = "ill"};
  send(std::move(correction));
  pass(6s);
  EXPECT_EQ(told(), "revised missed" + note);
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 2);
}

TEST_F(ScheduleSignalsTest, NothingIsToldAgainAfterARestartWhateverBecameOfTheAlert) {
  start(diary(kMissed));
  send(first());
  pass(2h);
  EXPECT_NE(told(), "");
  start(diary(kMissed));
  pass(10s);
  EXPECT_EQ(told(), "");
  submit({intake::AcknowledgeAlert{.alert = 1, .note = "I called"}});
  EXPECT_EQ(count("SELECT count(*) FROM open_alerts"), 0);
  told();
  start(diary(kMissed));
  pass(10s);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 1);
}

TEST_F(ScheduleSignalsTest, WhatBecameMissedWhileNoServerRanIsToldWhenOneDoes) {
  start(diary(kMissed));
  send(first());
  stop();
  clock_.advance(2h);
  start(diary(kMissed));
  run();
  EXPECT_TRUE(told().starts_with("raised missed P-1: diary, number 1"));
}

TEST_F(ScheduleSignalsTest, OneThatIsNotApplicableAnyMoreIsTakenBack) {
  start(diary(kMissed, 1));
  send(first());
  pass(2h);
  EXPECT_TRUE(told().starts_with("raised missed"));
  send(record("left", model::Kind::disposition, "WITHDRAWN", 10min));
  pass(6s);
  EXPECT_EQ(told(), "revised! missed P-1: it is not applicable any more\n");
}

TEST_F(ScheduleSignalsTest, WhatAStudyHasNoAlertsForAnyMoreIsTakenBack) { take_back(diary("")); }

TEST_F(ScheduleSignalsTest, WhatAStudyHasNoScheduleForAnyMoreIsTakenBack) { take_back(""); }

TEST_F(ScheduleSignalsTest, OneSubjectsFaultDoesNotKeepTheOthersWaiting) {
  start(diary(kMissed));
  model::Record elsewhere = first("P-2");
  elsewhere.site = "B";
  send(std::move(elsewhere));
  send(first());
  start(diary(kMissed), false);  // the definition has lost P-2's site
  pass(2h);
  EXPECT_TRUE(told().starts_with("raised missed P-1: "));
  const auto faults = signals_->faults();
  EXPECT_GE(faults, 1u);
  pass(20s);
  EXPECT_EQ(signals_->faults(), faults) << "it is passed over for a while";
  pass(std::chrono::seconds(ScheduleSignals::kFaultPauseMs / 1000));
  EXPECT_EQ(signals_->faults(), faults + 1);
  start(diary(kMissed));
  pass(5s);
  EXPECT_TRUE(told().starts_with("raised missed P-2: "));
}

TEST_F(ScheduleSignalsTest, WhatWasDueBeforeTheStudyHadTheAlertIsNotTold) {
  start(diary(""));
  send(first());
  pass(2h);
  start(diary(kMissed));
  pass(10s);
  EXPECT_EQ(told(), "");
  pass(2h);
  EXPECT_TRUE(told().starts_with("raised missed P-1: diary, number 2"));
  // A later definition that has it as well changes nothing of that.
  start(diary(kMissed, 3));
  pass(2h);
  EXPECT_TRUE(told().starts_with("raised missed P-1: diary, number 3"));
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 2);
}

TEST_F(ScheduleSignalsTest, WhoLeftBeforeTheStudyHadTheAlertIsNotTold) {
  const std::string visit = "[[activities]]\nid = \"diary\"\nquestionnaire = \"Q\"\n"
                            "anchor = \"enrolment\"\noffset = \"PT1H\"\n";
  start(visit);
  send(first());
  pass(2h);
  send(record("left", model::Kind::disposition, "WITHDRAWN", 90min));
  start(visit + kMissed);
  pass(10s);
  EXPECT_EQ(told(), "");
  // Who leaves from then on is.
  send(first("P-2"));
  pass(10min);
  send(record("left-2", model::Kind::disposition, "WITHDRAWN", 125min, "P-2"));
  pass(6s);
  EXPECT_TRUE(told().starts_with("raised missed P-2"));
}

TEST_F(ScheduleSignalsTest, WhatIsDueGoesBeforeWhoWasFound) {
  start(diary(kMissed, 1));
  send(first());
  run();
  clock_.advance(2h);
  for (std::size_t i = 2; i < 4 * ScheduleSignals::kPlansMax; ++i) {
    send(first("P-" + std::to_string(i)));
  }
  run();
  EXPECT_NE(told().find("raised missed P-1: "), std::string::npos);
  EXPECT_LE(count("SELECT count(*) FROM alerts"),
            static_cast<std::int64_t>(ScheduleSignals::kPlansMax));
}

TEST_F(ScheduleSignalsTest, WhatWasDueBeforeTheSubjectCameIsAboutThePast) {
  start(diary(kMissed));
  clock_.advance(2h);
  send(first());
  run();
  EXPECT_TRUE(told().starts_with("past raised missed P-1: diary, number 1"));
  pass(2h);
  EXPECT_TRUE(told().starts_with("raised missed P-1: diary, number 2"));
}

TEST_F(ScheduleSignalsTest, OnlyWhoIsOnDutyTells) {
  on_duty_ = false;
  start(diary(kMissed));
  send(first());
  pass(2h);
  EXPECT_EQ(told(), "");
  on_duty_ = true;
  run();
  EXPECT_TRUE(told().starts_with("raised missed"));
}

TEST_F(ScheduleSignalsTest, WhileRecordsWaitFewAreLookedThrough) {
  start(diary(kMissed));
  run();
  std::vector<intake::Command> commands;
  for (std::int64_t i = 0; i <= ScheduleSignals::kBusyRecordsMax; ++i) {
    commands.emplace_back(command(record(std::to_string(i), model::Kind::visit, "V", 0min)));
  }
  // A commit that takes its time, so that another is waited for.
  leave(std::move(commands), [this](std::int64_t) { clock_.advance(1s); });
  EXPECT_TRUE(intake_->run_once());
  leave({command(first("P-2"))});
  ASSERT_GT(intake_->backlog(intake::Lane::live), base::Duration::zero());
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), ScheduleSignals::kBusyRecordsMax);
  run();
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), ScheduleSignals::kBusyRecordsMax + 2);
}

TEST_F(ScheduleSignalsTest, WhileRecordsWaitItRestsLongerThanItRan) {
  start(diary(kMissed));
  run();
  leave({command(first())}, [this](std::int64_t) { clock_.advance(1s); });
  EXPECT_TRUE(intake_->run_once());
  run_time_ = 100ms;
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), 1);
  send(first("P-2"));
  leave({command(first("P-3"))});
  ASSERT_GT(intake_->backlog(intake::Lane::live), base::Duration::zero());
  clock_.advance(ScheduleSignals::kBusyRests * run_time_ - 2 * run_time_);
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), 1) << "it rests";
  clock_.advance(run_time_);
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), 2);
  run();
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), 3) << "nothing waits any more";
  run_time_ = 400ms;
  run();
  send(first("P-4"));
  leave({command(first("P-5"))});
  clock_.advance(std::chrono::ceil<std::chrono::milliseconds>(ScheduleSignals::kBusyRestMax));
  EXPECT_TRUE(signals_->run(runtime::Cancel()).ok());
  EXPECT_EQ(signals_->last_record(), 4) << "nor does it rest for long";
  run();
}

TEST_F(ScheduleSignalsTest, ARunAndASubmissionAreBounded) {
  const std::size_t many = ScheduleSignals::kPlansMax + 1;
  start(diary(kMissed, 1));
  for (std::size_t i = 1; i <= many; ++i) send(first("P-" + std::to_string(i)));
  clock_.advance(2h);
  run();
  EXPECT_EQ(count("SELECT count(*) FROM alerts"),
            static_cast<std::int64_t>(ScheduleSignals::kPlansMax));
  run();
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), static_cast<std::int64_t>(many));
  const int times = static_cast<int>(ScheduleSignals::kSignalsMax) + 2;
  start(diary(kMissed, times));
  clock_.advance(2h * times);
  const std::string of_one =
      "SELECT count(*) FROM alerts WHERE subject = 1 AND join_group <> 'diary#1'";
  run();
  EXPECT_EQ(count(of_one), static_cast<std::int64_t>(ScheduleSignals::kSignalsMax));
  pass(6s);
  EXPECT_EQ(count(of_one), times - 1);
}

}  // namespace
}  // namespace trialward::api
