#include "fhir/primitives.h"

#include <algorithm>
#include <charconv>

namespace trialward::fhir {
namespace {

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_letter(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z'); }

// The number that so many digits at the beginning are; they are taken away.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

int days_in(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Takes YYYY[-MM[-DD]]; `to_the_day` says whether all of it was there.
bool take_date(std::string_view& text, bool& to_the_day) {
  to_the_day = false;
  const auto year = take_digits(text, 4);
  if (!year || *year == 0) return false;
  if (!take(text, '-')) return true;
  const auto month = take_digits(text, 2);
  if (!month || *month < 1 || *month > 12) return false;
  if (!take(text, '-')) return true;
  const auto day = take_digits(text, 2);
  to_the_day = true;
  return day && *day >= 1 && *day <= days_in(*year, *month);
}

bool take_time(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return false;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return false;  // FHIR allows a leap second
  if (!take(text, '.')) return true;
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  if (end == text.begin()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return true;
}

bool take_offset(std::string_view& text) {
  if (take(text, 'Z')) return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 14 || !take(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  return minute && *minute <= 59;
}

}  // namespace

bool is_date(std::string_view text) {
  bool to_the_day = false;
  return take_date(text, to_the_day) && text.empty();
}

bool is_date_time(std::string_view text) {
  bool to_the_day = false;
  if (!take_date(text, to_the_day)) return false;
  if (text.empty()) return true;
  return to_the_day && take(text, 'T') && take_time(text) && take_offset(text) && text.empty();
}

bool is_time(std::string_view text) { return take_time(text) && text.empty(); }

std::optional<std::int32_t> parse_integer(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> base64_bytes(std::string_view text) {
  std::uint64_t characters = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c == '=') {
      ++padding;
    } else if (padding > 0 || !(is_letter(c) || is_digit(c) || c == '+' || c == '/')) {
      return std::nullopt;
    } else {
      ++characters;
    }
  }
  if (padding > 2 || (characters + padding) % 4 != 0) return std::nullopt;
  return characters * 3 / 4;
}

}  // namespace trialward::fhir
