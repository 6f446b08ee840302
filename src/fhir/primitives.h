// FHIR R4's primitive types as they are spelled. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trialward::fhir {

// YYYY, YYYY-MM or YYYY-MM-DD, of a day that exists.
bool is_date(std::string_view text);
// A date, or one with hh:mm:ss, perhaps a fraction, and an offset.
bool is_date_time(std::string_view text);
// hh:mm:ss, perhaps with a fraction.
bool is_time(std::string_view text);
// A whole number of 32 bits.
std::optional<std::int32_t> parse_integer(std::string_view text);

// The bytes that base64 text stands for (blanks between characters allowed); nothing when it is
// none.
std::optional<std::uint64_t> base64_bytes(std::string_view text);

}  // namespace trialward::fhir
