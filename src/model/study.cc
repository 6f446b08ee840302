#include "model/study.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace trialward::model {
namespace {

template <class T>
const T* find_id(const std::vector<T>& all, std::string_view id) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

// A record's own range in its code's own unit, and of the code's the end that it leaves out. An end
// that bounds nothing is left out; of two that stand the wrong way round nobody knows which is one.
Range range_of(const Range& own, const ucum::Conversion& to_own, const Range& of_code) {
  if (own.low && own.high && *own.high < *own.low) return of_code;
  Range range;
  if (own.low && std::isfinite(to_own(*own.low))) range.low = to_own(*own.low);
  if (own.high && std::isfinite(to_own(*own.high))) range.high = to_own(*own.high);
  if (!range.given()) return of_code;
  if (to_own.falling) std::swap(range.low, range.high);
  // An end that lies on the wrong side of the record's own is of other people.
  if (!range.low && of_code.low && *of_code.low <= *range.high) range.low = of_code.low;
  if (!range.high && of_code.high && *range.low <= *of_code.high) range.high = of_code.high;
  return range;
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
    conversion.crossing = listed->crossing;
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

const Code* Study::code_of(Kind kind, std::string_view system, std::string_view code_text) const {
  const auto& by_coding = by_coding_[static_cast<std::size_t>(kind)];
  if (!by_coding.empty()) {
    std::string key(system);
    key.append(1, '\0').append(code_text);
    if (const auto found = by_coding.find(key); found != by_coding.end()) {
      return code(kind, found->second);
    }
  }
  const Code* own = code(kind, code_text);
  const bool fits = own && (own->system.empty() || system.empty() || own->system == system);
  return fits ? own : nullptr;
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

std::optional<ucum::Conversion> Study::crossing(const Record& record) const {
  const Code* listed = code(record.kind, record.code);
  if (!listed) return std::nullopt;
  const auto to_own = listed->to_own(record.unit);
  if (!to_own || !to_own->crossing) return std::nullopt;
  return *to_own;
}

Range Study::canonical_range(const Record& record) const {
  const Code* listed = code(record.kind, record.code);
  const Range of_code = listed ? listed->range : Range{};
  if (!record.range.given()) return of_code;
  const auto to_own = listed ? listed->to_own(record.unit) : ucum::Conversion{};
  return to_own ? range_of(record.range, *to_own, of_code) : Range{};
}

Study::Canonical Study::canonical(const Record& record) const {
  const Code* listed = code(record.kind, record.code);
  Canonical all;
  if (listed) all.range = listed->range;
  if (!record.value.number && !record.range.given()) return all;
  const auto to_own = listed ? listed->to_own(record.unit) : ucum::Conversion{};
  if (record.range.given()) {
    all.range = to_own ? range_of(record.range, *to_own, all.range) : Range{};
  }
  if (!to_own) return all;
  if (record.value.number) all.number = (*to_own)(*record.value.number);
  if (to_own->crossing) all.crossing = *to_own;
  return all;
}

}  // namespace trialward::model
