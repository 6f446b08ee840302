#include "model/study.h"

#include <algorithm>

namespace trialward::model {
namespace {

template <class T>
const T* find_id(const std::vector<T>& all, std::string_view id) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

// What converts numbers of the record to its code's own unit; nothing when the unit is not one of
// the code's.
std::optional<Unit> conversion(const Code& code, std::string_view unit) {
  if (const Unit* found = code.unit(unit)) return *found;
  if (code.units.empty() && unit.empty()) return Unit{};
  return std::nullopt;
}

}  // namespace

const Unit* Code::unit(std::string_view unit_name) const {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const Unit& one) { return one.name == unit_name; });
  return found == units.end() ? nullptr : &*found;
}

const Site* Study::site(std::string_view site_id) const { return find_id(sites, site_id); }

const Arm* Study::arm(std::string_view arm_id) const { return find_id(arms, arm_id); }

const Code* Study::code(Kind kind, std::string_view code_text) const {
  const auto& listed = codes_[static_cast<std::size_t>(kind)];
  const auto found = listed.find(code_text);
  return found == listed.end() ? nullptr : &found->second;
}

bool Study::subject_id_fits(std::string_view subject) const {
  return !subject_fits_ || subject_fits_(subject);
}

const DefinitionFile* Study::file(std::string_view name) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const DefinitionFile& one) { return one.name == name; });
  return found == files.end() ? nullptr : &*found;
}

std::optional<double> Study::canonical_number(const Record& record) const {
  if (!record.value.number) return std::nullopt;
  const Code* listed = code(record.kind, record.code);
  if (!listed) return record.value.number;
  const auto unit = conversion(*listed, record.unit);
  if (!unit) return std::nullopt;
  return unit->to_own(*record.value.number);
}

Range Study::canonical_range(const Record& record) const {
  const Code* listed = code(record.kind, record.code);
  const Range of_code = listed ? listed->range : Range{};
  if (!record.range.given()) return of_code;
  Range range;
  const auto unit = listed ? conversion(*listed, record.unit) : Unit{};
  if (!unit) return range;
  if (record.range.low) range.low = unit->to_own(*record.range.low);
  if (record.range.high) range.high = unit->to_own(*record.range.high);
  // An end that lies on the wrong side of the record's own is of other people.
  if (!range.low && of_code.low && *of_code.low <= *range.high) range.low = of_code.low;
  if (!range.high && of_code.high && *range.low <= *of_code.high) range.high = of_code.high;
  return range;
}

}  // namespace trialward::model
