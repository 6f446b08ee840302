#include "store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace trialward::store {

using base::Errc;
using base::Error;

namespace {
constexpr std::size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - 1;
}

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
  lock.store_ = open(store_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.store_ < 0) return Error{Errc::unavailable, store_path + ": " + std::strerror(errno)};
  if (flock(lock.store_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK) {
      return Error{Errc::unavailable, store_path + ": " + std::strerror(error)};
    }
    return Error{Errc::refused,
                 store_path + " is in use by a process that knows it by another path"};
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
  }
  return lock;
}

std::string control_socket_path(const std::string& store_path) {
  std::string path = store_path + ".sock";
  if (path.size() <= kSocketPathMax) return path;
  std::error_code error;
  const std::string near = std::filesystem::proximate(path, error).string();
  return !error && near.size() < path.size() ? near : path;
}

StoreLock::~StoreLock() {
  if (store_ >= 0) close(store_);
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace trialward::store
