// Cuts whole values out of a file of JSON text that may be far larger than memory: the lines of
// NDJSON or the elements of one long array. It looks at strings and brackets only; whether a value
// is right is for the parser that gets it. One thread uses it at a time.
// Errors: those of input_file.h, and invalid for a value that is too large or cut off.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/input_file.h"
#include "base/result.h"

namespace trialward::base {

class JsonStream {
 public:
  static constexpr int kEnd = -1;

  explicit JsonStream(InputFile file);

  // The next character that is not blank, without consuming it; kEnd behind the last one.
  Result<int> peek();
  // Consumes what peek() has shown.
  void skip() { ++begin_; }

  // Consumes the array or object that begins here, which peek() has shown, into `out`.
  Status take_value(std::string& out, std::size_t bytes_max);
  // The same for an object, but stops behind the name of the member `member` if it has that at its
  // top level: then the answer is true, and `out` is the object of the members before it.
  Result<bool> take_object_until(std::string_view member, std::string& out,
                                       std::size_t bytes_max);

  const InputFile& file() const { return file_; }

 private:
  // Reads on when everything read is consumed; false at the end of the file.
  Result<bool> fill();
  // Consumes characters into `out` for as long as `go_on(character)` says.
  template <class F>
  Status take_while(std::string& out, std::size_t bytes_max, F&& go_on);

  InputFile file_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace trialward::base
