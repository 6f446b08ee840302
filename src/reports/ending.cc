#include "reports/ending.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace trialward::reports {
namespace {

// DSCAT's terms of what is no ending (SDTM's codelist DSCAT).
constexpr std::array<std::string_view, 2> kNoEndings = {"PROTOCOL MILESTONE", "OTHER EVENT"};

bool counts(const Dataset& data, const Entry& one) {
  const std::string_view category = data.attribute(one, "dscat");
  const std::string& wanted = data.settings->disposition_category;
  if (!wanted.empty()) return category == wanted;
  return std::find(kNoEndings.begin(), kNoEndings.end(), category) == kNoEndings.end();
}

Date date_of(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return {.year = static_cast<std::int16_t>(static_cast<int>(date.year())),
          .month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month())),
          .day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()))};
}

}  // namespace

std::vector<const Entry*> endings_of(const Dataset& data) {
  std::vector<const Entry*> last(data.subjects.size());
  for (const Entry& one : data.dispositions) {
    if (!counts(data, one)) continue;
    const Entry*& known = last[one.subject];
    if (!known || std::pair(known->at_ms, known->record) < std::pair(one.at_ms, one.record)) {
      known = &one;
    }
  }
  return last;
}

bool is_dropout(const Dataset& data, const Entry& ending) {
  const auto& completed = data.settings->completed;
  return std::find(completed.begin(), completed.end(), data.text(ending.code)) == completed.end();
}

bool left_before(const Entry* ending, std::int32_t day) {
  return ending && ending->date.given() && order_at_common(ending->date, date_of(day)) < 0;
}

std::int32_t today_of(const Dataset& data) {
  const auto as_of = std::chrono::milliseconds(data.positions.as_of_ms);
  return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(as_of).count());
}

}  // namespace trialward::reports
