#include "cli/simulate_schedule.h"

#include <charconv>
#include <string>

namespace trialward::cli {

base::Result<std::optional<double>> parse_rate(std::string_view text) {
  if (text == "max") return std::optional<double>();
  std::string_view digits = text;
  if (digits.ends_with("/s")) digits.remove_suffix(2);
  double rate = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  if (error == std::errc() && end == digits.data() + digits.size() && rate >= 0.01 && rate <= 1e6) {
    return std::optional<double>(rate);
  }
  return base::Error{
      base::Errc::invalid,
      "\"" + std::string(text) + "\": expected records per second, from 0.01 to 1000000, or max"};
}

}  // namespace trialward::cli
