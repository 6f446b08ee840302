// trialward_on_faulty_disk: the whole program with its store on a FaultyDisk. However it ends, what
// was not synced is lost, as in a power cut; and a test can make the disk fail while it runs.
//
// TRIALWARD_DISK is the path of a file that says what the disk does from the next sync on, in words
// between blanks: fail_sync, full, fail_read, sync_ms=N (each sync takes so long). No such file, or
// nothing in it: the disk is well.
#include <poll.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>

#include "cli/command.h"
#include "tests/faults/faulty_disk.h"

namespace trialward::faults {
namespace {

void obey(FaultyDisk& disk, const std::string& path) {
  DiskFaults faults;
  int sync_ms = 0;
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    constexpr std::string_view kSlow = "sync_ms=";
    if (word == "fail_sync") faults.fail_sync = true;
    if (word == "full") faults.full = true;
    if (word == "fail_read") faults.fail_read = true;
    if (word.starts_with(kSlow)) {
      (void)std::from_chars(word.data() + kSlow.size(), word.data() + word.size(), sync_ms);
    }
  }
  disk.set_faults(faults);
  if (sync_ms > 0) poll(nullptr, 0, sync_ms);
}

}  // namespace
}  // namespace trialward::faults

int main(int argc, char** argv) {
  using trialward::faults::FaultyDisk;
  FaultyDisk& disk = FaultyDisk::install();
  if (const char* path = std::getenv("TRIALWARD_DISK")) {
    disk.on_sync([&disk, path = std::string(path)] { trialward::faults::obey(disk, path); });
  }
  return trialward::cli::run(argc, argv);
}
