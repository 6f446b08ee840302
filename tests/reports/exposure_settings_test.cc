#include "reports/exposure_settings.h"

#include <gtest/gtest.h>

namespace trialward::reports {
namespace {

TEST(ExposureSettings, FrequenciesAreCounted) {
  ExposureSettings settings = default_exposure_settings();
  settings.doses_per_day = {{"EVERY 5 DAYS", 0.2}, {"SELDOM", 1e-12}, {"2 PATCHES", 2}};
  const struct {
    const char* frequency;
    int days;
    std::optional<double> doses;
  } cases[] = {{"QD", 1, 1},          {"QD", 10, 10},        {"", 10, 10},
               {"BID", 10, 20},       {"Q8H", 2, 6},         {"ONCE", 10, 1},
               {"QOD", 1, 1},         {"QOD", 2, 1},         {"QOD", 3, 2},
               {"QW", 1, 1},          {"QW", 7, 1},          {"QW", 8, 2},
               {"EVERY 3 WEEKS", 42, 2}, {"Q3W", 43, 3},     {"EVERY 5 DAYS", 5, 1},
               {"EVERY 5 DAYS", 6, 2}, {"EVERY 5 DAYS", 15, 3}, {"2 PATCHES", 3, 6},
               {"SELDOM", 9, 1},
               {"NOW AND THEN", 3, std::nullopt}, {"qd", 3, std::nullopt}};
  for (const auto& [frequency, days, doses] : cases) {
    EXPECT_EQ(settings.doses(frequency, days), doses) << frequency << " for " << days;
  }
}

TEST(ExposureSettings, TheDefaultCategoriesHaveEachDayOnce) {
  const auto settings = default_exposure_settings();
  for (int days = 1; days < 400; ++days) {
    int fitting = 0;
    for (const Level& level : settings.durations) fitting += level.holds(days);
    EXPECT_EQ(fitting, 1) << days;
  }
}

}  // namespace
}  // namespace trialward::reports
