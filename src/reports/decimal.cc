#include "reports/decimal.h"

#include <array>
#include <charconv>
#include <cmath>

namespace trialward::reports {
namespace {

// |number| as 0.DIGITS * 10 ^ exponent, at kDecimalDigits.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

Decimal to_decimal(double number) {
  std::array<char, 64> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(number),
                    std::chars_format::scientific, kDecimalDigits - 1);
  Decimal decimal;
  const char* at = buffer.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') decimal.digits.push_back(*at);
  }
  ++at;  // the e
  if (*at == '+') ++at;
  std::from_chars(at, end, decimal.exponent);
  ++decimal.exponent;
  return decimal;
}

// Adds one to the last of some digits; true when all were nines, so that a digit was added.
bool increment(std::string& digits) {
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    if (*digit != '9') {
      ++*digit;
      return false;
    }
    *digit = '0';
  }
  digits.insert(digits.begin(), '1');
  return true;
}

std::string format_binary(double number, int decimals) {
  std::array<char, 512> buffer{};  // a double has up to 309 digits before the point
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                          std::chars_format::fixed, decimals);
  std::string text(buffer.data(), error == std::errc() ? end : buffer.data());
  const bool zero = text.find_first_not_of("-0.") == std::string::npos;
  if (zero && text.starts_with('-')) text.erase(0, 1);
  return text;
}

}  // namespace

std::string format_fixed(double number, int decimals, Rounding rounding) {
  if (!std::isfinite(number)) return "";
  if (rounding == Rounding::r) return format_binary(number, decimals);
  Decimal decimal = to_decimal(number);
  std::string& digits = decimal.digits;
  const int kept = decimal.exponent + decimals;  // digits that stay; the next decides
  if (kept < 0) {
    digits.clear();
  } else if (kept < static_cast<int>(digits.size())) {
    const bool up = digits[static_cast<std::size_t>(kept)] >= '5';
    digits.resize(static_cast<std::size_t>(kept));
    if (up) increment(digits);
  } else {
    digits.append(static_cast<std::size_t>(kept) - digits.size(), '0');
  }
  // The digits are a whole number of units of the last decimal now.
  digits.erase(0, digits.find_first_not_of('0'));
  const bool negative = number < 0 && !digits.empty();
  const auto width = static_cast<std::size_t>(decimals) + 1;
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - static_cast<std::size_t>(decimals), 1, '.');
  return (negative ? "-" : "") + digits;
}

double rounded(double number, int decimals, Rounding rounding) {
  const std::string text = format_fixed(number, decimals, rounding);
  double value = number;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string format_percent(std::int64_t count, std::int64_t of, int decimals, Rounding rounding) {
  if (of <= 0) return "";
  __extension__ using Wide = __int128;  // twice the count in per cent and decimals
  Wide scaled = static_cast<Wide>(count) * 200;
  for (int i = 0; i < decimals; ++i) scaled *= 10;
  const Wide twice = static_cast<Wide>(of) * 2;
  Wide nearest = (scaled + of) / twice;
  const bool half_way = (scaled + of) % twice == 0;
  if (half_way && rounding == Rounding::r && nearest % 2 == 1) --nearest;
  std::string digits = std::to_string(static_cast<std::int64_t>(nearest));
  const auto width = static_cast<std::size_t>(decimals) + 1;
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - static_cast<std::size_t>(decimals), 1, '.');
  return digits;
}

std::string format_short(double number) {
  if (!std::isfinite(number)) return "";
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                          number + 0.0, std::chars_format::general, kDecimalDigits);
  // General with a precision writes no zeros behind the last digit that counts.
  return std::string(buffer.data(), end);
}

int decimals_of(double number, int most) {
  const std::string text = format_short(rounded(number, most));
  const std::size_t point = text.find('.');
  return point == text.npos ? 0 : static_cast<int>(text.size() - point - 1);
}

std::optional<int> whole_number(std::string_view text, int most) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || text.front() == '-' || number > most) {
    return std::nullopt;
  }
  return number;
}

}  // namespace trialward::reports
