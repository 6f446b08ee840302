#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/study_folder.h"

namespace trialward::cli {

Run add_check(CLI::App& app) {
  auto folders = std::make_shared<std::vector<std::string>>();
  app.add_option("STUDY_DIR", *folders, "Folder of a study definition")->required();
  return [folders] {
    int code = kSuccess;
    for (const std::string& folder : *folders) {
      if (!std::filesystem::is_directory(folder)) {
        return fail(kWrongUse, "STUDY_DIR: there is no folder " + folder);
      }
      const auto study = load_study_folder(folder);
      if (!study) {
        code = kFailure;
        continue;
      }
      std::cout << folder << ": study '" << study->study->id << "' is sound: "
                << study->study->sites.size() << " sites, " << study->monitor->rules().size()
                << " rules, definition " << study->study->hash.substr(0, 12) << '\n';
    }
    return code;
  };
}

}  // namespace trialward::cli
