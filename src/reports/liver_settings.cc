#include "reports/liver_settings.h"

#include <set>

namespace trialward::reports {

LiverSettings read_liver_settings(model::TableReader& table) {
  LiverSettings settings;
  std::set<std::string> known;
  for (auto& [key, codes] : {std::pair<const char*, std::vector<std::string>&>
                                 {"alt", settings.alt},
                             {"ast", settings.ast},
                             {"bilirubin", settings.bilirubin},
                             {"alp", settings.alp}}) {
    if (table.has(key)) codes = table.texts(key);
    if (codes.empty()) table.fault(key, std::string(key) + " needs a code");
    for (const std::string& code : codes) {
      if (!known.insert(code).second) table.fault(key, "code \"" + code + "\" is given twice");
    }
  }
  table.finish();
  return settings;
}

}  // namespace trialward::reports
