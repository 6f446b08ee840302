#include "model/wall_clock.h"

#include <date/tz.h>

#include <chrono>
#include <exception>
#include <string>

namespace trialward::model {
namespace {

std::int64_t to_ms(std::chrono::seconds seconds) { return seconds.count() * 1000; }

std::chrono::seconds whole_seconds(std::int64_t ms) {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(ms));
}

std::int64_t transition_ms(const date::local_info& info) {
  return to_ms(info.first.end.time_since_epoch());
}

}  // namespace

base::Result<WallClock> WallClock::of(std::string_view time_zone) {
  try {
    const WallClock clock(*date::locate_zone(time_zone));
    clock.local_ms(0);  // the zone's file is read on its first use
    return clock;
  } catch (const std::exception&) {  // that is how the library says that it has no such zone
    return base::invalid("unknown time zone " + std::string(time_zone));
  }
}

std::int64_t WallClock::first_ms(std::int64_t local_ms) const {
  const auto info = zone_->get_info(date::local_seconds(whole_seconds(local_ms)));
  if (info.result == date::local_info::nonexistent) return transition_ms(info);
  return local_ms - to_ms(info.first.offset);
}

std::int64_t WallClock::end_ms(std::int64_t local_ms) const {
  const auto info = zone_->get_info(date::local_seconds(whole_seconds(local_ms)));
  if (info.result == date::local_info::nonexistent) return transition_ms(info);
  const std::int64_t first = local_ms - to_ms(info.first.offset);
  if (info.result != date::local_info::ambiguous) return first;
  // The clock is set back to the very time: no earlier one is shown again.
  if (local_ms == transition_ms(info) + to_ms(info.second.offset)) return first;
  return local_ms - to_ms(info.second.offset);
}

std::int64_t WallClock::local_ms(std::int64_t utc_ms) const {
  return utc_ms + to_ms(zone_->get_info(date::sys_seconds(whole_seconds(utc_ms))).offset);
}

std::int64_t WallClock::day_of(std::int64_t local_ms) {
  return std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(local_ms)).count();
}

}  // namespace trialward::model
