#include "tests/faults/disk_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

namespace trialward::faults {

int DiskFile::know_size(sqlite3_file* real) {
  if (size_ != kUnknown) return SQLITE_OK;
  sqlite3_int64 size = 0;
  const int code = real->pMethods->xFileSize(real, &size);
  if (code == SQLITE_OK) size_ = size;
  return code;
}

int DiskFile::read_disk(sqlite3_file* real, std::span<char> out, std::int64_t offset) const {
  const int code =
      real->pMethods->xRead(real, out.data(), static_cast<int>(out.size()), offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const auto size = static_cast<std::int64_t>(out.size());
  if (offset + size > disk_valid_) {
    const auto valid = static_cast<std::size_t>(std::max<std::int64_t>(0, disk_valid_ - offset));
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(valid), out.end(), '\0');
  }
  return SQLITE_OK;
}

int DiskFile::read(sqlite3_file* real, std::span<char> out, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (const int code = know_size(real); code != SQLITE_OK) return code;
  if (const int code = read_disk(real, out, offset); code != SQLITE_OK) return code;
  const std::int64_t end = offset + static_cast<std::int64_t>(out.size());
  for (auto at = unsynced_.lower_bound(offset / kBlock);
       at != unsynced_.end() && at->first * kBlock < end; ++at) {
    const std::int64_t from = std::max(offset, at->first * kBlock);
    const std::int64_t until = std::min(end, (at->first + 1) * kBlock);
    std::memcpy(out.data() + (from - offset), at->second.bytes.data() + (from - at->first * kBlock),
                static_cast<std::size_t>(until - from));
  }
  if (end <= size_) return SQLITE_OK;
  const std::int64_t there = std::max<std::int64_t>(0, size_ - offset);
  std::fill(out.begin() + there, out.end(), '\0');
  return SQLITE_IOERR_SHORT_READ;
}

int DiskFile::write(sqlite3_file* real, std::span<const char> bytes, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (const int code = know_size(real); code != SQLITE_OK) return code;
  const std::int64_t end = offset + static_cast<std::int64_t>(bytes.size());
  for (std::int64_t number = offset / kBlock; number * kBlock < end; ++number) {
    const auto [at, added] = unsynced_.try_emplace(number);
    Block& block = at->second;
    if (added) {
      const int code = read_disk(real, block.bytes, number * kBlock);
      if (code != SQLITE_OK) {
        unsynced_.erase(at);
        return code;
      }
    }
    const std::int64_t from = std::max(offset, number * kBlock);
    const std::int64_t until = std::min(end, (number + 1) * kBlock);
    std::memcpy(block.bytes.data() + (from - number * kBlock), bytes.data() + (from - offset),
                static_cast<std::size_t>(until - from));
    block.lost = false;
  }
  size_ = std::max(size_, end);
  return SQLITE_OK;
}

int DiskFile::truncate(sqlite3_file* real, std::int64_t size) {
  const std::lock_guard lock(mutex_);
  if (const int code = know_size(real); code != SQLITE_OK) return code;
  if (size >= size_) return SQLITE_OK;
  unsynced_.erase(unsynced_.lower_bound((size + kBlock - 1) / kBlock), unsynced_.end());
  if (const auto last = unsynced_.find(size / kBlock); last != unsynced_.end()) {
    std::fill(last->second.bytes.begin() + size % kBlock, last->second.bytes.end(), '\0');
  }
  disk_valid_ = std::min(disk_valid_, size);
  size_ = size;
  return SQLITE_OK;
}

int DiskFile::size(sqlite3_file* real, std::int64_t& size) {
  const std::lock_guard lock(mutex_);
  const int code = know_size(real);
  size = size_;
  return code;
}

int DiskFile::sync(sqlite3_file* real, int flags) {
  const std::lock_guard lock(mutex_);
  if (const int code = know_size(real); code != SQLITE_OK) return code;
  const sqlite3_io_methods& disk = *real->pMethods;
  if (disk_valid_ != kAll) {
    const int code = disk.xTruncate(real, disk_valid_);
    if (code != SQLITE_OK) return code;
  }
  for (const auto& [number, block] : unsynced_) {
    const std::int64_t offset = number * kBlock;
    if (block.lost || offset >= size_) continue;
    const int code = disk.xWrite(real, block.bytes.data(),
                                 static_cast<int>(std::min(kBlock, size_ - offset)), offset);
    if (code != SQLITE_OK) return code;
  }
  if (const int code = disk.xSync(real, flags); code != SQLITE_OK) return code;
  std::erase_if(unsynced_, [](const auto& block) { return !block.second.lost; });
  disk_valid_ = kAll;
  return SQLITE_OK;
}

void DiskFile::lose_unsynced() {
  const std::lock_guard lock(mutex_);
  for (auto& [number, block] : unsynced_) block.lost = true;
}

int DiskFile::crash(sqlite3_file* real, base::Random& random, unsigned survives_percent) {
  const std::lock_guard lock(mutex_);
  const sqlite3_io_methods& disk = *real->pMethods;
  for (const auto& [number, block] : unsynced_) {
    for (std::int64_t sector = 0; sector < kBlock / kSector; ++sector) {
      const std::int64_t offset = number * kBlock + sector * kSector;
      if (block.lost || offset >= size_ || random.below(100) >= survives_percent) continue;
      const int code = disk.xWrite(real, block.bytes.data() + sector * kSector,
                                   static_cast<int>(std::min(kSector, size_ - offset)), offset);
      if (code != SQLITE_OK) return code;
    }
  }
  forget();
  return SQLITE_OK;
}

bool DiskFile::all_synced() {
  const std::lock_guard lock(mutex_);
  return unsynced_.empty() && disk_valid_ == kAll;
}

void DiskFile::forget() {
  unsynced_.clear();
  size_ = kUnknown;
  disk_valid_ = kAll;
}

}  // namespace trialward::faults
