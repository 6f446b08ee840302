// A disk that is slow to sync: a library to be loaded before libc (LD_PRELOAD), in which fsync and
// fdatasync first take SLOW_SYNC_US microseconds. It tells who waits for the disk: with syncs of
// 20 ms nobody whose answer comes after a commit can answer sooner. And it gives every machine the
// same disk, be its own a fast one.
#include <dlfcn.h>
#include <time.h>

#include <cstdlib>

namespace {

using Sync = int (*)(int);

Sync real(const char* name) { return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name)); }

timespec slowness() {
  const char* text = std::getenv("SLOW_SYNC_US");
  const long us = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
  return {.tv_sec = us / 1'000'000, .tv_nsec = us % 1'000'000 * 1000};
}

void be_slow() {
  static const timespec kSlowness = slowness();
  // tidy(sleep): it is the disk's time that passes here
  clock_nanosleep(CLOCK_MONOTONIC, 0, &kSlowness, nullptr);
}

}  // namespace

extern "C" int fsync(int file) {
  static const Sync kReal = real("fsync");
  be_slow();
  return kReal(file);
}

extern "C" int fdatasync(int file) {
  static const Sync kReal = real("fdatasync");
  be_slow();
  return kReal(file);
}
