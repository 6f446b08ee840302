#include "cdisc/line_reader.h"

#include <utility>

namespace trialward::cdisc {
namespace {

constexpr std::size_t kGrowBytes = 64 << 10;

}  // namespace

LineReader::LineReader(const std::string& path, base::InputFile file, std::size_t line_bytes_max)
    : path_(path), file_(std::move(file)), line_bytes_max_(line_bytes_max) {}

base::Result<LineReader> LineReader::open(const std::string& path, std::size_t line_bytes_max) {
  auto file = base::InputFile::open(path);
  if (!file) return base::at(path, file.error());
  return LineReader(path, std::move(file).value(), line_bytes_max);
}

// One byte more than is allowed is kept: it may be the \r of the line's end.
void LineReader::add(std::string_view piece) {
  line_.append(piece.substr(0, line_bytes_max_ + 1 - line_.size()));
}

base::Result<bool> LineReader::next(Line& line) {
  line_.clear();
  std::uint64_t length = 0;
  bool begun = false;
  bool ended = false;
  char last = '\0';
  while (!ended) {
    if (rest_.empty()) {
      buffer_.resize(kGrowBytes);
      const auto count = file_.read(buffer_.data(), buffer_.size());
      if (!count) return base::at(path_, count.error());
      if (*count == 0) break;
      rest_ = std::string_view(buffer_.data(), *count);
    }
    begun = true;
    const std::size_t end = rest_.find('\n');
    ended = end != std::string_view::npos;
    const std::string_view piece = rest_.substr(0, end);
    rest_.remove_prefix(ended ? end + 1 : rest_.size());
    if (!piece.empty()) last = piece.back();
    length += piece.size();
    add(piece);
  }
  if (!begun) return false;
  if (ended && last == '\r') --length;
  line.number = ++number_;
  line.too_long = length > line_bytes_max_;
  line.text = std::string_view(line_).substr(0, line.too_long ? line_bytes_max_ : length);
  return true;
}

}  // namespace trialward::cdisc
