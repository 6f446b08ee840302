#include "reports/exposure_settings.h"

#include <algorithm>
#include <cmath>

namespace trialward::reports {
namespace {

constexpr double kDosesPerDayMax = 1000;

// CDISC's terms for frequencies (codelist FREQ), and how they were written before there were any.
constexpr std::pair<std::string_view, double> kPerDay[] = {
    {"QD", 1},      {"QAM", 1},      {"QPM", 1},      {"QHS", 1},     {"BID", 2},
    {"TID", 3},     {"QID", 4},      {"QH", 24},      {"Q2H", 12},    {"Q3H", 8},
    {"Q4H", 6},     {"Q6H", 4},      {"Q8H", 3},      {"Q12H", 2},    {"Q24H", 1},
    {"QOD", 1.0 / 2}, {"Q36H", 2.0 / 3}, {"Q48H", 1.0 / 2}, {"Q72H", 1.0 / 3}};
constexpr std::pair<std::string_view, int> kEveryDays[] = {
    {"EVERY WEEK", 7},     {"QS", 7},   {"QW", 7},   {"EVERY 2 WEEKS", 14}, {"Q2W", 14},
    {"EVERY 3 WEEKS", 21}, {"Q3W", 21}, {"EVERY 4 WEEKS", 28},              {"Q4W", 28},
    {"EVERY 6 WEEKS", 42}, {"Q6W", 42}, {"EVERY 8 WEEKS", 56},              {"Q8W", 56}};

// So many a day; more seldom than daily, each at the beginning of its interval.
double doses_at(double per_day, int days) {
  if (per_day >= 1) return per_day * days;
  // The product is whole where the interval ends; noise must not begin the next.
  return std::max(1.0, std::ceil(per_day * days - 1e-9));
}

std::vector<Level> read_levels(model::TableReader& table, std::string_view key) {
  std::vector<Level> levels;
  for (model::TableReader& one : table.tables(key)) {
    levels.push_back(read_bounds(one));
    const Level& level = levels.back();
    if (!level.below && !level.above && !level.at_most && !level.at_least) {
      one.fault("label", "it needs below, above, at_most or at_least");
    }
    one.finish();
  }
  return levels;
}

Level between(std::string label, std::optional<double> at_least, std::optional<double> at_most) {
  Level level;
  level.label = std::move(label);
  level.at_least = at_least;
  level.at_most = at_most;
  return level;
}

}  // namespace

std::optional<double> ExposureSettings::doses(std::string_view frequency, int days) const {
  for (const auto& [name, per_day] : doses_per_day) {
    if (name == frequency) return doses_at(per_day, days);
  }
  if (frequency.empty()) return days;
  if (frequency == "ONCE") return 1;
  for (const auto& [name, per_day] : kPerDay) {
    if (name == frequency) return doses_at(per_day, days);
  }
  for (const auto& [name, every] : kEveryDays) {
    if (name == frequency) return (days - 1) / every + 1;
  }
  return std::nullopt;
}

ExposureSettings default_exposure_settings() {
  ExposureSettings settings;
  settings.durations = {between("1 day or less", {}, 1),
                        between("2 days to 1 week", 2, 7),
                        between("More than 1 week to 1 month (30 days)", 8, 30),
                        between("More than 1 month to 6 months (182 days)", 31, 182),
                        between("More than 6 months", 183, {})};
  return settings;
}

ExposureSettings read_exposure_settings(model::TableReader& table) {
  ExposureSettings settings = default_exposure_settings();
  if (table.has("durations")) settings.durations = read_levels(table, "durations");
  settings.daily_doses = read_levels(table, "daily_doses");
  if (auto frequencies = table.table("doses_per_day")) {
    for (const std::string& name : frequencies->keys()) {
      const auto per_day = frequencies->number(name);
      if (!per_day) continue;
      if (!(*per_day > 0) || *per_day > kDosesPerDayMax) {
        frequencies->fault(name, "a frequency must be above 0 and at most 1000 doses a day");
      }
      settings.doses_per_day.emplace_back(name, *per_day);
    }
    frequencies->finish();
  }
  table.finish();
  return settings;
}

}  // namespace trialward::reports
