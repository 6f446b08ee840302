#include "formulary/disk_room.h"

#include <sys/statvfs.h>

namespace trialward::formulary {

std::optional<std::uint64_t> free_bytes_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  struct statvfs status {};
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::statvfs(folder.c_str(), &status) != 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::optional<Refusal> DiskRoom::lack(const std::string& path, std::uint64_t bytes) const {
  const std::optional<std::uint64_t> free = free_bytes(path);
  if (!free || (*free >= bytes && *free - bytes >= reserve_bytes)) return std::nullopt;
  return Refusal{.kind = RefusalKind::disk,
                 .reason = path + ": its disk has " + std::to_string(*free >> 20) +
                           " MiB left, of which " + std::to_string(reserve_bytes >> 20) +
                           " MiB are kept for the store"};
}

}  // namespace trialward::formulary
