// Spans of time as stored and exchanged: whole milliseconds.
#pragma once

#include <cstdint>

namespace trialward::base {

inline constexpr std::int64_t kSecondMs = 1000, kMinuteMs = 60 * kSecondMs,
                              kHourMs = 60 * kMinuteMs, kDayMs = 24 * kHourMs, kWeekMs = 7 * kDayMs;

}  // namespace trialward::base
