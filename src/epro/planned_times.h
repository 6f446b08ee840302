// When an occurrence of an activity is to be done: its target and window, from an anchor, on the
// wall clock of the subject's site; and whether what was done lies in it. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "model/record.h"
#include "model/schedule.h"
#include "model/wall_clock.h"

namespace trialward::epro {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// When something happened, as far as the record says it. Days are those of the site's calendar.
struct When {
  std::int64_t from_ms = 0, until_ms = 0;    // the instants that are meant, half-open
  std::int64_t first_day = 0, last_day = 0;  // the same day where the date is whole
  bool timed = false;                        // with a time of day

  bool whole() const { return first_day == last_day; }
  bool operator==(const When&) const = default;
};
// None when the record has no effective time. A date alone is its day, whatever the zone that it
// was stored under.
std::optional<When> when_of(const model::StoredRecord& record, const model::WallClock& clock);
When when_at(std::int64_t utc_ms, const model::WallClock& clock);
// Of a text such as "2014-01-02"; none for what is no effective time.
std::optional<When> when_given(std::string_view text, const model::WallClock& clock);

struct PlannedTimes {
  std::int64_t target_ms = 0, target_day = 0;
  std::int64_t from_ms = 0, until_ms = kNever;        // half-open: when it may be done
  std::int64_t first_day = 0, last_day = kNever;      // the window's, both in it
  std::int64_t late_ms = kNever, missed_ms = kNever;  // from then on it is
  bool windowed = false;  // else it begins at its target and does not end
  bool by_clock = false;  // else target and window are whole days

  // The instant at which the window ends as it was defined: by the clock that instant is in it.
  std::int64_t end_ms() const { return by_clock ? until_ms - 1 : until_ms; }
};

// `number`: from 0, of the activity's repetitions.
PlannedTimes planned_times(const model::Activity& activity, const When& anchor, int number,
                           const model::WallClock& clock);

// Nothing without a window, and where a date that is not whole may lie on both sides. What has a
// date only is judged by it, in a window by the clock, too: on its first and last day it is in.
std::optional<bool> in_window(const PlannedTimes& times, const When& when);

}  // namespace trialward::epro
