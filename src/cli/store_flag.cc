#include "cli/store_flag.h"

#include <unistd.h>

#include <filesystem>

#include "cli/command.h"
#include "store/postgres_url.h"
#include "store/store_path.h"

namespace trialward::cli {

base::Result<std::string> locate_store(const std::string& url) {
  auto path = store::parse_store_url(url);
  if (path) path = store::real_store_path(*path);
  if (path) return path;
  return base::Error{path.error().code, "--store: " + path.error().message};
}

bool may_be_there(const std::string& path) {
  return store::is_postgres_url(path) || ::access(path.c_str(), F_OK) == 0;
}

int fail_to_open(const std::string& path, const base::Error& error) {
  if (store::is_postgres_url(path)) {
    const bool wrong = error.code == base::Errc::invalid || error.code == base::Errc::not_found;
    return fail(wrong ? kWrongUse : kFailure, "--store: " + error.message);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const bool there = ::access(path.c_str(), F_OK) == 0;
  const bool usable = ::access(folder.c_str(), W_OK | X_OK) == 0 &&
                      (!there || ::access(path.c_str(), R_OK | W_OK) == 0);
  return fail(usable ? kFailure : kWrongUse, "--store: " + error.message);
}

}  // namespace trialward::cli
