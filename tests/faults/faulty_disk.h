// FaultyDisk: SQLite's files on a disk that loses its power and fails on demand. What was written
// and not yet synced is kept in this process alone; all its connections read it, as they would from
// an operating system's cache. So whatever ends the process, kill -9 too, loses it as a power cut
// does, and a commit that was acknowledged without its fsync is gone.
//
// It is a VFS around SQLite's default one and takes its place, so the program under test opens its
// stores as ever. WAL, journal and database files are treated so; temporary files pass through.
//
// A sync that fails is as Linux has it: what it should have written stays readable, counts as
// written, and is never written by a later one.
//
// install() once in a process, before any file is open. Any thread may call anything; crash() and
// restart() belong to one thread, and want all connections closed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/random.h"

namespace trialward::faults {

struct DiskFaults {
  bool fail_sync = false;
  bool full = false;  // nothing grows
  bool fail_read = false;
  std::int64_t fail_write_after = -1;  // so many writes still work; -1: all of them
};

struct DiskCounts {
  std::int64_t writes = 0, syncs = 0, failed = 0;
};

class FaultyDisk {
 public:
  static FaultyDisk& install();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  void set_faults(DiskFaults faults);
  // Called in each sync of a WAL or database file, before it takes effect: to be slow.
  void on_sync(std::function<void()> callback);
  DiskCounts counts() const;
  // From now on SQLite draws its random numbers from this seed, so that runs replay.
  void seed(std::uint64_t seed);

  // From now on nothing is written, synced or deleted.
  void power_off();
  // Power comes back. Of what was not synced each sector of 512 bytes survived with this chance in
  // per cent; faults are taken back.
  void crash(base::Random& random, unsigned survives_percent);
  // After power_off(): only the process had ended, and what it wrote is read by the next one as
  // well, synced or not. Faults are taken back.
  void restart();

 private:
  class Impl;
  explicit FaultyDisk(std::unique_ptr<Impl> impl);
  ~FaultyDisk();
  const std::unique_ptr<Impl> impl_;
};

}  // namespace trialward::faults
