// Reads a text file, plain or compressed, line by line: native NDJSON, for one.
// Memory is bounded by the longest line that is allowed. One thread uses it at a time; errors are
// those of input_file.h, with the file's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_file.h"
#include "base/result.h"

namespace trialward::cdisc {

struct Line {
  std::uint64_t number = 0;  // from 1
  std::string_view text;     // without its end, \n or \r\n; valid until the next call
  bool too_long = false;     // then `text` is only the part of it that is allowed
};

class LineReader {
 public:
  static base::Result<LineReader> open(const std::string& path, std::size_t line_bytes_max);
  // Of a file that is open already; `path` is its name in errors.
  LineReader(const std::string& path, base::InputFile file, std::size_t line_bytes_max);

  // False at the end of the file. Empty lines count and are handed out, too; a last line without
  // an end is one.
  base::Result<bool> next(Line& line);

  const base::InputFile& file() const { return file_; }

 private:
  // Adds a piece of the line being read, as far as it is allowed.
  void add(std::string_view piece);

  std::string path_;
  base::InputFile file_;
  std::size_t line_bytes_max_;
  std::vector<char> buffer_;
  std::string_view rest_;  // of the buffer, not handed out yet
  std::string line_;
  std::uint64_t number_ = 0;
};

}  // namespace trialward::cdisc
