// Cuts a stream of bytes, in whatever pieces it comes, into lines: NDJSON's framing. It holds the
// piece and at most one line that is not whole yet. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trialward::api {

class LineCutter {
 public:
  explicit LineCutter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // `last`: nothing comes after this piece, so that what is left is a line. Ends the lines given.
  void add(std::string_view bytes, bool last);
  // Nothing more of what came is wanted.
  void clear();

  enum class Cut {
    none,      // more bytes are needed, or it was the last line
    line,      // also a blank one; without its end, \n or \r\n
    too_long,  // told once, as soon as it is known; its rest is skipped and never held
  };
  // `line` stays valid until the next add() or clear().
  Cut next(std::string_view& line);
  // Of the line that next() cut last, from 1.
  std::int64_t number() const { return number_; }

 private:
  const std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of buffer_, what was not cut yet
  std::size_t seen_ = 0;   // of buffer_, up to here there is no further end of a line
  std::int64_t number_ = 0;
  bool last_ = false;
  bool skipping_ = false;  // inside a line that is too long
};

}  // namespace trialward::api
