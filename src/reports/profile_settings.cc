#include "reports/profile_settings.h"

namespace trialward::reports {

const std::vector<std::string>& ProfileSettings::codes(model::Kind kind) const {
  return kind == model::Kind::lab ? labs : kind == model::Kind::vital ? vitals : questionnaires;
}

ProfileSettings read_profile_settings(model::TableReader& table) {
  ProfileSettings settings;
  settings.labs = table.texts("labs");
  settings.vitals = table.texts("vitals");
  settings.questionnaires = table.texts("questionnaires");
  table.finish();
  return settings;
}

}  // namespace trialward::reports
