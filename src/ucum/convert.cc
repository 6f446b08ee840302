// What a number in one unit is in another.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "ucum/read_term.h"
#include "ucum/unit.h"

namespace trialward::ucum {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kCelsiusZero = 273.15;     // in kelvin
constexpr double kFahrenheitZero = 459.67;  // in degrees Rankine
constexpr double kReaumurZero = 218.52;     // in 1.25 kelvin

// Scales that are a ratio with another zero: what is added to a number to make it one.
std::optional<double> zero(Scale scale) {
  switch (scale) {
    case Scale::ratio:
      return 0;
    case Scale::celsius:
      return kCelsiusZero;
    case Scale::fahrenheit:
      return kFahrenheitZero;
    case Scale::reaumur:
      return kReaumurZero;
    default:
      return std::nullopt;
  }
}

bool falls(Scale scale) {
  switch (scale) {
    case Scale::negative_log10:
    case Scale::homeopathic_10:
    case Scale::homeopathic_100:
    case Scale::homeopathic_1000:
    case Scale::homeopathic_50000:
      return true;
    default:
      return false;
  }
}

// What one step of a homeopathic series dilutes by.
double dilution(Scale scale) {
  switch (scale) {
    case Scale::homeopathic_10:
      return 10;
    case Scale::homeopathic_100:
      return 100;
    case Scale::homeopathic_1000:
      return 1000;
    default:
      return 50000;
  }
}

double to_ratio(Scale scale, double number) {
  switch (scale) {
    case Scale::ratio:
    case Scale::celsius:
    case Scale::fahrenheit:
    case Scale::reaumur:
      return number + *zero(scale);
    case Scale::log10:
      return std::pow(10, number);
    case Scale::log10_twice:
      return std::pow(10, number / 2);
    case Scale::negative_log10:
      return std::pow(10, -number);
    case Scale::neper:
      return std::exp(number);
    case Scale::log2:
      return std::exp2(number);
    case Scale::tangent_times_100:
      return std::atan(number / 100);
    case Scale::square_root:
      return number * number;
    case Scale::homeopathic_10:
    case Scale::homeopathic_100:
    case Scale::homeopathic_1000:
    case Scale::homeopathic_50000:
      return std::pow(dilution(scale), -number);
  }
  return NAN;
}

double from_ratio(Scale scale, double number) {
  switch (scale) {
    case Scale::ratio:
    case Scale::celsius:
    case Scale::fahrenheit:
    case Scale::reaumur:
      return number - *zero(scale);
    case Scale::log10:
      return std::log10(number);
    case Scale::log10_twice:
      return 2 * std::log10(number);
    case Scale::negative_log10:
      return -std::log10(number);
    case Scale::neper:
      return std::log(number);
    case Scale::log2:
      return std::log2(number);
    case Scale::tangent_times_100:
      return std::abs(number) < kPi / 2 ? 100 * std::tan(number) : NAN;
    case Scale::square_root:
      return std::sqrt(number);
    case Scale::homeopathic_10:
    case Scale::homeopathic_100:
    case Scale::homeopathic_1000:
    case Scale::homeopathic_50000:
      return -std::log(number) / std::log(dilution(scale));
  }
  return NAN;
}

// Factors are products of decimal fractions that no binary number holds: 1 g/dL comes out as
// 10.000000000000002 g/L. One that is next to a number of few digits is taken to be that number.
double without_noise(double factor) {
  constexpr int kDigits = 12;
  constexpr double kNoise = 1e-14;
  std::array<char, 32> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), factor,
                                     std::chars_format::scientific, kDigits - 1);
  double rounded = factor;
  std::from_chars(text.data(), written.ptr, rounded);
  return std::abs(rounded - factor) <= kNoise * std::abs(factor) ? rounded : factor;
}

base::Error cannot(const Unit& from, const Unit& to, std::string_view reason) {
  return {base::Errc::invalid, quoted(from.text) + " cannot be converted to " + quoted(to.text) +
                                   ": " + std::string(reason)};
}

constexpr std::array<Base, 4> kAmounts = {Base::gram, Base::mole, Base::equivalent, Base::osmole};

// Whether the two differ in the kind of amount alone.
bool same_but_amount(const Unit& a, const Unit& b) {
  Dimension of_a = a.dimension, of_b = b.dimension;
  for (const Base base : kAmounts) {
    of_a.powers[static_cast<std::size_t>(base)] = 0;
    of_b.powers[static_cast<std::size_t>(base)] = 0;
  }
  return of_a == of_b;
}

// How many moles there are in one of a kind of amount; 0: not known.
double moles(Base base, MolarMass molar_mass) {
  switch (base) {
    case Base::mole:
      return 1;
    case Base::gram:
      return molar_mass.g_per_mol > 0 ? 1 / molar_mass.g_per_mol : 0;
    case Base::equivalent:
      return molar_mass.valence > 0 ? 1.0 / molar_mass.valence : 0;
    default:
      return 0;
  }
}

// Pure numbers, one of them a ratio of moles: 48 mmol/mol of HbA1c are not 4.8 %.
bool differ_in_ratio(const Unit& a, const Unit& b) {
  return a.mole_ratio != b.mole_ratio && a.dimension == Dimension{} && b.dimension == Dimension{};
}

// The IFCC's and the NGSP's master equation (https://ngsp.org/ifcc.asp):
// NGSP in % = 0.09148 * IFCC in mmol/mol + 2.152.
Conversion between_hba1c_scales(const Unit& from, const Unit& to) {
  constexpr double kSlope = 0.09148, kAtZero = 2.152;
  constexpr double kPercent = 1e-2, kIfcc = 1e-3;
  Conversion conversion;
  if (from.mole_ratio) {
    conversion.factor = kSlope * (from.factor / kIfcc) * (kPercent / to.factor);
    conversion.offset = kAtZero * (kPercent / to.factor);
  } else {
    conversion.factor = (from.factor / kPercent) * (kIfcc / to.factor) / kSlope;
    conversion.offset = -kAtZero * (kIfcc / to.factor) / kSlope;
  }
  return conversion;
}

// What a number in base units is multiplied by to be in those of another dimension.
base::Result<double> between_dimensions(const Unit& from, const Unit& to, MolarMass molar_mass) {
  if (same_dimension(from, to)) return 1.0;
  const auto have = amount(from), want = amount(to);
  if (!have || !want || !same_but_amount(from, to)) {
    const auto is_arbitrary = [](const Unit& unit) {
      return unit.dimension.arbitrary[0].power != 0;
    };
    return cannot(from, to,
                  is_arbitrary(from) || is_arbitrary(to)
                      ? "an arbitrary unit has a meaning of its own"
                      : "they measure different things");
  }
  const double had = moles(*have, molar_mass), wanted = moles(*want, molar_mass);
  if (had > 0 && wanted > 0) return had / wanted;
  const auto either = [&](Base base) { return *have == base || *want == base; };
  if (either(Base::osmole)) return cannot(from, to, "osmoles depend on what is dissolved");
  const bool no_mass = either(Base::gram) && !(molar_mass.g_per_mol > 0);
  const bool no_valence = either(Base::equivalent) && molar_mass.valence <= 0;
  return cannot(from, to,
                no_mass && no_valence ? "the molar mass and the valence are not known"
                : no_mass             ? "the molar mass is not known"
                                      : "the valence is not known");
}

}  // namespace

std::optional<Base> amount(const Unit& unit) {
  std::optional<Base> found;
  for (const Base base : kAmounts) {
    const int power = unit.dimension.power(base);
    if (power == 0) continue;
    if (found || power != 1) return std::nullopt;
    found = base;
  }
  return found;
}

std::optional<Crossing> crossing(const Unit& from, const Unit& to) {
  const auto start = amount(from), end = amount(to);
  const bool ratios = from.scale == Scale::ratio && to.scale == Scale::ratio;
  if (!ratios || !start || !end || *start == *end || !same_but_amount(from, to)) {
    return std::nullopt;
  }
  return Crossing{*start, from.factor};
}

base::Result<Conversion> prepare(const Unit& from, const Unit& to, MolarMass molar_mass) {
  if (differ_in_ratio(from, to)) {
    const bool ratios = from.scale == Scale::ratio && to.scale == Scale::ratio;
    if (molar_mass.hba1c && ratios) return between_hba1c_scales(from, to);
    return cannot(from, to, "a ratio of moles is no other fraction, and of HbA1c alone is it known "
                            "how the two belong together");
  }
  const auto between = between_dimensions(from, to, molar_mass);
  if (!between) return between.error();
  Conversion conversion;
  conversion.crossing = crossing(from, to);
  const double factor = without_noise(from.factor * *between / to.factor);
  const auto zero_from = zero(from.scale), zero_to = zero(to.scale);
  if (from.scale == to.scale && factor == 1) {
    conversion.factor = without_noise(from.step / to.step);
  } else if (zero_from && zero_to) {
    conversion.factor = without_noise(from.step * factor / to.step);
    conversion.offset = (*zero_from * factor - *zero_to) / to.step;
  } else {
    conversion.linear = false;
    conversion.factor = factor;
    conversion.from_scale = from.scale;
    conversion.to_scale = to.scale;
    conversion.from_step = from.step;
    conversion.to_step = to.step;
    conversion.falling = falls(from.scale) != falls(to.scale);
  }
  if (std::isnormal(conversion.factor) && std::isfinite(conversion.offset)) return conversion;
  return cannot(from, to, "no number here can hold the factor");
}

double Conversion::by_scale(double number) const {
  return from_ratio(to_scale, to_ratio(from_scale, number * from_step) * factor) / to_step;
}

base::Result<double> convert(double value, const Unit& from, const Unit& to) {
  return convert(value, from, to, {});
}

base::Result<double> convert(double value, const Unit& from, const Unit& to,
                             MolarMass molar_mass) {
  const auto conversion = prepare(from, to, molar_mass);
  if (!conversion) return conversion.error();
  const double converted = (*conversion)(value);
  if (!std::isfinite(converted)) return cannot(from, to, "the number has no counterpart");
  return converted;
}

bool same_at(double a, double b, int significant_digits) {
  static constexpr std::array<double, 16> kLastDigit = {
      1,    1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
      1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15};
  if (a == b) return true;
  const auto digits = std::clamp<std::size_t>(
      static_cast<std::size_t>(std::max(significant_digits, 1)), 1, kLastDigit.size());
  return std::abs(a - b) <= std::max(std::abs(a), std::abs(b)) * kLastDigit[digits - 1];
}

}  // namespace trialward::ucum
