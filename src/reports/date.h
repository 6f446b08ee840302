// A calendar date as a sender gave it: whole, or a year and month, or a year alone. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::reports {

struct Date {
  std::int16_t year = 0;  // 0: none is given
  std::uint8_t month = 0, day = 0;  // 0: not given

  bool given() const { return year != 0; }
  bool whole() const { return day != 0; }
  bool operator==(const Date&) const = default;
};

// Of the forms of model/effective_time.h; what stands behind the day is left away. None for others.
Date parse_date(std::string_view text);
std::string to_string(const Date& date);  // "2014-01-16", "2014-01", "2014", ""

// -1, 0, 1 as `a` lies before, with or after `b`, at the precision that both have: 2014-01 is with
// 2014-01-16. Both are given.
int order_at_common(const Date& a, const Date& b);

// Days since 1970-01-01; none when the date is not whole.
std::optional<std::int32_t> day_number(const Date& date);
Date date_of_day(std::int32_t day);
// The days that it can mean; none where no date is given.
struct Days {
  std::int32_t first = 0, last = 0;
};
std::optional<Days> days_of(const Date& date);

}  // namespace trialward::reports
