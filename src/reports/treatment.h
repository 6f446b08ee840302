// What each subject was given of the study's treatment, as its exposure records say. Pure.
//
// A record reaches from its effective date to the attribute exendtc. One without an end goes on: to
// the day of the subject's disposition, or, without one, to that of the report's as-of time. Its
// dose is the attribute exdose in exdosu at exdosfrq, else its value and unit, once a day. Records
// that overlap are added up.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "reports/dataset.h"

namespace trialward::reports {

// In days since 1970-01-01, both of the treatment.
struct Period {
  std::int32_t first = 0, last = 0;
  int days() const { return last - first + 1; }
};

struct Dosing {
  const Entry* record = nullptr;
  std::optional<Period> period;  // none: a date is missing or partial
  enum class End : std::uint8_t { recorded, disposition, ongoing } end = End::recorded;
  std::string_view treatment, unit, frequency;
  double dose = 0;                   // NaN: not known
  std::optional<double> cumulative;  // none: the dose, the period or the frequency is not known
};

struct Treatment {
  std::vector<Dosing> dosings;  // by start and record
  // From the first dose to the last. None without a record, or when one has no period.
  std::optional<Period> period() const;
  bool ends_with(Dosing::End end) const;  // whether the last dose's end was found so

  // Of each treatment in each unit.
  struct Sum {
    std::optional<Period> period;
    std::optional<double> cumulative;
    // The mean of the days from its first dose to its last.
    std::optional<double> daily() const;
  };
  using Key = std::pair<std::string_view, std::string_view>;  // treatment, unit
  std::map<Key, Sum> sums() const;
};

// Of each of Dataset::subjects.
std::vector<Treatment> treatments_of(const Dataset& data);

}  // namespace trialward::reports
