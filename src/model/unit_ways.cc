#include "model/unit_ways.h"

#include "ucum/lab_unit.h"

namespace trialward::model {

const ucum::Conversion* UnitWays::look_up(std::string_view unit) const {
  const std::size_t count = count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const Way& way = (*ways_)[i];
    if (way.unit == unit) return &way.conversion;
  }
  return nullptr;
}

base::Result<ucum::Conversion> UnitWays::find(std::string_view unit) const {
  if (const ucum::Conversion* known = look_up(unit)) return *known;
  const auto read = ucum::parse_lab_unit(unit, &own_);
  if (!read) return read.error();
  auto conversion = ucum::prepare(read->unit, own_, molar_mass_);
  if (!conversion) return conversion;

  const std::lock_guard lock(adding_);
  const std::size_t count = count_.load(std::memory_order_relaxed);
  if (count == kWaysMax || look_up(unit)) return conversion;  // full, or another was faster
  if (!ways_) ways_ = std::make_unique<std::array<Way, kWaysMax>>();
  (*ways_)[count] = {std::string(unit), *conversion};
  count_.store(count + 1, std::memory_order_release);
  return conversion;
}

}  // namespace trialward::model
