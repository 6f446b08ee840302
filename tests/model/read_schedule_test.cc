#include <gtest/gtest.h>

#include "model/schedule.h"
#include "model/study.h"

namespace trialward::model {
namespace {

constexpr const char* kScheduledStudy = R"(
[study]
id = "s"
[[sites]]
id = "A"
time_zone = "UTC"
[kinds]
visit.open = true
[[codes]]
kind = "questionnaire"
code = "Q1"
[[codes]]
kind = "questionnaire"
code = "Q2"
)";

base::Result<Study, DefinitionFaults> load_schedule(const std::string& schedule) {
  return load_study({{"schedule.toml", schedule}, {"study.toml", kScheduledStudy}});
}

TEST(ReadSchedule, ReadsAllMembers) {
  const auto study = load_schedule(R"(
[ending]
category = "DISPOSITION EVENT"
[[activities]]
id = "WK2"
title = "Week 2"
visit = "WEEK 2"
anchor = "first-dose"
offset = "P2W"
window = { before = "P3D", after = "P4D" }
late_after = "P1D"
missed_after = "P7D"
sites = ["A"]
only_if = { sex = "F" }
alerts = [
  { when = "late", severity = "critical", title = "It is late" },
  { when = "missed", title = "It was missed" },
]
[[activities]]
id = "call"
visit = "CALL"
anchor = "WK2"
offset = "-PT4H"
[[activities]]
id = "diary"
questionnaire = ["Q1", "Q2"]
anchor = "enrolment"
time = "20:30"
window = { after = "PT12H" }
repeat = { every = "P1D", times = 14 }
[[activities]]
id = "monthly"
questionnaire = "Q1"
visit = "WEEK 2"
anchor = { kind = "adverse_event", code = "FALL", serious = true }
repeat = { every = "P1M", until = "P1Y" }
)");
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  const Schedule& schedule = *study->schedule;
  EXPECT_TRUE(schedule.ends("DISPOSITION EVENT"));
  EXPECT_FALSE(schedule.ends("PROTOCOL MILESTONE"));
  ASSERT_EQ(schedule.activities.size(), 4u);
  const Activity& week = schedule.activities[0];
  EXPECT_EQ(week.title, "Week 2");
  EXPECT_TRUE(week.is_visit());
  EXPECT_FALSE(week.by_clock());
  EXPECT_EQ(week.anchor.type, Anchor::Type::first_dose);
  EXPECT_EQ(week.offset, (IsoDuration{.days = 14}));
  EXPECT_EQ(week.window->after, (IsoDuration{.days = 4}));
  EXPECT_EQ(week.only_if.front().second, "F");
  ASSERT_EQ(week.alerts.size(), 2u);
  EXPECT_EQ(week.alerts[0].when, ActivityAlert::When::late);
  EXPECT_EQ(week.alerts[0].severity, AlertSeverity::critical);
  EXPECT_EQ(week.alerts[1].title, "It was missed");
  EXPECT_EQ(week.alerts[1].severity, AlertSeverity::warning);
  EXPECT_TRUE(schedule.has_alert("WK2", ActivityAlert::When::missed));
  EXPECT_FALSE(schedule.has_alert("call", ActivityAlert::When::missed));
  const Activity& call = schedule.activities[1];
  EXPECT_EQ(call.anchor.type, Anchor::Type::activity);
  EXPECT_EQ(call.anchor.activity, 0u);
  EXPECT_TRUE(call.by_clock());
  EXPECT_FALSE(call.window.has_value());
  const Activity& diary = schedule.activities[2];
  EXPECT_EQ(diary.minute_of_day, 20 * 60 + 30);
  EXPECT_EQ(diary.count, 14);
  const Activity& monthly = schedule.activities[3];
  EXPECT_EQ(monthly.count, 13);  // the first, and twelve up to a year later
  EXPECT_EQ(monthly.anchor.kind, Kind::adverse_event);
  EXPECT_TRUE(*monthly.anchor.serious);
  EXPECT_TRUE(monthly.by_events());
}

TEST(ReadSchedule, WithoutTheFileThereIsNone) {
  const auto study = load_study(std::vector<DefinitionFile>{{"study.toml", kScheduledStudy}});
  ASSERT_TRUE(study.ok());
  EXPECT_EQ(study->schedule, nullptr);
}

TEST(ReadSchedule, EndsByDefaultWithEveryDispositionThatIsNoMilestone) {
  const auto study =
      load_schedule("[[activities]]\nid = \"a\"\nvisit = \"V\"\nanchor = \"enrolment\"\n");
  EXPECT_TRUE(study->schedule->ends("DISPOSITION EVENT"));
  EXPECT_TRUE(study->schedule->ends(""));
  EXPECT_FALSE(study->schedule->ends("PROTOCOL MILESTONE"));
  EXPECT_FALSE(study->schedule->ends("OTHER EVENT"));
}

TEST(ReadSchedule, EachFaultIsToldWithItsLine) {
  const std::string visit = "[[activities]]\nid = \"a\"\nvisit = \"V\"\n";
  const std::string due = visit + "anchor = \"enrolment\"\n";
  std::string many_codes, many;
  for (std::size_t i = 0; i <= kActivityCodesMax; ++i) {
    many_codes += "\"" + std::to_string(i) + "\",";
  }
  for (std::size_t i = 0; i <= kActivitiesMax; ++i) {
    const std::string name = std::to_string(i);
    many +=
        "[[activities]]\nid = \"" + name + "\"\nvisit = \"" + name + "\"\nanchor = \"enrolment\"\n";
  }
  std::string planned;
  for (int i = 0; i <= kPlannedMax / kRepeatsMax; ++i) {
    const std::string name = std::to_string(i);
    planned += "[[activities]]\nid = \"" + name + "\"\nvisit = \"" + name +
               "\"\nanchor = \"enrolment\"\nrepeat = { every = \"P1D\", times = 1000 }\n";
  }
  const std::pair<std::string, std::string> cases[] = {
      {"[[activities]]\nvisit = \"V\"\nanchor = \"enrolment\"\n",
       "schedule.toml:1: [[activities]] needs id"},
      {due + due, "schedule.toml:6: activity \"a\" is given twice"},
      {"[[activities]]\nid = \"enrolment\"\nvisit = \"V\"\nanchor = \"first-dose\"\n",
       "schedule.toml:2: \"enrolment\" is an anchor, not an activity"},
      {"[[activities]]\nid = \"a\"\nanchor = \"enrolment\"\n",
       "schedule.toml:1: an activity needs visit or questionnaire"},
      {"[[activities]]\nid = \"a\"\nanchor = \"enrolment\"\nquestionnaire = []\n",
       "schedule.toml:4: questionnaire must name a code"},
      {"[[activities]]\nid = \"a\"\nanchor = \"enrolment\"\nquestionnaire = \"Q3\"\n",
       "schedule.toml:4: the study has no questionnaire code \"Q3\""},
      {"[[activities]]\nid = \"a\"\nanchor = \"enrolment\"\nquestionnaire = [\"Q1\", \"Q1\"]\n",
       "schedule.toml:4: code \"Q1\" is given twice"},
      {"[[activities]]\nid = \"a\"\nanchor = \"enrolment\"\nquestionnaire = [" + many_codes + "]\n",
       "schedule.toml:4: more than 100 codes"},
      {visit, "schedule.toml:1: [[activities]] needs anchor"},
      {visit + "anchor = \"b\"\n",
       "schedule.toml:4: anchor must be \"first-dose\", \"enrolment\", an event, or the id of an "
       "activity that stands before; there is no \"b\""},
      {visit + "anchor = { kind = \"dream\" }\n",
       "schedule.toml:4: there is no kind of records \"dream\""},
      {visit + "anchor = { kind = \"exposure\" }\n",
       "schedule.toml:4: an exposure is no event: first-dose is"},
      {visit + "anchor = { kind = \"adverse_event\", grade = 3 }\n",
       "schedule.toml:4: [anchor] has no member grade"},
      {due + "repeat = { every = \"P1D\", times = 2 }\n[[activities]]\nid = \"b\"\nvisit = \"W\"\n"
             "anchor = \"a\"\n",
       "schedule.toml:9: \"a\" comes more than once, and is no anchor"},
      {due + "[[activities]]\nid = \"b\"\nvisit = \"V\"\nanchor = \"a\"\n",
       "schedule.toml:8: \"a\" is no anchor: other activities are done by the same records"},
      {due + "offset = \"2 weeks\"\n",
       "schedule.toml:5: offset: \"2 weeks\" is no ISO 8601 duration: it must begin with P"},
      {due + "window = { after = \"-P1D\" }\n",
       "schedule.toml:5: after: \"-P1D\" is no ISO 8601 duration: it must not be negative"},
      {due + "window = { around = \"P1D\" }\n", "schedule.toml:5: [window] has no member around"},
      {due + "late_after = \"P1D\"\n",
       "schedule.toml:5: late_after needs window or missed_after: else nothing ends it"},
      {due + "time = \"8 pm\"\n", "schedule.toml:5: time must be a time of day such as \"20:00\""},
      {due + "time = \"24:00\"\n", "schedule.toml:5: time must be a time of day such as \"20:00\""},
      {due + "repeat = { times = 2 }\n", "schedule.toml:5: repeat needs every"},
      {due + "repeat = { every = \"P1D\" }\n",
       "schedule.toml:5: repeat needs times or until, one of them"},
      {due + "repeat = { every = \"PT59S\", times = 2 }\n",
       "schedule.toml:5: every must be a minute or more"},
      {due + "repeat = { every = \"P0D\", until = \"P1D\" }\n",
       "schedule.toml:5: every must be a minute or more"},
      {due + "repeat = { every = \"P1D\", times = 1001 }\n",
       "schedule.toml:5: times must be a whole number from 1 to 1000"},
      {due + "repeat = { every = \"P1D\", times = 1.5 }\n",
       "schedule.toml:5: times must be a whole number from 1 to 1000"},
      {due + "repeat = { every = \"P1D\", until = \"P1000D\" }\n",
       "schedule.toml:5: more than 1000 times until then"},
      {due + "repeat = { every = \"P1Y\", times = 21 }\n",
       "schedule.toml:5: it goes on for more than 20 years"},
      {due + "sites = [\"B\"]\n", "schedule.toml:5: the study has no site \"B\""},
      {due + "sites = []\n", "schedule.toml:5: sites must name one or more"},
      {due + "alerts = [{ when = \"soon\", title = \"t\" }]\n",
       "schedule.toml:5: when must be \"late\" or \"missed\""},
      {due + "alerts = [{ when = \"late\", title = \"t\" }]\n",
       "schedule.toml:5: it is never late: that needs late_after, or window and missed_after"},
      {due + "alerts = [{ when = \"missed\", title = \"t\", severity = \"bad\" }]\n",
       "schedule.toml:5: severity must be \"info\", \"warning\" or \"critical\""},
      {due + "alerts = [\n{ when = \"missed\", title = \"t\" },\n{ when = \"missed\", "
             "title = \"u\" }]\n",
       "schedule.toml:7: there is an alert already for when it is missed"},
      {due + "only_if = {}\n", "schedule.toml:5: only_if must have from 1 to 16 attributes"},
      {due + "only_if = { arm = \"A\" }\n",
       "schedule.toml:5: only_if must not ask for arm: it would tell the treatment"},
      {due + "only_if = { age = 70 }\n", "schedule.toml:5: age must be a string"},
      {due + "colour = \"red\"\n", "schedule.toml:5: [[activities]] has no member colour"},
      {due + "[ending]\nwhen = \"x\"\n", "schedule.toml:5: [ending] needs category"},
      {due + "[sync]\n", "schedule.toml:5: [sync] needs partner"},
      {due + "[sync]\npartner = \"p\"\nout_of_step_max = \"PT59S\"\n",
       "schedule.toml:7: out_of_step_max must be a minute or more"},
      {due + "[sync]\npartner = \"p\"\nurl = \"x\"\n", "schedule.toml:7: [sync] has no member url"},
      {"[[activities]\n", "schedule.toml:1: "},
      {many, "schedule.toml:2002: more than 500 activities"},
      {planned, "schedule.toml:30: with it a subject has more than 5000 planned activities"},
  };
  for (const auto& [text, fault] : cases) {
    const auto study = load_schedule(text);
    ASSERT_FALSE(study.ok()) << text.substr(0, 300);
    EXPECT_EQ(to_string(study.error().front()).substr(0, fault.size()), fault);
  }
}

TEST(ReadSchedule, AStudyNamesThePartnerThatHasItsSchedulesAsWell) {
  const std::string due = "[[activities]]\nid = \"a\"\nvisit = \"A\"\nanchor = \"enrolment\"\n";
  EXPECT_FALSE(load_schedule(due)->schedule->sync.has_value());
  const auto study =
      load_schedule(due + "[sync]\npartner = \"ecoa\"\nout_of_step_max = \"P1DT2H\"\n");
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  EXPECT_EQ(study->schedule->sync->partner, "ecoa");
  EXPECT_EQ(study->schedule->sync->out_of_step_max_ms, 26 * 3'600'000);
  const auto never = load_schedule(due + "[sync]\npartner = \"ecoa\"\n");
  ASSERT_TRUE(never.ok());
  EXPECT_EQ(never->schedule->sync->out_of_step_max_ms, 0);
}

TEST(ReadSchedule, TheLimitsThemselvesAreTaken) {
  std::string planned;
  for (int i = 0; i < kPlannedMax / kRepeatsMax; ++i) {
    const std::string name = std::to_string(i);
    planned += "[[activities]]\nid = \"" + name + "\"\nvisit = \"" + name +
               "\"\nanchor = \"enrolment\"\nrepeat = { every = \"P1D\", until = \"P999D\" }\n";
  }
  const auto study = load_schedule(planned);
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  EXPECT_EQ(study->schedule->activities.front().count, kRepeatsMax);
}

}  // namespace
}  // namespace trialward::model
