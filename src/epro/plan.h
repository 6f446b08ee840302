// What a subject is to do and has done, by the study's schedule: one entry for each time that an
// activity comes, with its window and state; and what was done beside the schedule. It is worked
// out from the subject's records whenever it is asked for, so it is never behind them.
//
// What was done belongs to one occurrence:
//   An activity that comes once, and that nothing else in the schedule has the records of, is done
//   by its first record, whenever that was. Of all others, a record does the occurrence in whose
//   window it lies, else the last that had begun and was not missed yet. The anchor is taken as it
//   was known when the record came in: a correction of the anchor moves windows, and what was done
//   stays done and is not due again. Data of the past (an import) are placed by the anchor of now.
// What fits nowhere is unscheduled: it is listed, and counts for nothing.
//
// A record that says that it was not done makes the occurrence missed. Once the subject has left,
// what had not closed by then is not applicable.
//
// Pure. A plan of a subject has at most kOccurrencesMax entries; `cut` says that there are more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "epro/planned_times.h"
#include "epro/subject_facts.h"
#include "model/schedule.h"

namespace trialward::epro {

inline constexpr std::size_t kOccurrencesMax = 10'000;

enum class OccurrenceState : std::uint8_t { planned, open, done, late, missed, not_applicable };
inline constexpr std::size_t kOccurrenceStates = 6;
std::string_view to_string(OccurrenceState state);  // "not-applicable"
std::optional<OccurrenceState> parse_occurrence_state(std::string_view text);

struct Occurrence {
  std::size_t activity = 0;  // its place in the schedule
  int number = 1;
  std::int64_t event = 0;  // the first version of the record that calls for it; 0: none does
  std::optional<PlannedTimes> times;  // none: its anchor is not known
  OccurrenceState state = OccurrenceState::planned;
  std::int64_t record = 0;             // that did it, or says that it was not done
  std::string effective;               // of that record, as given
  std::int64_t effective_ms = kNever;  // when that begins; kNever: not known
  std::optional<bool> in_window;       // of what is done
  std::string_view reason;             // why it is not applicable, or has no time; else ""
};

struct Unscheduled {
  std::int64_t record = 0;
  model::Kind kind = model::Kind::visit;
  std::string name, effective;  // name: the code
  std::string_view reason;
};

struct Plan {
  std::vector<Occurrence> occurrences;  // by activity, event and number
  std::vector<Unscheduled> unscheduled;
  std::optional<When> left;  // when the subject left the study, by now
  bool cut = false;
};

struct PlanRequest {
  std::string_view site;
  std::int64_t now_ms = 0;
  std::int64_t known_ms = kNever;  // what happened later than that is left out
};

Plan make_plan(const model::Schedule& schedule, const SubjectFacts& facts,
               const model::WallClock& clock, const PlanRequest& request);

}  // namespace trialward::epro
