// When something happened to a subject, as the sender gave it, and which instants that can mean.
//
// Accepted (ISO 8601 as SDTM --DTC uses it): YYYY, YYYY-MM, YYYY-MM-DD, YYYY-MM-DDTHH:MM,
// …:SS, …:SS.fff, the last three with or without an offset (Z, +HH:MM, -HH:MM). A fraction has one
// to nine digits, of which those below the millisecond are cut off. Without an offset the site's
// wall clock is meant; a date alone means the whole day there.
// Pure; no thread owns anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::model {

// Half-open interval of instants, in milliseconds since 1970-01-01T00:00:00Z.
struct Interval {
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;  // > from_ms
  bool operator==(const Interval&) const = default;
};

// Whether the text is an accepted form that names a real date and time of day (leap years
// counted; years 1800 to 2200). The error says which part is wrong.
base::Status check_effective(std::string_view given);

// The instants that `given` can mean in a time zone (IANA name, e.g. "America/New_York").
// A wall-clock time that a zone skips means the instant of the gap; one that occurs twice means
// both, from the first to the second. Errors: invalid (text or zone).
base::Result<Interval> resolve_effective(std::string_view given, std::string_view time_zone);

// "2014-01-16T13:17:00.000Z" and back; back takes what check_effective takes if it names an offset.
std::string format_utc(std::int64_t utc_ms);
std::optional<std::int64_t> parse_instant(std::string_view text);

bool known_time_zone(std::string_view name);

}  // namespace trialward::model
