#include "cli/store_flag.h"

#include <unistd.h>

#include <filesystem>

#include "cli/command.h"
#include "store/store_path.h"

namespace trialward::cli {

base::Result<std::string> locate_store(const std::string& url) {
  auto path = store::parse_store_url(url);
  if (path) path = store::real_store_path(*path);
  if (path) return path;
  return base::Error{path.error().code, "--store: " + path.error().message};
}

int fail_to_open(const std::string& path, const base::Error& error) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const bool there = ::access(path.c_str(), F_OK) == 0;
  const bool usable = ::access(folder.c_str(), W_OK | X_OK) == 0 &&
                      (!there || ::access(path.c_str(), R_OK | W_OK) == 0);
  return fail(usable ? kFailure : kWrongUse, "--store: " + error.message);
}

}  // namespace trialward::cli
