// How a study's exposures are tabulated: [exposure] in its reports.toml.
//
//   durations = [{ label = "Up to 4 weeks", at_most = 28 }, …]  categories of the days of
//                     treatment, by below, above, at_most, at_least; a subject is in the first
//                     that fits (default: the periods that ICH E3, 12.1 names)
//   daily_doses       the same of the mean daily dose (default: none)
//   doses_per_day = { "2 PATCHES" = 2, "EVERY 5 DAYS" = 0.2 }  what the study's frequencies
//                     (exdosfrq) mean that are no terms of CDISC's
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/characteristic.h"

namespace trialward::reports {

struct ExposureSettings {
  std::vector<Level> durations, daily_doses;
  std::vector<std::pair<std::string, double>> doses_per_day;

  // How many doses a frequency gives in so many days, both ends counted: below one a day, the first
  // is given on the first day. Without a frequency it is one a day. None: nobody knows the word.
  std::optional<double> doses(std::string_view frequency, int days) const;
};

ExposureSettings default_exposure_settings();
// Faults go to the table's.
ExposureSettings read_exposure_settings(model::TableReader& table);

}  // namespace trialward::reports
