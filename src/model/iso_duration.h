// ISO 8601 durations, as schedules write offsets and windows: "P2W", "P1Y2M3DT4H5M6S".
//
// Accepted: P, then years Y, months M and days D, or weeks W alone; then, after T, hours H, minutes
// M and seconds S; each a whole number of one to five digits, in this order, at least one of them.
// A leading "-" is accepted where the caller allows it. Fractions, weeks beside other parts, and
// lower-case letters are refused, with the reason.
//
// Years, months, weeks and days are steps on a calendar: a day may have 23 or 25 hours. Hours and
// less are exact. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::model {

inline constexpr std::int64_t kDurationDaysMax = 7320;  // 20 years, months taken as 31 days

struct IsoDuration {
  int months = 0;             // years are twelve
  int days = 0;               // weeks are seven
  std::int64_t exact_ms = 0;  // hours, minutes and seconds

  bool zero() const { return months == 0 && days == 0 && exact_ms == 0; }
  bool operator==(const IsoDuration&) const = default;
};

enum class Sign : std::uint8_t { never, allowed };

// Errors: invalid.
base::Result<IsoDuration> parse_iso_duration(std::string_view text, Sign sign = Sign::never);
// "P1M3DT4H", "P0D"; parse_iso_duration reads it back. All parts have one sign.
std::string to_string(const IsoDuration& duration);

IsoDuration times(const IsoDuration& duration, int count);

// Calendars and their days, numbered from 1970-01-01 as 0.
// The day that lies so many months and days after another: first the months, where a month that is
// too short ends earlier (31 January and a month: 28 February), then the days.
std::int64_t day_after(std::int64_t day, const IsoDuration& duration);
std::string day_text(std::int64_t day);  // "2014-01-16"

}  // namespace trialward::model
