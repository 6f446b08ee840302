#include "epro/planned_times.h"

#include <algorithm>

#include "base/milliseconds.h"
#include "model/effective_time.h"

namespace trialward::epro {
namespace {

using base::kDayMs;
using model::day_after;
using model::IsoDuration;
using model::WallClock;

bool on_calendar(const IsoDuration& duration) { return duration.months != 0 || duration.days != 0; }

std::int64_t start_of(std::int64_t day, const WallClock& clock) {
  return clock.first_ms(day * kDayMs);
}

// An instant later (or earlier) by a duration: days on the calendar at the same time of day, then
// hours exactly.
std::int64_t step(std::int64_t instant_ms, const IsoDuration& duration, const WallClock& clock) {
  if (!on_calendar(duration)) return instant_ms + duration.exact_ms;
  const std::int64_t day = clock.local_day(instant_ms);
  const std::int64_t of_day = clock.local_ms(instant_ms) - day * kDayMs;
  return clock.first_ms(day_after(day, duration) * kDayMs + of_day) + duration.exact_ms;
}

PlannedTimes times_by_days(const model::Activity& activity, std::int64_t target,
                           const WallClock& clock) {
  PlannedTimes times{.target_ms = start_of(target, clock), .target_day = target};
  times.from_ms = times.target_ms;
  times.first_day = target;
  std::int64_t last = target;
  if (activity.window) {
    times.windowed = true;
    times.first_day = day_after(target, model::times(activity.window->before, -1));
    last = times.last_day = day_after(target, activity.window->after);
    times.from_ms = start_of(times.first_day, clock);
    times.until_ms = start_of(last + 1, clock);
  }
  times.late_ms = times.until_ms;
  if (activity.late_after) {
    times.late_ms =
        std::min(times.until_ms, start_of(day_after(target, *activity.late_after), clock));
  }
  if (activity.missed_after || activity.window) {
    const IsoDuration grace = activity.missed_after.value_or(IsoDuration{});
    times.missed_ms = start_of(day_after(last, grace) + 1, clock);
  }
  return times;
}

PlannedTimes times_by_clock(const model::Activity& activity, std::int64_t target_ms,
                            const WallClock& clock) {
  PlannedTimes times{.target_ms = target_ms, .target_day = clock.local_day(target_ms)};
  times.by_clock = true;
  times.from_ms = target_ms;
  std::int64_t end_ms = target_ms;
  if (activity.window) {
    times.windowed = true;
    times.from_ms = step(target_ms, model::times(activity.window->before, -1), clock);
    end_ms = step(target_ms, activity.window->after, clock);
    times.until_ms = end_ms + 1;
    times.last_day = clock.local_day(end_ms);
  }
  times.first_day = clock.local_day(times.from_ms);
  times.late_ms = times.until_ms;
  if (activity.late_after) {
    times.late_ms = std::min(times.until_ms, step(target_ms, *activity.late_after, clock));
  }
  if (activity.missed_after || activity.window) {
    times.missed_ms = step(end_ms, activity.missed_after.value_or(IsoDuration{}), clock) + 1;
  }
  return times;
}

// The target of an activity by the clock. What is counted on the calendar is counted from the first
// target's day and time of day, so that a gap on the way moves none of those after it.
std::int64_t clock_target(const model::Activity& activity, const When& anchor, int number,
                          const WallClock& clock) {
  const IsoDuration after = model::times(activity.every, number);
  std::int64_t day = anchor.first_day, of_day = 0;
  if (!activity.minute_of_day && anchor.timed && !on_calendar(activity.offset)) {
    const std::int64_t first_ms = anchor.from_ms + activity.offset.exact_ms;
    return step(first_ms, after, clock);
  }
  if (activity.minute_of_day) {
    of_day = *activity.minute_of_day * base::kMinuteMs;
  } else if (anchor.timed) {
    of_day = clock.local_ms(anchor.from_ms) - clock.local_day(anchor.from_ms) * kDayMs;
  }
  day = day_after(day_after(day, activity.offset), after);
  return clock.first_ms(day * kDayMs + of_day) + activity.offset.exact_ms + after.exact_ms;
}

}  // namespace

When when_at(std::int64_t utc_ms, const WallClock& clock) {
  const std::int64_t day = clock.local_day(utc_ms);
  return {
      .from_ms = utc_ms, .until_ms = utc_ms + 1, .first_day = day, .last_day = day, .timed = true};
}

std::optional<When> when_given(std::string_view text, const WallClock& clock) {
  const bool timed = text.find('T') != text.npos;
  // Of a time with an offset the instant; of all others, taken as UTC, what the wall clock shows.
  const auto shown = model::resolve_effective(text, "UTC");
  if (!shown) return std::nullopt;
  if (timed && model::parse_instant(text)) {
    When when = when_at(shown->from_ms, clock);
    when.until_ms = shown->until_ms;
    return when;
  }
  return When{
      .from_ms = clock.first_ms(shown->from_ms),
      .until_ms = std::max(clock.end_ms(shown->until_ms), clock.first_ms(shown->from_ms) + 1),
      .first_day = WallClock::day_of(shown->from_ms),
      .last_day = WallClock::day_of(shown->until_ms - 1),
      .timed = timed};
}

std::optional<When> when_of(const model::StoredRecord& record, const WallClock& clock) {
  const std::string& given = record.record.effective;
  if (given.find('T') == given.npos || !record.interval) return when_given(given, clock);
  When when = when_at(record.interval->from_ms, clock);
  when.until_ms = record.interval->until_ms;
  return when;
}

PlannedTimes planned_times(const model::Activity& activity, const When& anchor, int number,
                           const WallClock& clock) {
  if (activity.by_clock()) {
    return times_by_clock(activity, clock_target(activity, anchor, number, clock), clock);
  }
  const std::int64_t first = day_after(anchor.first_day, activity.offset);
  return times_by_days(activity, day_after(first, model::times(activity.every, number)), clock);
}

std::optional<bool> in_window(const PlannedTimes& times, const When& when) {
  if (!times.windowed) return std::nullopt;
  if (times.by_clock && when.timed) {
    return times.from_ms <= when.from_ms && when.from_ms < times.until_ms;
  }
  if (times.first_day <= when.first_day && when.last_day <= times.last_day) return true;
  if (when.last_day < times.first_day || when.first_day > times.last_day) return false;
  return std::nullopt;
}

}  // namespace trialward::epro
