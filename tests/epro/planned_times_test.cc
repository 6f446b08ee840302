#include "epro/planned_times.h"

#include "tests/epro/schedule_case.h"

namespace trialward::epro {
namespace {

// Each case: what an activity says, its anchor, and its occurrences in UTC.
TEST(PlannedTimes, AreExactWhereTheClockIsSetForwardAndBack) {
  const struct {
    const char* what;
    const char* activity;
    const char* anchor;
    Lines times;
    const char* site = "NY";
  } cases[] = {
      {"20:00 at the wall, whatever its offset from UTC",
       "time = \"20:00\"\nrepeat = { every = \"P1D\", times = 3 }\n",
       "2024-03-09",
       {"2024-03-10T01:00", "2024-03-11T00:00", "2024-03-12T00:00"}},
      {"a time that is skipped is at the gap, and the next day's is itself again",
       "time = \"02:30\"\nrepeat = { every = \"P1D\", times = 3 }\n",
       "2024-03-09",
       {"2024-03-09T07:30", "2024-03-10T07:00", "2024-03-11T06:30"}},
      {"a first time that is skipped moves none of those after it",
       "time = \"02:30\"\nrepeat = { every = \"P1D\", times = 2 }\n",
       "2024-03-10",
       {"2024-03-10T07:00", "2024-03-11T06:30"}},
      {"a time that comes twice is the first",
       "time = \"01:30\"\nrepeat = { every = \"P1D\", times = 2 }\n",
       "2024-11-02",
       {"2024-11-02T05:30", "2024-11-03T05:30"}},
      {"hours are exact", "offset = \"PT24H\"\n", "2024-03-09T20:00", {"2024-03-11T01:00"}},
      {"a day is one of the calendar",
       "offset = \"P1D\"\nwindow = { after = \"PT1H\" }\n",
       "2024-03-09T20:00",
       {"2024-03-11T00:00 2024-03-11T00:00..2024-03-11T01:00"}},
      {"the window's days are the calendar's, its hours exact",
       "time = \"12:00\"\nwindow = { before = \"P1D\", after = \"PT36H\" }\n",
       "2024-03-10",
       {"2024-03-10T16:00 2024-03-09T17:00..2024-03-12T04:00"}},
      {"every twelve hours through the night that has an hour more",
       "offset = \"PT0H\"\nrepeat = { every = \"PT12H\", times = 3 }\n",
       "2024-11-02T20:00",
       {"2024-11-03T00:00", "2024-11-03T12:00", "2024-11-04T00:00"}},
      {"the second of an hour that comes twice stays itself",
       "offset = \"PT1H\"\n",
       "2024-11-03T01:30-05:00",
       {"2024-11-03T07:30"}},
      {"two hours after half past midnight it is half past one again",
       "offset = \"PT2H\"\n",
       "2024-11-03T00:30",
       {"2024-11-03T06:30"}},
      {"a month later there, on the last day if there is no such day",
       "time = \"08:00\"\nrepeat = { every = \"P1M\", times = 3 }\n",
       "2024-01-31",
       {"2024-01-31T07:00", "2024-02-29T07:00", "2024-03-31T06:00"},
       "B"},
      {"by days: no time of day anywhere",
       "offset = \"P1M\"\nwindow = { before = \"P1D\", after = \"P1D\" }\n",
       "2024-01-31T23:30",
       {"2024-02-29 2024-02-28..2024-03-01"}},
  };
  for (const auto& one : cases) {
    const PlanCase study{"[[activities]]\nid = \"a\"\nvisit = \"V\"\nanchor = \"first-dose\"\n" +
                             std::string(one.activity),
                         {"exposure DRUG " + std::string(one.anchor)},
                         "2024-01-01T00:00Z",
                         one.site};
    Lines times;
    for (const Occurrence& occurrence : study.plan().occurrences) {
      ASSERT_TRUE(occurrence.times.has_value()) << one.what;
      times.push_back(PlanCase::text(*occurrence.times));
    }
    EXPECT_EQ(times, one.times) << one.what;
  }
}

TEST(PlannedTimes, DaysBeginAndEndWhereTheyDoThere) {
  const auto study =
      model::load_study({{"schedule.toml",
                          "[[activities]]\nid = \"a\"\nvisit = \"V\"\nanchor = \"first-dose\"\n"
                          "window = {}\n"},
                         {"study.toml", kCaseStudy}});
  const auto clock = model::WallClock::of("America/New_York");
  const auto hours = [&](const char* day) {
    const auto times =
        planned_times(study->schedule->activities.front(), *when_given(day, *clock), 0, *clock);
    return (times.until_ms - times.from_ms) / 3'600'000;
  };
  EXPECT_EQ(hours("2024-03-09"), 24);
  EXPECT_EQ(hours("2024-03-10"), 23);
  EXPECT_EQ(hours("2024-11-03"), 25);
}

TEST(PlannedTimes, AWindowByTheClockHasBothItsEnds) {
  const std::string dose = "exposure DRUG 2024-01-01T08:00";
  const std::string hour =
      "[[activities]]\nid = \"a\"\nvisit = \"V\"\nanchor = \"first-dose\"\n"
      "offset = \"PT2H\"\nwindow = { before = \"PT1H\", after = \"PT1H\" }\n";
  const std::pair<const char*, const char*> cases[] = {
      {"2024-01-01T08:59", "out"}, {"2024-01-01T09:00", "in"},        {"2024-01-01T11:00", "in"},
      {"2024-01-01T11:01", "out"}, {"2024-01-01T14:00Z", "in"},       {"2024-01-01", "in"},
      {"2024-01-02", "out"},       {"2024-01-01T10:00+09:00", "out"},
  };
  for (const auto& [when, verdict] : cases) {
    const PlanCase study{hour, {dose, "visit V " + std::string(when)}};
    EXPECT_EQ(study.lines(),
              Lines{"a/1 done 2024-01-01T15:00 2024-01-01T14:00..2024-01-01T16:00 r2 " +
                    std::string(verdict)})
        << when;
  }
}

}  // namespace
}  // namespace trialward::epro
