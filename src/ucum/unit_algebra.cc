#include "ucum/unit_algebra.h"

#include <cmath>
#include <cstdlib>
#include <string>

namespace trialward::ucum {
namespace {

using Arbitrary = Dimension::Arbitrary;

base::Error exponent_too_large() {
  return base::invalid("an exponent beyond " + std::to_string(kExponentMax));
}

bool fits(int exponent) { return std::abs(exponent) <= kExponentMax; }

bool is_number(const Unit& unit) {
  return unit.scale == Scale::ratio && unit.dimension == Dimension{};
}

// Adds an arbitrary unit's exponent; the list stays sorted and without zeros.
base::Status add_arbitrary(Dimension& dimension, Arbitrary added) {
  auto& list = dimension.arbitrary;
  std::size_t place = 0;
  while (place < list.size() && list[place].power != 0 && list[place].atom < added.atom) ++place;
  if (place < list.size() && list[place].power != 0 && list[place].atom == added.atom) {
    const int sum = list[place].power + added.power;
    if (!fits(sum)) return exponent_too_large();
    list[place].power = static_cast<std::int8_t>(sum);
    if (sum != 0) return {};
    for (std::size_t i = place; i + 1 < list.size(); ++i) list[i] = list[i + 1];
    list.back() = {};
    return {};
  }
  if (list.back().power != 0) {
    return base::invalid("more than " + std::to_string(list.size()) + " different arbitrary units");
  }
  for (std::size_t i = list.size() - 1; i > place; --i) list[i] = list[i - 1];
  list[place] = added;
  return {};
}

base::Status check_size(const Unit& unit) {
  if (std::isnormal(unit.factor) && std::isnormal(unit.step)) return {};
  return base::invalid("a size that no number here can hold");
}

}  // namespace

base::Status multiply_into(Unit& left, const Unit& right, int sign) {
  if (left.scale != Scale::ratio || right.scale != Scale::ratio) {
    const bool left_is_special = left.scale != Scale::ratio;
    const Unit& number = left_is_special ? right : left;
    if (!is_number(number) || (sign < 0 && !left_is_special)) {
      return base::invalid("a special unit, as Cel is, can only be multiplied by a number");
    }
    Unit product = left_is_special ? left : right;
    product.step *= std::pow(number.factor, left_is_special ? sign : 1);
    product.text = left.text;
    left = std::move(product);
    return check_size(left);
  }
  const bool had_moles = left.dimension.power(Base::mole) != 0;
  for (std::size_t i = 0; i < kBases; ++i) {
    const int sum = left.dimension.powers[i] + sign * right.dimension.powers[i];
    if (!fits(sum)) return exponent_too_large();
    left.dimension.powers[i] = static_cast<std::int8_t>(sum);
  }
  for (const Arbitrary& one : right.dimension.arbitrary) {
    if (one.power == 0) break;
    const auto added =
        add_arbitrary(left.dimension, {one.atom, static_cast<std::int8_t>(sign * one.power)});
    if (!added) return added;
  }
  left.mole_ratio =
      left.mole_ratio || right.mole_ratio || (had_moles && left.dimension.power(Base::mole) == 0);
  left.factor = sign > 0 ? left.factor * right.factor : left.factor / right.factor;
  return check_size(left);
}

base::Status raise(Unit& unit, int exponent) {
  if (exponent == 1) return {};
  if (unit.scale != Scale::ratio) return base::invalid("a special unit has no powers");
  for (auto& power : unit.dimension.powers) {
    if (!fits(power * exponent)) return exponent_too_large();
    power = static_cast<std::int8_t>(power * exponent);
  }
  for (auto& one : unit.dimension.arbitrary) {
    if (!fits(one.power * exponent)) return exponent_too_large();
    one.power = static_cast<std::int8_t>(one.power * exponent);
    if (one.power == 0) one = {};
  }
  unit.factor = std::pow(unit.factor, exponent);
  return check_size(unit);
}

}  // namespace trialward::ucum
