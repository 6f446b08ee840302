// The times of rules.toml. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trialward::monitor {

inline constexpr const char* kDurationWanted = "\"N s\", min, h, d or wk; at most 3660 d";

// "10 min" in milliseconds; nothing when it is no such text, or longer than ten years.
std::optional<std::int64_t> parse_duration(std::string_view text);
// "min" in milliseconds.
std::optional<std::int64_t> parse_time_unit(std::string_view text);

}  // namespace trialward::monitor
