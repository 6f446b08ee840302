// A study's schedule of activities: which visits and questionnaires a subject is to have, and when.
// schedule.toml, in the folder of a study definition; without the file a study has none.
//
//   [ending]        (optional) which dispositions end a subject's schedule:
//                   category = "DISPOSITION EVENT": those with this text as their attribute
//                   "dscat"; absent: all but PROTOCOL MILESTONE and OTHER EVENT
//   [sync]          (optional) that a third party has the subjects' schedules as well, with which
//                   it is kept in step (schedule/sync.h):
//     partner       its name; the server's operator says where it is (--partners)
//     out_of_step_max = "P1D": a subject out of step for longer raises an alert; absent: none does
//   [[activities]]  at most 500, in the order in which they are shown:
//     id            unique; title (optional)
//     what does it, one of:
//       visit = "WEEK 2"           a visit's record with this code, or with this name of a visit
//       questionnaire = "PHQ9TOT"  a record of a questionnaire's code; or ["PHQ9-1", "PHQ9-2", …]:
//                                  one of each of these codes, on the same day. With `visit` only
//                                  those that carry the visit's name
//     anchor        what its time is counted from:
//       "first-dose"  the attribute rfxstdtc of the subject's demographics, else the first exposure
//       "enrolment"   the time of the subject's demographics, else of its first record
//       "ID"          of an activity that stands before, comes once and is not by events: the time
//                     when it was done; until then, the time for which it is planned
//       { kind = "adverse_event", code = "FALL", serious = true }: each such record by itself;
//                     code and serious are optional. At most 100 of a subject's are followed
//     offset        from the anchor; "-P2W" before it; absent: P0D
//     time          "20:00": at this time of day; absent: see below
//     window        { before = "P3D", after = "P3D" }, either may be left out; absent: there is
//                   none, and what is done is neither in it nor out of it
//     late_after    since the target, in the window: then it is late; absent: when the window ends
//     missed_after  since the window's end (without a window: since the target): then it is missed;
//                   absent: at once, and without a window never
//     repeat        { every = "P1D", times = 14 }, or until = "P12W" in place of times: as long as
//                   it is no longer after the first
//     sites         ["S01"]: of these sites' subjects only
//     only_if       { sex = "F" }: of subjects whose demographics have these attributes only. There
//                   is nothing by treatment arm: a list of what is due would tell it
//     alerts        [{ when = "missed", severity = "warning", title = "…" }]: that it is missed, or
//                   "late", raises an alert, once for each time that it comes. At most one of each;
//                   severity as a rule's (info, warning, critical; absent: warning)
//
// Durations are ISO 8601's (model/iso_duration.h). Days, weeks and months are counted on the
// calendar of the subject's site, hours exactly.
//
// An activity is *by days* when it has no time of day and none of its durations has hours: its
// target is a day, and its window is whole days. Else it is *by the clock*: the target is an
// instant, and so are the window's ends. Its time of day is `time`, else that of the anchor, else
// midnight.
//
// Pure; a loaded Schedule is immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/iso_duration.h"
#include "model/record.h"
#include "model/study.h"
#include "model/watch.h"

namespace trialward::model {

class TableReader;

inline constexpr std::size_t kActivitiesMax = 500;
inline constexpr std::size_t kActivityCodesMax = 100;  // of a questionnaire
inline constexpr int kRepeatsMax = 1'000;              // of an activity
inline constexpr int kPlannedMax = 5'000;              // of a subject, but for events
inline constexpr std::size_t kAnchorEventsMax = 100;   // of a subject and an activity

struct Anchor {
  enum class Type : std::uint8_t { first_dose, enrolment, activity, event };
  Type type = Type::enrolment;
  std::size_t activity = 0;  // its place in the schedule
  Kind kind = Kind::visit;   // of an event
  std::string code;          // "": any
  std::optional<bool> serious;
};

struct Window {
  IsoDuration before, after;
};

// That it is late, or missed, is told with an alert.
struct ActivityAlert {
  enum class When : std::uint8_t { late, missed };
  When when = When::missed;
  AlertSeverity severity = AlertSeverity::warning;
  std::string title;
};
std::string_view to_string(ActivityAlert::When when);

struct Activity {
  std::string id, title;
  std::string visit;               // "": of a questionnaire without one
  std::vector<std::string> codes;  // of a questionnaire; empty: it is a visit
  Anchor anchor;
  IsoDuration offset;
  std::optional<int> minute_of_day;
  std::optional<Window> window;
  std::optional<IsoDuration> late_after, missed_after;
  IsoDuration every;
  int count = 1;  // how often it comes, of each anchor
  std::vector<std::string> sites;
  std::vector<std::pair<std::string, std::string>> only_if;
  std::vector<ActivityAlert> alerts;
  int line = 0;

  bool is_visit() const { return codes.empty(); }
  bool by_clock() const;
  bool by_events() const { return anchor.type == Anchor::Type::event; }
};

// With whom the schedule is kept in step.
struct SchedulePartner {
  std::string partner;
  std::int64_t out_of_step_max_ms = 0;  // 0: no alert
  int line = 0;
};

struct Schedule {
  std::string ending_category;
  std::optional<SchedulePartner> sync;
  std::vector<Activity> activities;

  // Whether this disposition category ends a subject's schedule.
  bool ends(std::string_view category) const;
  bool has_alerts() const;
  bool has_alert(std::string_view activity, ActivityAlert::When when) const;
};

// Reads all members of the file; what is wrong becomes a fault of the reader's. `study` has its
// sites already.
Schedule read_schedule(TableReader& root, const Study& study);

}  // namespace trialward::model
