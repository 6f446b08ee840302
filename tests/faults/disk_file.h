// DiskFile: the content of one file of a FaultyDisk, as all connections see it: what the disk has,
// and over it the blocks that were written and not synced. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <span>

#include "base/random.h"

struct sqlite3_file;

namespace trialward::faults {

class DiskFile {
 public:
  static constexpr std::int64_t kBlock = 4096, kSector = 512;

  // `real`, in each call: the caller's own handle of the file on the disk. What is returned is
  // SQLite's code.
  int read(sqlite3_file* real, std::span<char> out, std::int64_t offset);
  int write(sqlite3_file* real, std::span<const char> bytes, std::int64_t offset);
  int truncate(sqlite3_file* real, std::int64_t size);
  int size(sqlite3_file* real, std::int64_t& size);
  int sync(sqlite3_file* real, int flags);
  // What waits to be synced never will be, though it stays readable.
  void lose_unsynced();

  // Writes a part of what is not synced, forgets the rest.
  int crash(sqlite3_file* real, base::Random& random, unsigned survives_percent);
  bool all_synced();

 private:
  struct Block {
    std::array<char, kBlock> bytes{};
    bool lost = false;  // a failed sync has let go of it
  };
  static constexpr std::int64_t kUnknown = -1;
  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

  int know_size(sqlite3_file* real);
  // Bytes of the disk's file, zero where it has none or they were cut off.
  int read_disk(sqlite3_file* real, std::span<char> out, std::int64_t offset) const;
  void forget();

  std::mutex mutex_;  // guards all below
  std::map<std::int64_t, Block> unsynced_;  // by offset / kBlock
  std::int64_t size_ = kUnknown;            // as it is read
  std::int64_t disk_valid_ = kAll;          // what the disk has behind this was cut off since
};

}  // namespace trialward::faults
