// Any bytes as a unit: refused with a reason, or a unit that is of its own kind, converts to itself
// by the factor 1, to another way and back, and is read again from what it says of itself.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "ucum/lab_unit.h"
#include "ucum/unit.h"

namespace {

using namespace trialward::ucum;

void check_unit(const Unit& unit) {
  TW_CHECK(std::isnormal(unit.factor) && unit.factor > 0);
  TW_CHECK(std::isnormal(unit.step) && unit.step > 0);
  TW_CHECK(same_dimension(unit, unit));
  const auto itself = prepare(unit, unit);
  TW_CHECK(itself.ok() && itself->linear && itself->factor == 1 && itself->offset == 0);
  TW_CHECK((*itself)(42.5) == 42.5);
  if (unit.scale == Scale::ratio) {
    if (const auto one = divide(unit, unit)) TW_CHECK(one->dimension == Dimension{});
    if (const auto square = multiply(unit, unit)) {
      const auto back = divide(*square, unit);
      TW_CHECK(!back || same_dimension(*back, unit));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto unit = parse(text);
  const auto name = display_name(text);
  TW_CHECK(unit.ok() == name.ok());
  if (unit) {
    TW_CHECK(unit->text == text && !name->empty());
    check_unit(*unit);
  } else {
    TW_CHECK(unit.error().message.find("character ") != std::string::npos);
    TW_CHECK(unit.error().message.size() < 1000);
  }
  static const Unit kLikes[] = {parse("mmol/L").value(), parse("10*9/L").value(),
                                parse("Cel").value()};
  const auto lab = parse_lab_unit(text);
  if (unit) TW_CHECK(lab.ok());
  if (!lab) {
    TW_CHECK(!lab.error().message.empty());
    return 0;
  }
  check_unit(lab->unit);
  const auto again = parse(lab->ucum);
  TW_CHECK(again.ok() && again->dimension == lab->unit.dimension);
  for (const Unit& like : kLikes) {
    const auto beside = parse_lab_unit(text, &like);
    TW_CHECK(beside.ok());
    const auto converted = convert(1.5, beside->unit, like, {180.16, 1});
    if (!converted) TW_CHECK(converted.error().message.find(like.text) != std::string::npos);
  }
  return 0;
}
