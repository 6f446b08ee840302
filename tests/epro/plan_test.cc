#include "epro/plan.h"

#include "tests/epro/schedule_case.h"

namespace trialward::epro {
namespace {

const std::string kWeek2 = R"(
[[activities]]
id = "WK2"
visit = "WEEK2"
anchor = "first-dose"
offset = "P2W"
window = { before = "P3D", after = "P3D" }
)";

const std::string kDiary = R"(
[[activities]]
id = "diary"
questionnaire = "Q"
anchor = "enrolment"
repeat = { every = "P1D", times = 5 }
window = {}
)";

TEST(Plan, DatesAloneAreJudgedByDate) {
  const std::string dose = "exposure DRUG 2014-01-02";
  const struct {
    const char* when;
    const char* line;
  } cases[] = {
      {"2014-01-12", "out"},
      {"2014-01-13", "in"},
      {"2014-01-16", "in"},
      {"2014-01-19", "in"},
      {"2014-01-20", "out"},
      // With a time of day: the day that the wall clock shows there.
      {"2014-01-19T23:59", "in"},
      {"2014-01-20T04:30Z", "in"},
      {"2014-01-20T05:00Z", "out"},
      // Not whole: only where all its days are on one side.
      {"2014-01", ""},
      {"2014-02", "out"},
      {"_", ""},
  };
  for (const auto& one : cases) {
    const PlanCase study{kWeek2, {dose, "visit WEEK2 " + std::string(one.when)}};
    const std::string verdict = *one.line ? " " + std::string(one.line) : "";
    EXPECT_EQ(study.lines(), Lines{"WK2/1 done 2014-01-16 2014-01-13..2014-01-19 r2" + verdict})
        << one.when;
  }
}

TEST(Plan, StatesFollowTheClockOfTheSite) {
  const std::string late = kWeek2 + "late_after = \"P1D\"\nmissed_after = \"P7D\"\n";
  const struct {
    const char* now;
    const char* state;
  } cases[] = {
      {"2014-01-13T04:59Z", "planned"}, {"2014-01-13T05:00Z", "open"},
      {"2014-01-17T04:59Z", "open"},    {"2014-01-17T05:00Z", "late"},
      {"2014-01-20T05:00Z", "late"},    {"2014-01-27T04:59Z", "late"},
      {"2014-01-27T05:00Z", "missed"},
  };
  for (const auto& one : cases) {
    const PlanCase study{late, {"exposure DRUG 2014-01-02"}, one.now};
    EXPECT_EQ(study.lines(),
              Lines{"WK2/1 " + std::string(one.state) + " 2014-01-16 2014-01-13..2014-01-19"})
        << one.now;
  }
  const PlanCase at_once{kWeek2, {"exposure DRUG 2014-01-02"}, "2014-01-20T05:00Z"};
  EXPECT_EQ(at_once.lines(), Lines{"WK2/1 missed 2014-01-16 2014-01-13..2014-01-19"});
}

TEST(Plan, TheFirstDoseIsTheDemographicsElseTheFirstExposure) {
  EXPECT_EQ((PlanCase{kWeek2, {"demographics DM 2014-01-01"}}).lines(), Lines{"WK2/1 planned"});
  EXPECT_EQ((PlanCase{kWeek2, {"exposure D 2014-02-02", "exposure D 2014-01-02"}}).lines(),
            Lines{"WK2/1 missed 2014-01-16 2014-01-13..2014-01-19"});
  EXPECT_EQ((PlanCase{kWeek2, {"exposure D 2014-02-02", "demographics DM _ rfxstdtc=2014-01-02"}})
                .lines(),
            Lines{"WK2/1 missed 2014-01-16 2014-01-13..2014-01-19"});
  // A dose that was not given, or of which the day is not known, is none.
  EXPECT_EQ((PlanCase{kWeek2, {"exposure D 2014-01-02 not_done", "exposure D 2014-01"}}).lines(),
            Lines{"WK2/1 planned"});
}

TEST(Plan, WithoutDemographicsEnrolmentIsTheFirstRecord) {
  const std::string day =
      "[[activities]]\nid = \"a\"\nvisit = \"V\"\nanchor = \"enrolment\"\n"
      "offset = \"P1D\"\nwindow = {}\n";
  EXPECT_EQ((PlanCase{day, {"lab ALT 2024-01-02", "lab ALT 2024-01-01"}}).lines(),
            Lines{"a/1 missed 2024-01-03 2024-01-03..2024-01-03"});
  // In New York it is still the day before.
  EXPECT_EQ((PlanCase{day, {"lab ALT _ received=2024-01-02T03:00Z"}}).lines(),
            Lines{"a/1 missed 2024-01-02 2024-01-02..2024-01-02"});
  EXPECT_EQ((PlanCase{day, {"lab ALT 2024-01-02", "demographics DM 2024-01-05"}}).lines(),
            Lines{"a/1 missed 2024-01-06 2024-01-06..2024-01-06"});
}

TEST(Plan, WhatIsDoneIsNotDueAgainWhenTheAnchorIsCorrected) {
  // Four answers, then the day of enrolment turns out to have been a day later.
  const Lines records = {"demographics DM 2024-01-01", "questionnaire Q 2024-01-01",
                         "questionnaire Q 2024-01-02", "questionnaire Q 2024-01-03",
                         "questionnaire Q 2024-01-04", "demographics DM 2024-01-02 amends=1"};
  const PlanCase study{kDiary, records, "2024-01-05T12:00Z"};
  EXPECT_EQ(study.lines(), (Lines{"diary/1 done 2024-01-02 2024-01-02..2024-01-02 r2 out",
                                  "diary/2 done 2024-01-03 2024-01-03..2024-01-03 r3 out",
                                  "diary/3 done 2024-01-04 2024-01-04..2024-01-04 r4 out",
                                  "diary/4 done 2024-01-05 2024-01-05..2024-01-05 r5 out",
                                  "diary/5 planned 2024-01-06 2024-01-06..2024-01-06"}));
  // What comes after the correction is placed by it.
  PlanCase later = study;
  later.records.push_back("questionnaire Q 2024-01-06");
  later.now = "2024-01-06T12:00Z";
  EXPECT_EQ(later.lines().back(), "diary/5 done 2024-01-06 2024-01-06..2024-01-06 r7 in");
  // Data of the past are placed by the anchor as it is.
  PlanCase past = study;
  for (std::size_t i = 1; i < 5; ++i) past.records[i] += " historical";
  EXPECT_EQ(past.lines(), (Lines{"diary/1 done 2024-01-02 2024-01-02..2024-01-02 r3 in",
                                 "diary/2 done 2024-01-03 2024-01-03..2024-01-03 r4 in",
                                 "diary/3 done 2024-01-04 2024-01-04..2024-01-04 r5 in",
                                 "diary/4 open 2024-01-05 2024-01-05..2024-01-05",
                                 "diary/5 planned 2024-01-06 2024-01-06..2024-01-06", "+r2"}));
}

TEST(Plan, AVisitThatComesOnceIsDoneHoweverFarItsAnchorMoves) {
  const PlanCase study{kWeek2,
                       {"exposure DRUG 2014-01-02", "visit WEEK2 2014-01-16",
                        "exposure DRUG 2014-06-02 amends=1", "visit WEEK2 2014-06-16"},
                       "2014-06-10T12:00Z"};
  EXPECT_EQ(study.lines(), (Lines{"WK2/1 done 2014-06-16 2014-06-13..2014-06-19 r2 out", "+r4"}));
}

TEST(Plan, ACorrectionTakesThePlaceOfWhatItCorrects) {
  const std::string both = kWeek2 +
                           "[[activities]]\nid = \"WK4\"\nvisit = \"WEEK4\"\n"
                           "anchor = \"first-dose\"\noffset = \"P4W\"\n"
                           "window = { before = \"P3D\", after = \"P3D\" }\n";
  const PlanCase study{
      both,
      {"exposure DRUG 2014-01-02", "visit WEEK2 2014-01-30", "visit WEEK4 2014-01-30 amends=2"}};
  EXPECT_EQ(study.lines(), (Lines{"WK2/1 missed 2014-01-16 2014-01-13..2014-01-19",
                                  "WK4/1 done 2014-01-30 2014-01-27..2014-02-02 r3 in"}));
}

TEST(Plan, RepeatedAnswersGoToTheirDaysAndTheRestIsUnscheduled) {
  const PlanCase study{kDiary,
                       {"demographics DM 2024-01-01", "questionnaire Q 2024-01-01",
                        "questionnaire Q 2024-01-01T20:00", "questionnaire Q 2024-01-03",
                        "questionnaire Q 2023-12-31", "questionnaire Q 2024-01-09",
                        "questionnaire Q 2024-01-04 not_done"},
                       "2024-01-05T12:00Z"};
  EXPECT_EQ(study.lines(),
            (Lines{"diary/1 done 2024-01-01 2024-01-01..2024-01-01 r2 in",
                   "diary/2 missed 2024-01-02 2024-01-02..2024-01-02",
                   "diary/3 done 2024-01-03 2024-01-03..2024-01-03 r4 in",
                   "diary/4 missed 2024-01-04 2024-01-04..2024-01-04 r7",
                   "diary/5 open 2024-01-05 2024-01-05..2024-01-05", "+r3", "+r5", "+r6"}));
}

TEST(Plan, AnAnswerThatIsLateStillCountsUntilItIsMissed) {
  const std::string weekly = R"(
[[activities]]
id = "q"
questionnaire = "Q"
anchor = "enrolment"
repeat = { every = "P1W", times = 2 }
window = { after = "P1D" }
missed_after = "P2D"
)";
  const PlanCase study{
      weekly,
      {"demographics DM 2024-01-01", "questionnaire Q 2024-01-04", "questionnaire Q 2024-01-12"}};
  EXPECT_EQ(study.lines(), (Lines{"q/1 done 2024-01-01 2024-01-01..2024-01-02 r2 out",
                                  "q/2 missed 2024-01-08 2024-01-08..2024-01-09", "+r3"}));
}

TEST(Plan, AQuestionnaireOfManyCodesIsDoneByAllOfThemOnADay) {
  const std::string form = R"(
[[activities]]
id = "q"
questionnaire = ["A", "B"]
anchor = "enrolment"
repeat = { every = "P1D", times = 2 }
window = {}
)";
  const PlanCase study{form,
                       {"demographics DM 2024-01-01", "questionnaire A 2024-01-01T08:00",
                        "questionnaire B 2024-01-01T08:01", "questionnaire A 2024-01-02T08:00"}};
  EXPECT_EQ(study.lines(), (Lines{"q/1 done 2024-01-01 2024-01-01..2024-01-01 r3 in",
                                  "q/2 missed 2024-01-02 2024-01-02..2024-01-02", "+r4"}));
}

TEST(Plan, WhatIsAnchoredToAnActivityGoesByWhenThatWasDone) {
  const std::string call = kWeek2 +
                           "[[activities]]\nid = \"call\"\nvisit = \"CALL\"\n"
                           "anchor = \"WK2\"\noffset = \"P1W\"\n";
  Lines records = {"exposure DRUG 2014-01-02"};
  EXPECT_EQ(
      (PlanCase{call, records, "2014-01-10T12:00Z"}).lines(),
      (Lines{"WK2/1 planned 2014-01-16 2014-01-13..2014-01-19", "call/1 planned 2014-01-23"}));
  records.push_back("visit WEEK2 2014-01-19");
  EXPECT_EQ(
      (PlanCase{call, records, "2014-01-26T12:00Z"}).lines(),
      (Lines{"WK2/1 done 2014-01-16 2014-01-13..2014-01-19 r2 in", "call/1 open 2014-01-26"}));
}

TEST(Plan, EventsCallForVisitsOfTheirOwn) {
  const std::string safety = R"(
[[activities]]
id = "safety"
visit = "SAFETY"
anchor = { kind = "adverse_event", code = "FALL", serious = true }
offset = "P2D"
window = { before = "P1D", after = "P1D" }
)";
  const PlanCase study{
      safety,
      {"adverse_event FALL 2024-01-01 serious", "adverse_event FALL 2024-01-05",
       "adverse_event RASH 2024-01-06 serious", "adverse_event FALL 2024-02-01 serious",
       "visit SAFETY 2024-02-03", "adverse_event FALL 2024-02-02 serious amends=4"}};
  EXPECT_EQ(study.lines(), (Lines{"safety/1@1 missed 2024-01-03 2024-01-02..2024-01-04",
                                  "safety/1@4 done 2024-02-04 2024-02-03..2024-02-05 r5 in"}));
  EXPECT_EQ((PlanCase{safety, {"demographics DM 2024-01-01"}}).lines(), Lines{});
}

TEST(Plan, MoreEventsThanAreFollowedAreSaid) {
  const std::string safety =
      "[[activities]]\nid = \"s\"\nvisit = \"S\"\n"
      "anchor = { kind = \"adverse_event\" }\nwindow = {}\n";
  PlanCase study{safety, Lines(model::kAnchorEventsMax, "adverse_event FALL 2024-01-01")};
  EXPECT_FALSE(study.plan().cut);
  study.records.push_back("adverse_event FALL 2024-01-01");
  const Plan plan = study.plan();
  EXPECT_TRUE(plan.cut);
  EXPECT_EQ(plan.occurrences.size(), model::kAnchorEventsMax);
}

TEST(Plan, AtMostKOccurrencesMax) {
  std::string many;
  for (int i = 0; i < 2; ++i) {
    many += "[[activities]]\nid = \"s" + std::to_string(i) + "\"\nvisit = \"S" + std::to_string(i) +
            "\"\nanchor = { kind = \"adverse_event\" }\nwindow = {}\n"
            "repeat = { every = \"P1D\", times = 100 }\n";
  }
  PlanCase study{many, Lines(50, "adverse_event FALL 2024-01-01")};
  EXPECT_FALSE(study.plan().cut);
  EXPECT_EQ(study.plan().occurrences.size(), kOccurrencesMax);
  study.records.push_back("adverse_event FALL 2024-01-01");
  EXPECT_TRUE(study.plan().cut);
  EXPECT_EQ(study.plan().occurrences.size(), kOccurrencesMax);
}

TEST(Plan, WhoLeftHasNothingMoreToDo) {
  const std::string weeks = R"(
[[activities]]
id = "w"
visit = "W"
anchor = "first-dose"
window = { after = "P1D" }
repeat = { every = "P1W", times = 3 }
)";
  const Lines records = {"exposure DRUG 2024-01-01",
                         "disposition RANDOMIZED 2024-01-01 "
                         "dscat=PROTOCOL_MILESTONE",
                         "disposition DEATH 2024-01-09"};
  const Lines gone = {"w/1 missed 2024-01-01 2024-01-01..2024-01-02",
                      "w/2 not-applicable 2024-01-08 2024-01-08..2024-01-09",
                      "w/3 not-applicable 2024-01-15 2024-01-15..2024-01-16"};
  EXPECT_EQ((PlanCase{weeks, records}).lines(), gone);
  // Not before it has happened.
  EXPECT_EQ((PlanCase{weeks, records, "2024-01-08T12:00Z", "NY", true}).lines()[1],
            "w/2 open 2024-01-08 2024-01-08..2024-01-09");
  const std::string ending = "[ending]\ncategory = \"END\"\n";
  EXPECT_EQ((PlanCase{ending + weeks, records}).lines()[2],
            "w/3 missed 2024-01-15 2024-01-15..2024-01-16");
  EXPECT_EQ((PlanCase{kWeek2, {"disposition SCREEN_FAILURE 2024-01-01"}}).lines(),
            Lines{"WK2/1 not-applicable"});
}

TEST(Plan, WhatHasNoWindowIsMissedByWhoLeftAfterItsTarget) {
  const std::string calls = R"(
[[activities]]
id = "c"
visit = "C"
anchor = "first-dose"
repeat = { every = "P1W", times = 3 }
)";
  EXPECT_EQ((PlanCase{calls, {"exposure DRUG 2024-01-01", "disposition DEATH 2024-01-08"}}).lines(),
            (Lines{"c/1 missed 2024-01-01", "c/2 not-applicable 2024-01-08",
                   "c/3 not-applicable 2024-01-15"}));
}

TEST(Plan, SomeActivitiesAreForSomeSubjects) {
  const std::string some = R"(
[[activities]]
id = "b"
visit = "B"
anchor = "enrolment"
sites = ["B"]
[[activities]]
id = "f"
visit = "F"
anchor = "enrolment"
only_if = { sex = "F" }
)";
  const Lines woman = {"demographics DM 2024-01-01 sex=F"},
              man = {"demographics DM 2024-01-01 sex=M"};
  EXPECT_EQ((PlanCase{some, woman}).lines(), (Lines{"b/1 not-applicable", "f/1 open 2024-01-01"}));
  EXPECT_EQ((PlanCase{some, man, "2024-06-01T12:00Z", "B"}).lines(),
            (Lines{"b/1 open 2024-01-01", "f/1 not-applicable"}));
}

TEST(Plan, OtherVisitsAreListedAndCountForNothing) {
  const PlanCase study{
      kWeek2,
      {"exposure DRUG 2014-01-02", "visit EXTRA 2014-01-05", "visit V3 2014-01-16 visit=WEEK2"}};
  EXPECT_EQ(study.lines(), (Lines{"WK2/1 done 2014-01-16 2014-01-13..2014-01-19 r3 in", "+r2"}));
  Compliance figures;
  for (const Occurrence& one : study.plan().occurrences) figures.add(one);
  EXPECT_EQ(figures.expected(), 1u);
  EXPECT_EQ(figures.in_window(), 1u);
  EXPECT_EQ(figures.done_percent(), 100.0);
}

TEST(Plan, AsOfAnInstantWhatCameLaterIsLeftOut) {
  const Lines records = {"exposure DRUG 2014-01-02", "visit WEEK2 2014-01-16"};
  EXPECT_EQ((PlanCase{kWeek2, records, "2014-01-15T12:00Z", "NY", true}).lines(),
            Lines{"WK2/1 open 2014-01-16 2014-01-13..2014-01-19"});
  EXPECT_EQ((PlanCase{kWeek2, records, "2014-01-01T12:00Z", "NY", true}).lines(),
            Lines{"WK2/1 planned"});
}

TEST(Plan, ComplianceCountsWhatWasExpected) {
  const PlanCase study{
      kDiary,
      {"demographics DM 2024-01-01", "questionnaire Q 2024-01-01", "questionnaire Q 2024-01-03"},
      "2024-01-04T12:00Z"};
  Compliance figures;
  for (const Occurrence& one : study.plan().occurrences) figures.add(one);
  EXPECT_EQ(figures.expected(), 3u);
  EXPECT_EQ(figures.done(), 2u);
  EXPECT_EQ(figures.count(OccurrenceState::missed), 1u);
  EXPECT_EQ(figures.count(OccurrenceState::open), 1u);
  EXPECT_EQ(figures.count(OccurrenceState::planned), 1u);
  EXPECT_EQ(figures.done_percent(), 66.7);
  EXPECT_EQ(figures.in_window_percent(), 100.0);
  EXPECT_EQ(Compliance().done_percent(), std::nullopt);
}

TEST(Plan, FactsAreBounded) {
  const auto study = model::load_study({{"schedule.toml", kDiary}, {"study.toml", kCaseStudy}});
  const auto clock = model::WallClock::of("UTC");
  FactCollector collector(*study->schedule, *clock);
  auto id = static_cast<std::int64_t>(kSubjectFactsMax) + 1;
  for (; id > 1; --id) {
    ASSERT_TRUE(collector.add(record_of("questionnaire Q 2024-01-01", id)).ok()) << id;
  }
  const auto refused = collector.add(record_of("questionnaire Q 2024-01-01", 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::Errc::refused);
}

}  // namespace
}  // namespace trialward::epro
