#include "cli/targets_file.h"

#include <fstream>
#include <iostream>

namespace trialward::cli {
namespace {

constexpr std::size_t kBytesMax = 1 << 20;

}  // namespace

std::shared_ptr<const delivery::Targets> load_targets_file(
    const std::string& path, const std::vector<std::string>& studies) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    std::cerr << path << ": cannot be read\n";
    return nullptr;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kBytesMax) {
    std::cerr << path << ": has more than " << kBytesMax << " bytes\n";
    return nullptr;
  }
  auto targets = delivery::read_targets({path, std::move(text)}, delivery::read_secret, studies);
  if (targets) return std::make_shared<const delivery::Targets>(std::move(*targets));
  for (const model::DefinitionFault& fault : targets.error()) {
    std::cerr << model::to_string(fault) << '\n';
  }
  return nullptr;
}

bool names_its_targets(const std::string& folder, const model::Study& study,
                       const delivery::Targets& targets) {
  if (!study.escalation) return true;
  const auto faults = delivery::unknown_targets(*study.escalation, targets);
  for (const model::DefinitionFault& fault : faults) {
    std::cerr << folder << '/' << model::to_string(fault) << '\n';
  }
  return faults.empty();
}

}  // namespace trialward::cli
