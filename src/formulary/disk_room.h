// DiskRoom: whether the disk has room for what a refresh spools or keeps. That lies beside the
// store, which stops for good when it finds its disk full; so a refresh leaves a reserve, and is
// refused before it would use it.
//
// Any thread. A file system that cannot be asked is taken to have room: whoever writes is told.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "formulary/refusal.h"

namespace trialward::formulary {

inline constexpr std::uint64_t kDiskReserveBytes = std::uint64_t{512} << 20;

// Of the file system that the file is on, or would be, for who is not its superuser.
std::optional<std::uint64_t> free_bytes_of(const std::string& path);

struct DiskRoom {
  std::uint64_t reserve_bytes = kDiskReserveBytes;
  std::function<std::optional<std::uint64_t>(const std::string& path)> free_bytes = free_bytes_of;

  // Why `bytes` more may not be written to that file; nothing: they may.
  std::optional<Refusal> lack(const std::string& path, std::uint64_t bytes) const;
};

}  // namespace trialward::formulary
