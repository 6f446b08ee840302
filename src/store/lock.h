// PATH.lock, and a lock on the database file itself: held by whoever may write the store at PATH,
// so that there is one writer, always. The first tells who holds it; the second also holds when
// the file was moved, or is mounted elsewhere. The kernel gives them back when the holder dies,
// however that happens. The files stay.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace trialward::store {

class StoreLock {
 public:
  // `store_path` is a real one (store_path.h). A store that is not there is made, empty, and only
  // for its owner to read. Whoever holds the lock keeps it until no connection to the store is left
  // in the process: closing the file takes SQLite's own locks away.
  // Errors: refused (held; the message names the holder's process id), unavailable.
  static base::Result<StoreLock> acquire(const std::string& store_path);
  StoreLock(StoreLock&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        store_(std::exchange(other.store_, -1)) {}
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  int store_ = -1;
};

// Where the holder of the lock listens for `token`, `import` and others: PATH.sock beside the real
// path. A socket's path has room for 107 bytes, so a longer one is given as seen from the working
// folder, if that is shorter.
std::string control_socket_path(const std::string& store_path);

}  // namespace trialward::store
