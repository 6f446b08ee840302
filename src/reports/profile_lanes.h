// The lanes of a subject's profile, of each domain. Pure.
#pragma once

#include <string>
#include <vector>

#include "reports/profile.h"

namespace trialward::reports {

// Without an origin there are none. What has no date has no bar or point.
std::vector<Lane> visit_lanes(const Profile& profile);  // visits and dispositions
std::vector<Lane> exposure_lanes(const Profile& profile);
std::vector<Lane> adverse_event_lanes(const Profile& profile);  // of each term
std::vector<Lane> medication_lanes(const Profile& profile);     // of each medication
std::vector<Lane> history_lanes(const Profile& profile);
std::vector<Lane> alert_lanes(const Profile& profile);  // of each rule, at its causes

// Lines of each code and time point with a number, by category: the settings' categories first.
struct LanesOfCategory {
  std::string category;
  std::vector<Lane> lanes;
};
std::vector<LanesOfCategory> measured_lanes(const Profile& profile, model::Kind kind);

}  // namespace trialward::reports
