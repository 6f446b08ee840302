// Numbers as people read them. Pure; no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::reports {

// sas: what is half-way as a decimal number goes away from zero, whatever its binary neighbour is:
// 0.125 becomes 0.13, 1.005 becomes 1.01. r: as R's sprintf, the binary number decides, and where
// that is half-way the even digit: 0.12, and 1.00 because the double lies below 1.005.
enum class Rounding : std::uint8_t { sas, r };

// What arithmetic adds behind so many significant digits is noise, and does not decide a rounding.
inline constexpr int kDecimalDigits = 15;

// "12.7", "-0.05", "3"; "" for what is no finite number. A zero has no sign. decimals >= 0.
std::string format_fixed(double number, int decimals, Rounding rounding = Rounding::sas);
// The same as a number.
double rounded(double number, int decimals, Rounding rounding = Rounding::sas);

// 100 * count / of, rounded exactly; "" when `of` is 0. Neither is negative.
std::string format_percent(std::int64_t count, std::int64_t of, int decimals,
                           Rounding rounding = Rounding::sas);

// With how many decimals a number was measured, `most` at most.
int decimals_of(double number, int most);

// As few digits as say the same at kDecimalDigits: "0.1", "1500", "2.5e-7".
std::string format_short(double number);

// A whole number from 0 to `most`, in digits alone.
std::optional<int> whole_number(std::string_view text, int most);

}  // namespace trialward::reports
