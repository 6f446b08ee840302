#include "store/store_path.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "store/postgres_url.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

namespace fs = std::filesystem;

namespace {

constexpr int kLinksMax = 40;  // as the kernel has it

Error system_error(const std::string& path, const std::error_code& code) {
  const bool missing = code == std::errc::no_such_file_or_directory;
  return Error{missing ? Errc::not_found : Errc::unavailable, path + ": " + code.message()};
}

}  // namespace

Result<std::string> parse_store_url(std::string_view url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (url.starts_with(kScheme) && url.size() > kScheme.size()) {
    return std::string(url.substr(kScheme.size()));
  }
  if (is_postgres_url(url)) {
    auto settings = parse_postgres_url(std::string(url));
    return settings ? Result<std::string>(std::string(url)) : settings.error();
  }
  return Error{Errc::invalid, "'" + std::string(url) +
                                  "' is not a store; expected sqlite:PATH or postgresql://…"};
}

Result<std::string> real_store_path(const std::string& path) {
  if (is_postgres_url(path)) return path;
  std::error_code code;
  fs::path real = fs::absolute(path, code);
  if (code) return system_error(path, code);
  // Only the last part may be missing, so it is followed by hand and its folder by the system.
  for (int links = 0; fs::is_symlink(fs::symlink_status(real, code)); ++links) {
    if (links == kLinksMax) return Error{Errc::invalid, path + ": too many symbolic links"};
    const fs::path target = fs::read_symlink(real, code);
    if (code) return system_error(path, code);
    real = real.parent_path() / target;
  }
  const fs::path folder = fs::canonical(real.parent_path(), code);
  if (code) return system_error(path, code);
  real = folder / real.filename();
  struct stat status {};
  if (::stat(real.c_str(), &status) != 0) {
    if (errno == ENOENT) return real.string();
    return system_error(path, std::error_code(errno, std::generic_category()));
  }
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + " is not a plain file"};
  if (status.st_nlink > 1) {
    return Error{Errc::invalid,
                 path + " has " + std::to_string(status.st_nlink) +
                     " names (hard links); a store may have one only, so remove the others"};
  }
  return real.string();
}

}  // namespace trialward::store
