#include "reports/date.h"

#include <algorithm>
#include <chrono>

namespace trialward::reports {
namespace {

// So many digits at a place, or nothing.
std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  if (text.size() < from + count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || '9' < c) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

bool dash(std::string_view text, std::size_t at) { return text.size() > at && text[at] == '-'; }

std::string padded(int number, std::size_t width) {
  std::string text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

}  // namespace

Date parse_date(std::string_view text) {
  Date date;
  const auto year = digits(text, 0, 4);
  if (!year || *year == 0) return date;
  date.year = static_cast<std::int16_t>(*year);
  const auto month = dash(text, 4) ? digits(text, 5, 2) : std::nullopt;
  if (!month || *month < 1 || *month > 12) return date;
  date.month = static_cast<std::uint8_t>(*month);
  const auto day = dash(text, 7) ? digits(text, 8, 2) : std::nullopt;
  if (!day || *day < 1 || *day > 31) return date;
  date.day = static_cast<std::uint8_t>(*day);
  return date;
}

std::string to_string(const Date& date) {
  if (!date.given()) return "";
  std::string text = padded(date.year, 4);
  if (date.month != 0) text += "-" + padded(date.month, 2);
  if (date.day != 0) text += "-" + padded(date.day, 2);
  return text;
}

int order_at_common(const Date& a, const Date& b) {
  const auto order = [](int x, int y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (const int years = order(a.year, b.year); years != 0) return years;
  if (a.month == 0 || b.month == 0) return 0;
  if (const int months = order(a.month, b.month); months != 0) return months;
  if (a.day == 0 || b.day == 0) return 0;
  return order(a.day, b.day);
}

std::optional<std::int32_t> day_number(const Date& date) {
  if (!date.whole()) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(date.year),
                                        std::chrono::month(date.month),
                                        std::chrono::day(date.day)};
  if (!day.ok()) return std::nullopt;
  return static_cast<std::int32_t>(
      std::chrono::sys_days(day).time_since_epoch().count());
}

Date date_of_day(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return {static_cast<std::int16_t>(static_cast<int>(date.year())),
          static_cast<std::uint8_t>(static_cast<unsigned>(date.month())),
          static_cast<std::uint8_t>(static_cast<unsigned>(date.day()))};
}

std::optional<Days> days_of(const Date& date) {
  if (!date.given()) return std::nullopt;
  if (date.whole()) {
    const auto day = day_number(date);
    return day ? std::optional(Days{*day, *day}) : std::nullopt;
  }
  using namespace std::chrono;
  const year_month first(year(date.year), month(date.month == 0 ? 1u : date.month));
  const year_month last(year(date.year), month(date.month == 0 ? 12u : date.month));
  const sys_days from = first / 1, to = last / std::chrono::last;
  return Days{static_cast<std::int32_t>(from.time_since_epoch().count()),
              static_cast<std::int32_t>(to.time_since_epoch().count())};
}

}  // namespace trialward::reports
