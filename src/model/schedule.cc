#include "model/schedule.h"

#include <algorithm>
#include <array>

namespace trialward::model {
namespace {

// DSCAT's terms of what is no ending (SDTM's codelist DSCAT).
constexpr std::array<std::string_view, 2> kGoingOn = {"PROTOCOL MILESTONE", "OTHER EVENT"};

}  // namespace

bool Activity::by_clock() const {
  if (minute_of_day || offset.exact_ms != 0 || every.exact_ms != 0) return true;
  if (window && (window->before.exact_ms != 0 || window->after.exact_ms != 0)) return true;
  return (late_after && late_after->exact_ms != 0) || (missed_after && missed_after->exact_ms != 0);
}

bool Schedule::ends(std::string_view category) const {
  if (!ending_category.empty()) return category == ending_category;
  return std::find(kGoingOn.begin(), kGoingOn.end(), category) == kGoingOn.end();
}

std::string_view to_string(ActivityAlert::When when) {
  return when == ActivityAlert::When::late ? "late" : "missed";
}

bool Schedule::has_alerts() const {
  return std::any_of(activities.begin(), activities.end(),
                     [](const Activity& one) { return !one.alerts.empty(); });
}

bool Schedule::has_alert(std::string_view activity, ActivityAlert::When when) const {
  return std::any_of(activities.begin(), activities.end(), [&](const Activity& one) {
    return one.id == activity &&
           std::any_of(one.alerts.begin(), one.alerts.end(),
                       [&](const ActivityAlert& alert) { return alert.when == when; });
  });
}

}  // namespace trialward::model
