#include "base/input_file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace trialward::base {
namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
// zlib's code for "gzip or zlib, whichever the header says, with any window".
constexpr int kAnyFormat = 15 + 32;

std::string errno_text() { return std::generic_category().message(errno); }

// The magic bytes of gzip (RFC 1952), or the two-byte header of zlib with its check (RFC 1950).
// JSON begins with neither.
bool is_compressed(std::string_view beginning) {
  if (beginning.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(beginning[0]);
  const unsigned second = static_cast<unsigned char>(beginning[1]);
  if (first == 0x1f && second == 0x8b) return true;
  return (first & 0x0f) == Z_DEFLATED && first >> 4 <= 7 && (first << 8 | second) % 31 == 0;
}

}  // namespace

void InputFile::CloseFile::operator()(std::FILE* file) const { std::fclose(file); }

void InputFile::EndInflate::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  std::default_delete<z_stream_s>()(stream);
}

Error at(std::string_view place, const Error& error) {
  return {error.code, std::string(place) + ": " + error.message};
}

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile input;
  input.file_.reset(path == "-" ? ::fdopen(::dup(STDIN_FILENO), "rb")
                                : std::fopen(path.c_str(), "rb"));
  if (!input.file_) {
    return Error{Errc::not_found, "cannot be opened: " + errno_text()};
  }
  struct stat status {};
  if (::fstat(::fileno(input.file_.get()), &status) == 0 && S_ISREG(status.st_mode)) {
    input.bytes_total_ = static_cast<std::uint64_t>(status.st_size);
  }
  input.buffer_ = std::make_unique<char[]>(kBufferBytes);
  // A pipe may give less than the two bytes that tell.
  while (input.end_ < 2) {
    const auto more = input.fill_more();
    if (!more) return more.error();
    if (*more == 0) break;
  }
  if (is_compressed({input.buffer_.get(), input.end_})) {
    auto stream = std::make_unique<z_stream_s>();
    if (inflateInit2(stream.get(), kAnyFormat) != Z_OK) return invalid("zlib does not start");
    input.inflate_.reset(stream.release());
  }
  return input;
}

Status InputFile::ask() const {
  if (give_up_ && give_up_()) return Error{Errc::cancelled, "cancelled"};
  return {};
}

Result<bool> InputFile::fill() {
  if (begin_ < end_) return true;
  if (auto asked = ask(); !asked) return asked.error();
  begin_ = end_ = 0;
  const auto more = fill_more();
  if (!more) return more.error();
  return *more > 0;
}

// Not fread: of a pipe it would wait for a whole buffer, and a signal could not stop it.
Result<std::size_t> InputFile::fill_more() {
  const ssize_t count = ::read(::fileno(file_.get()), buffer_.get() + end_, kBufferBytes - end_);
  if (count < 0) return invalid("cannot be read: " + errno_text());
  end_ += static_cast<std::size_t>(count);
  bytes_read_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

Result<std::string_view> InputFile::beginning(std::size_t size) {
  while (head_.size() < size) {
    const std::size_t had = head_.size();
    head_.resize(size);
    const auto more = read_on(head_.data() + had, size - had);
    head_.resize(had + (more ? *more : 0));
    if (!more) return more.error();
    if (*more == 0) break;
  }
  return std::string_view(head_).substr(0, size);
}

Result<std::size_t> InputFile::read(char* out, std::size_t size) {
  TW_CHECK(size > 0);
  if (auto asked = ask(); !asked) return asked.error();
  std::size_t count = head_.copy(out, size);
  if (count > 0) {
    head_.erase(0, count);
  } else {
    const auto more = read_on(out, size);
    if (!more) return more.error();
    count = *more;
  }
  unpacked_ += count;
  if (unpacked_ <= unpacked_max_) return count;
  return invalid("unpacks to more than " + std::to_string(unpacked_max_) + " bytes");
}

Result<std::size_t> InputFile::read_on(char* out, std::size_t size) {
  if (inflate_) return inflate_some(out, size);
  const auto filled = fill();
  if (!filled) return filled.error();
  const std::size_t count = std::min(size, end_ - begin_);
  std::copy_n(buffer_.get() + begin_, count, out);
  begin_ += count;
  return count;
}

Result<std::size_t> InputFile::inflate_some(char* out, std::size_t size) {
  const std::size_t count = std::min<std::size_t>(size, 1 << 30);  // zlib counts in 32 bits
  z_stream_s& stream = *inflate_;
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(count);
  while (stream.avail_out == count) {
    const auto filled = fill();
    if (!filled) return filled.error();
    if (!*filled) {
      if (between_streams_) return std::size_t{0};
      return invalid("ends in the middle of its compressed data");
    }
    // Several gzip streams one after the other are one file.
    if (std::exchange(between_streams_, false)) inflateReset(&stream);
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.get() + begin_);
    stream.avail_in = static_cast<uInt>(end_ - begin_);
    const int result = inflate(&stream, Z_NO_FLUSH);
    begin_ = end_ - stream.avail_in;
    if (result == Z_STREAM_END) {
      between_streams_ = true;
    } else if (result != Z_OK) {
      return invalid(std::string("is damaged: ") +
                           (stream.msg ? stream.msg : zError(result)));
    }
  }
  return count - stream.avail_out;
}

}  // namespace trialward::base
