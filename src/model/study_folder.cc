// load_study from a folder: which files belong to a definition, and how they are read.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "model/study.h"

namespace trialward::model {
namespace {

namespace fs = std::filesystem;

class FolderReader {
 public:
  explicit FolderReader(fs::path folder) : folder_(std::move(folder)) {}

  base::Result<Study, DefinitionFaults> load() && {
    std::error_code error;
    if (!fs::is_directory(folder_, error)) {
      fault("", error ? error.message() : "is not a folder");
      return std::move(faults_);
    }
    for (const char* name : {"study.toml", "rules.toml", "escalation.toml", "schedule.toml",
                             "reports.toml", "patient.toml"}) {
      if (fs::exists(folder_ / name, error)) read(name);
    }
    read_questionnaires();
    if (!fs::exists(folder_ / "study.toml", error)) {
      fault("study.toml", "is missing");
    }
    if (!faults_.empty()) return std::move(faults_);
    return load_study(std::move(files_));
  }

 private:
  // `file` is a path within the folder, as in the faults that the files' texts have.
  void fault(std::string file, std::string reason) {
    faults_.push_back({std::move(file), 0, std::move(reason)});
  }

  void read(const std::string& name) {
    const fs::path path = folder_ / name;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return fault(name, "is not a file");
    std::string text(kDefinitionFileBytesMax + 1, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) return fault(name, "cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    text.shrink_to_fit();
    if (text.size() > kDefinitionFileBytesMax) {
      return fault(name, "is larger than " + std::to_string(kDefinitionFileBytesMax) + " bytes");
    }
    files_.push_back({name, std::move(text)});
  }

  void read_questionnaires() {
    const fs::path folder = folder_ / "questionnaires";
    std::error_code error;
    if (!fs::exists(folder, error)) return;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const fs::path extension = entry->path().extension();
      if (extension != ".toml" && extension != ".json") continue;
      if (names.size() == kDefinitionFilesMax) {
        return fault("questionnaires", "has too many files");
      }
      names.push_back("questionnaires/" + entry->path().filename().string());
    }
    if (error) return fault("questionnaires", error.message());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) read(name);
  }

  fs::path folder_;
  std::vector<DefinitionFile> files_;
  DefinitionFaults faults_;
};

}  // namespace

base::Result<Study, DefinitionFaults> load_study(const std::string& folder) {
  return FolderReader(folder).load();
}

}  // namespace trialward::model
