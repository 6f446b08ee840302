// Units of measure as UCUM writes them (https://ucum.org/ucum, case-sensitive): what a unit means,
// and what a number in one unit is in another.
//
// parse() reads an expression such as "mmol/L", "10*9/L", "[degF]" or "mg/(kg.d)"; its error names
// the expression, the place (counted from 1) and the reason. convert() answers an error that names
// both units when one cannot be had from the other.
//
// Stricter than UCUM where its rule would change a finding without a word: to UCUM a mole is a
// pure number and an equivalent or an osmole is a mole; here they are kinds of their own, so that
// 10*9/L is no mmol/L, and meq becomes mmol only by a known valence. Arbitrary units, such as
// [iU], are equal to themselves alone, as UCUM says.
//
// Plain values and pure functions: any thread. What is parsed once is kept by the caller; to
// convert many numbers prepare() a Conversion, which neither parses nor allocates nor fails.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::ucum {

inline constexpr std::size_t kExpressionCharsMax = 120;
inline constexpr int kNestingMax = 8;
inline constexpr int kExponentMax = 99;  // of one symbol as written, and of each base of a unit

// What units are made of: UCUM's seven bases and the three kinds of amount kept apart here.
enum class Base : std::uint8_t {
  meter, second, gram, radian, kelvin, coulomb, candela, mole, equivalent, osmole,
};
inline constexpr std::size_t kBases = 10;

// The exponent of each base, and of each arbitrary unit. Two units measure the same kind of
// quantity when these are equal.
struct Dimension {
  static constexpr std::size_t kArbitraryMax = 3;
  struct Arbitrary {
    std::uint16_t atom = 0;
    std::int8_t power = 0;  // 0: no unit
    bool operator==(const Arbitrary&) const = default;
  };

  std::array<std::int8_t, kBases> powers{};
  std::array<Arbitrary, kArbitraryMax> arbitrary{};  // ascending atoms, those in use first

  int power(Base base) const { return powers[static_cast<std::size_t>(base)]; }
  bool operator==(const Dimension&) const = default;
};

// How a number in a special unit is read; `ratio` is every other unit.
enum class Scale : std::uint8_t {
  ratio, celsius, fahrenheit, reaumur, log10, neper, log2, log10_twice, negative_log10,
  tangent_times_100, square_root, homeopathic_10, homeopathic_100, homeopathic_1000,
  homeopathic_50000,
};

// Made by parse(); one is the unit 1.
struct Unit {
  std::string text = "1";  // as it was written
  Dimension dimension;
  double factor = 1;  // a ratio: number * factor is the number in base units
  // Of special units: number * step is what the scale reads, and `factor` follows its result.
  Scale scale = Scale::ratio;
  double step = 1;
  // A ratio of moles to moles, such as mmol/mol, which is no fraction of mass or volume.
  bool mole_ratio = false;
};

base::Result<Unit> parse(std::string_view expression);

// Whether the two measure the same kind of quantity, so that numbers convert.
bool same_dimension(const Unit& a, const Unit& b);

// The unit of a product and of a quotient. Special units have none, and exponents may grow too
// large: errors.
base::Result<Unit> multiply(const Unit& a, const Unit& b);
base::Result<Unit> divide(const Unit& a, const Unit& b);

base::Result<double> convert(double value, const Unit& from, const Unit& to);

// Of one substance. `valence` is what an ion of it carries, equivalents per mole; 0: not known.
struct MolarMass {
  double g_per_mol = 0;  // 0: not known
  int valence = 0;
  // Glycated haemoglobin, of which mmol/mol (IFCC) and % (NGSP) are two scales with two zeros.
  bool hba1c = false;
};
// Also from mass to amount of substance, and from either to equivalents and back; of HbA1c between
// the two scales. Of other substances a ratio of moles becomes no other fraction.
base::Result<double> convert(double value, const Unit& from, const Unit& to,
                             MolarMass molar_mass);

// The kind of amount (gram, mole, equivalent, osmole) that a unit counts once, and above the line:
// of mg/dL the gram. Nothing when it counts none of them, or several.
std::optional<Base> amount(const Unit& unit);

// Where a conversion starts when it leads from one kind of amount to another, as from mg/dL to
// mmol/L, and so rests on a molar mass or on somebody's factor.
struct Crossing {
  Base amount = Base::gram;  // of the unit that it starts from
  double size = 1;           // of that unit, in base units
};
// Of two units that differ in the kind of amount alone.
std::optional<Crossing> crossing(const Unit& from, const Unit& to);

// The way from one unit to another, worked out: a plain value of a few numbers.
struct Conversion {
  bool linear = true;  // number * factor + offset
  double factor = 1, offset = 0;
  // Otherwise: number -> * from_step -> from_scale -> * factor -> inverse of to_scale -> / to_step
  Scale from_scale = Scale::ratio, to_scale = Scale::ratio;
  double from_step = 1, to_step = 1;
  bool falling = false;  // whether larger numbers become smaller ones: pH to mol/L
  std::optional<Crossing> crossing;

  double operator()(double number) const {
    return linear ? number * factor + offset : by_scale(number);
  }

 private:
  double by_scale(double number) const;
};
base::Result<Conversion> prepare(const Unit& from, const Unit& to, MolarMass molar_mass = {});

// Whether two numbers are the same when written with so many significant digits, give or take one
// in the last: what binary fractions add or lose decides nothing.
inline constexpr int kSignificantDigits = 11;
bool same_at(double a, double b, int significant_digits = kSignificantDigits);

// The same for the way of every record: a is below b, and not by a difference of noise alone.
inline constexpr double kRelativeNoise = 1e-10;  // 10 ^ (1 - kSignificantDigits)
inline bool clearly_below(double a, double b) {
  const double difference = b - a;
  return a < b && (difference > kRelativeNoise * std::max(std::abs(a), std::abs(b)) ||
                   std::isinf(difference));
}

// What was found, for a reason: in quotation marks, only the beginning of something long, and what
// does not print as "?".
std::string quoted(std::string_view text);

// The unit in words, in parentheses as UCUM's own tests write it: "(meter) / (second ^ 2)".
base::Result<std::string> display_name(std::string_view expression);

}  // namespace trialward::ucum
