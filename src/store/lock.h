// PATH.lock: held by whoever may write the store at PATH, so that there is one writer, always.
// The kernel gives it back when the holder dies, however that happens. The file stays.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace trialward::store {

class StoreLock {
 public:
  // Errors: refused (held; the message names the holder's process id), unavailable.
  static base::Result<StoreLock> acquire(const std::string& store_path);
  StoreLock(StoreLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Where the holder of the lock listens for `token`, `import` and others.
inline std::string control_socket_path(const std::string& store_path) {
  return store_path + ".sock";
}

}  // namespace trialward::store
