#include "cli/report_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cli/stop_signal.h"

namespace trialward::cli {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Error;
using base::Result;
using base::Status;

std::string why(int error) { return std::string(": ") + std::strerror(error); }

// A signal ends the writing, so that the part is taken away.
class WholeFile final : public ReportFile {
 public:
  WholeFile(std::string path, std::string partial, FILE* file)
      : path_(std::move(path)), partial_(std::move(partial)), file_(file) {}
  ~WholeFile() override {
    if (file_ != nullptr) (void)std::fclose(file_);
    if (!finished_) (void)std::remove(partial_.c_str());
  }
  Status write(std::string_view bytes) override {
    if (StopSignal::requested()) return stopped();
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
    return StopSignal::requested() ? stopped() : cannot_write();  // a pipe lets go for a signal
  }
  Status finish() override {
    const bool written = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (StopSignal::requested()) return stopped();
    if (!written) return cannot_write();
    struct stat old {};
    if (::stat(path_.c_str(), &old) == 0 && ::chmod(partial_.c_str(), old.st_mode & 07777) != 0) {
      return cannot_write();
    }
    if (std::rename(partial_.c_str(), path_.c_str()) != 0) return cannot_write();
    finished_ = true;
    return {};
  }

 private:
  static Error stopped() { return {Errc::cancelled, "stopped by a signal"}; }
  Error cannot_write() const {
    return {Errc::unavailable, "--out: " + path_ + " cannot be written" + why(errno)};
  }

  const StopSignal stop_;
  const std::string path_, partial_;
  FILE* file_;
  bool finished_ = false;
};

class StreamFile final : public ReportFile {
 public:
  // `owned`: to be closed.
  StreamFile(FILE* file, bool owned, std::string name)
      : file_(file), owned_(owned), name_(std::move(name)) {}
  ~StreamFile() override {
    if (owned_) (void)std::fclose(file_);
  }
  Status write(std::string_view bytes) override {
    const bool all = std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
    return all ? Status() : cannot_write();
  }
  Status finish() override { return std::fflush(file_) == 0 ? Status() : cannot_write(); }

 private:
  Error cannot_write() const {
    return {Errc::unavailable, name_ + " cannot be written" + why(errno)};
  }

  FILE* const file_;
  const bool owned_;
  const std::string name_;
};

// Whether there is something at a path whose place no file may take: a device, a pipe, or a link to
// a file that is not there yet.
bool takes_bytes_as_they_come(const std::string& path) {
  std::error_code unknown;  // it is as good as not there
  const fs::file_status target = fs::status(path, unknown);
  if (fs::exists(target)) return !fs::is_regular_file(target) && !fs::is_directory(target);
  return fs::is_symlink(fs::symlink_status(path, unknown));
}

// Of a link to a file the file, so that the link stays.
std::string followed(const std::string& path) {
  std::error_code unknown;  // it is not there
  const fs::path real = fs::canonical(path, unknown);
  return unknown ? path : real.string();
}

}  // namespace

Result<std::unique_ptr<ReportFile>> ReportFile::open(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<ReportFile>(
        std::make_unique<StreamFile>(stdout, false, "the standard output"));
  }
  if (path.empty()) return base::invalid("--out: names no file");
  if (takes_bytes_as_they_come(path)) {
    FILE* file = std::fopen(path.c_str(), "we");
    if (file == nullptr) return base::invalid("--out: " + path + " cannot be written" + why(errno));
    return std::unique_ptr<ReportFile>(
        std::make_unique<StreamFile>(file, true, "--out: " + path));
  }
  const std::string real = followed(path);
  if (fs::is_directory(real)) {
    return base::invalid("--out: " + path + " cannot be written" + why(EISDIR));
  }
  // What is there is replaced, but not what nobody may write to.
  if (::access(real.c_str(), F_OK) == 0 && ::access(real.c_str(), W_OK) != 0) {
    return base::invalid("--out: " + path + " cannot be written" + why(errno));
  }
  const std::string partial = real + ".partial";
  FILE* file = std::fopen(partial.c_str(), "we");
  if (file == nullptr) {
    return base::invalid("--out: " + path + " cannot be written" + why(errno));
  }
  return std::unique_ptr<ReportFile>(std::make_unique<WholeFile>(real, partial, file));
}

}  // namespace trialward::cli
