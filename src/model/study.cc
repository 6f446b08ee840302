#include "model/study.h"

#include <algorithm>
#include <utility>

namespace trialward::model {
namespace {

template <class T>
const T* find_id(const std::vector<T>& all, std::string_view id) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const Unit* Code::unit(std::string_view unit_name) const {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const Unit& one) { return one.name == unit_name; });
  return found == units.end() ? nullptr : &*found;
}

base::Result<ucum::Conversion> Code::to_own(std::string_view unit_name) const {
  if (const Unit* listed = unit(unit_name)) {
    ucum::Conversion conversion;
    conversion.factor = listed->factor;
    conversion.offset = listed->offset;
    return conversion;
  }
  if (units.empty() && unit_name.empty()) return ucum::Conversion{};
  std::string reason;
  if (ways && !unit_name.empty()) {
    auto way = ways->find(unit_name);
    if (way) return way;
    reason = "; " + way.error().message;
  }
  std::string expected;
  for (const Unit& one : units) expected += (expected.empty() ? " is in " : " or ") + one.name;
  return base::Error{base::Errc::invalid,
                     (unit_name.empty() ? "is missing" : ucum::quoted(unit_name) + " is wrong") +
                         ": " + code + (units.empty() ? " has no unit" : expected) + reason};
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
  const auto to_own = listed->to_own(record.unit);
  if (!to_own) return std::nullopt;
  return (*to_own)(*record.value.number);
}

Range Study::canonical_range(const Record& record) const {
  const Code* listed = code(record.kind, record.code);
  const Range of_code = listed ? listed->range : Range{};
  if (!record.range.given()) return of_code;
  Range range;
  const auto to_own = listed ? listed->to_own(record.unit) : ucum::Conversion{};
  if (!to_own) return range;
  if (record.range.low) range.low = (*to_own)(*record.range.low);
  if (record.range.high) range.high = (*to_own)(*record.range.high);
  if (to_own->falling) std::swap(range.low, range.high);
  // An end that lies on the wrong side of the record's own is of other people.
  if (!range.low && of_code.low && *of_code.low <= *range.high) range.low = of_code.low;
  if (!range.high && of_code.high && *range.low <= *of_code.high) range.high = of_code.high;
  return range;
}

}  // namespace trialward::model
