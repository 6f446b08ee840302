#include "store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace trialward::store {

using base::Errc;
using base::Error;

base::Result<StoreLock> StoreLock::acquire(const std::string& store_path) {
  const std::string path = store_path + ".lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
  StoreLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK) return Error{Errc::unavailable, path + ": " + std::strerror(error)};
    char holder[32] = {};
    const ssize_t size = pread(descriptor, holder, sizeof holder - 1, 0);
    return Error{Errc::refused, store_path + " is in use by process " +
                                    (size > 0 ? std::string(holder) : std::string("?"))};
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
  }
  return lock;
}

StoreLock::~StoreLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace trialward::store
