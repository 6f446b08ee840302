// Reads a file from its start to its end, plain or compressed: gzip, or zlib as Dataset-JSON's
// .dsjc files are by their specification. Which one it is is told by the first bytes, not by the
// name. Memory stays at two small buffers whatever the file unpacks to, and who does not trust the
// file says how much that may be.
//
// It owns the open file. One thread uses it at a time. Errors give the reason alone, as whoever
// reads knows the place better: not_found when it cannot be opened, invalid when it cannot be read,
// is damaged or is cut off, or unpacks to too much; cancelled. After an error there is nothing more
// to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct z_stream_s;

namespace trialward::base {

class InputFile {
 public:
  // "-" is the standard input.
  static Result<InputFile> open(const std::string& path);

  // The first bytes of what the file unpacks to, up to `size`: fewer only when there are no more.
  // They are still to be read. Before the first read(); valid until then.
  Result<std::string_view> beginning(std::size_t size);

  // Fills `out` with up to `size` bytes, size > 0; 0 is the end of the file.
  Result<std::size_t> read(char* out, std::size_t size);

  // What it may unpack to; no limit without this.
  void unpack_at_most(std::uint64_t bytes) { unpacked_max_ = bytes; }

  // Asked before each step of a read, which is at most 64 KiB of the file; true: it fails with
  // cancelled.
  void give_up_when(std::function<bool()> asked) { give_up_ = std::move(asked); }

  // Of the file as it lies on the disk, for a progress bar. The total is 0 when nobody knows it,
  // as with a pipe.
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_total() const { return bytes_total_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const;
  };
  struct EndInflate {
    void operator()(z_stream_s* stream) const;
  };

  InputFile() = default;
  Status ask() const;
  // Reads more of the file when all that was read is used up; false at the file's end.
  Result<bool> fill();
  // Adds what the file gives at once to the buffer; 0 is its end.
  Result<std::size_t> fill_more();
  Result<std::size_t> read_on(char* out, std::size_t size);
  Result<std::size_t> inflate_some(char* out, std::size_t size);

  std::unique_ptr<std::FILE, CloseFile> file_;
  std::unique_ptr<z_stream_s, EndInflate> inflate_;  // none: the file is plain
  bool between_streams_ = false;                     // a compressed stream has ended
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not used up
  std::string head_;  // what beginning() took and read() has not yet given
  std::uint64_t bytes_read_ = 0, bytes_total_ = 0;
  std::uint64_t unpacked_ = 0, unpacked_max_ = UINT64_MAX;
  std::function<bool()> give_up_;  // or empty
};

// The error with its place before it: "PATH: reason".
Error at(std::string_view place, const Error& error);

}  // namespace trialward::base
