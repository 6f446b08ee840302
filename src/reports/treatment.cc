#include "reports/treatment.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/milliseconds.h"
#include "reports/ending.h"

namespace trialward::reports {
namespace {

using base::kDayMs;

// As SDTM names them.
constexpr std::string_view kEnd = "exendtc", kDose = "exdose", kUnit = "exdosu",
                           kFrequency = "exdosfrq";

double number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? number : std::numeric_limits<double>::quiet_NaN();
}

Dosing dosing_of(const Dataset& data, const Entry& one, const Entry* disposition) {
  Dosing dosing;
  dosing.record = &one;
  dosing.treatment = data.text(one.code);
  const std::string_view dose = data.attribute(one, kDose), unit = data.attribute(one, kUnit);
  dosing.dose = dose.empty() ? one.number : number_of(dose);
  dosing.unit = unit.empty() ? data.text(one.unit) : unit;
  dosing.frequency = data.attribute(one, kFrequency);

  const auto first = day_number(one.date);
  const std::string_view end = data.attribute(one, kEnd);
  auto last = day_number(parse_date(end));
  if (end.empty()) {
    const auto left = disposition ? day_number(disposition->date) : std::nullopt;
    dosing.end = left ? Dosing::End::disposition : Dosing::End::ongoing;
    last = left ? *left : static_cast<std::int32_t>(data.positions.as_of_ms / kDayMs);
    if (first) last = std::max(*last, *first);
  }
  if (!first || !last || *last < *first) return dosing;
  dosing.period = Period{*first, *last};
  const auto doses = data.settings->exposure.doses(dosing.frequency, dosing.period->days());
  if (doses && !std::isnan(dosing.dose)) dosing.cumulative = *doses * dosing.dose;
  return dosing;
}

void extend(std::optional<Period>& whole, const Period& by) {
  if (!whole) whole = by;
  whole->first = std::min(whole->first, by.first);
  whole->last = std::max(whole->last, by.last);
}

}  // namespace

std::optional<Period> Treatment::period() const {
  std::optional<Period> whole;
  for (const Dosing& one : dosings) {
    if (!one.period) return std::nullopt;
    extend(whole, *one.period);
  }
  return whole;
}

bool Treatment::ends_with(Dosing::End end) const {
  const auto whole = period();
  return whole && std::any_of(dosings.begin(), dosings.end(), [&](const Dosing& one) {
           return one.end == end && one.period->last == whole->last;
         });
}

std::optional<double> Treatment::Sum::daily() const {
  if (!cumulative || !period) return std::nullopt;
  return *cumulative / period->days();
}

std::map<Treatment::Key, Treatment::Sum> Treatment::sums() const {
  std::map<Key, Sum> all;
  std::map<Key, bool> unknown;
  for (const Dosing& one : dosings) {
    const Key key{one.treatment, one.unit};
    Sum& sum = all[key];
    unknown[key] |= !one.cumulative;
    if (one.period) extend(sum.period, *one.period);
    if (one.cumulative) sum.cumulative = sum.cumulative.value_or(0) + *one.cumulative;
  }
  for (auto& [key, sum] : all) {
    if (unknown[key]) sum.cumulative.reset();
  }
  return all;
}

std::vector<Treatment> treatments_of(const Dataset& data) {
  const auto dispositions = endings_of(data);
  std::vector<Treatment> all(data.subjects.size());
  for (const Entry& one : data.exposures) {
    if (one.not_done) continue;
    all[one.subject].dosings.push_back(dosing_of(data, one, dispositions[one.subject]));
  }
  for (Treatment& treatment : all) {
    std::sort(treatment.dosings.begin(), treatment.dosings.end(),
              [](const Dosing& a, const Dosing& b) {
                return std::pair(a.record->at_ms, a.record->record) <
                       std::pair(b.record->at_ms, b.record->record);
              });
  }
  return all;
}

}  // namespace trialward::reports
