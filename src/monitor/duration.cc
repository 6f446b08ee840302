#include "monitor/duration.h"

#include <array>
#include <charconv>

#include "base/milliseconds.h"

namespace trialward::monitor {
namespace {

using base::kDayMs;
using base::kHourMs;
using base::kMinuteMs;
using base::kSecondMs;
using base::kWeekMs;
constexpr std::int64_t kDurationMsMax = 3660 * kDayMs;

}  // namespace

std::optional<std::int64_t> parse_time_unit(std::string_view text) {
  struct UnitMs {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr std::array<UnitMs, 5> kUnits = {
      {{"s", kSecondMs}, {"min", kMinuteMs}, {"h", kHourMs}, {"d", kDayMs}, {"wk", kWeekMs}}};
  for (const UnitMs& unit : kUnits) {
    if (unit.name == text) return unit.ms;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number <= 0 || rest == end || *rest != ' ') return std::nullopt;
  const auto unit_ms =
      parse_time_unit(std::string_view(rest + 1, static_cast<std::size_t>(end - rest - 1)));
  if (!unit_ms || number > kDurationMsMax / *unit_ms) return std::nullopt;
  return number * *unit_ms;
}

}  // namespace trialward::monitor
