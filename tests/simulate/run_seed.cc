#include "tests/simulate/run_seed.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "model/study.h"

namespace trialward::simulate {
namespace {

namespace fs = std::filesystem;

// Goes with its owner.
class MemoryFolder {
 public:
  MemoryFolder() {
    const bool in_memory = access("/dev/shm", W_OK) == 0;
    const fs::path parent = in_memory ? fs::path("/dev/shm") : fs::temp_directory_path();
    path_ = (parent / "trialward-XXXXXX").string();
    TW_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~MemoryFolder() { fs::remove_all(path_); }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Simulation::kTierTime is the time of a tier.
constexpr const char* kEscalation = R"(
[[escalation]]
severity = "critical"
tiers = [{ targets = ["on-call"], after = "30 s" }, { targets = ["chief"], after = "30 s" }]
[storm]
subjects = 3
within = "10 min"
)";

const std::vector<model::DefinitionFile>& demo() {
  static const std::vector<model::DefinitionFile> files = [] {
    auto study = model::load_study(std::string(TRIALWARD_SOURCE "/studies/demo"));
    TW_CHECK(study.ok());
    study->files.push_back({"escalation.toml", kEscalation});
    return study->files;
  }();
  return files;
}

}  // namespace

RunReport run_seed(const SeedOptions& options) {
  const MemoryFolder folder;
  Simulation simulation({.seed = options.seed,
                         .steps = options.steps,
                         .folder = folder.path(),
                         .study = demo(),
                         .trace = options.trace});
  return simulation.run();
}

std::string replay_command(const SeedOptions& options) {
  std::string command = "build/release/trialward_simulate --trace --seed " +
                        std::to_string(options.seed);
  if (options.steps != kSteps) command += " --steps " + std::to_string(options.steps);
  return command;
}

}  // namespace trialward::simulate
