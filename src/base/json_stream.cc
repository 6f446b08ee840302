#include "base/json_stream.h"

#include <utility>

namespace trialward::base {
namespace {

constexpr std::size_t kStepBytes = 64 << 10;

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Where in a JSON text we are, as far as strings and brackets tell.
struct Nesting {
  std::size_t depth = 0;
  bool in_string = false;
  bool escaped = false;  // the next character of a string

  void feed(char c) {
    if (in_string) {
      const bool was_escaped = escaped;
      escaped = c == '\\' && !was_escaped;
      if (c == '"' && !was_escaped) in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  bool complete() const { return depth == 0 && !in_string; }
};

}  // namespace

JsonStream::JsonStream(InputFile file)
    : file_(std::move(file)), buffer_(std::make_unique<char[]>(kStepBytes)) {}

Result<bool> JsonStream::fill() {
  if (begin_ < end_) return true;
  const auto count = file_.read(buffer_.get(), kStepBytes);
  if (!count) return count.error();
  begin_ = 0;
  end_ = *count;
  return end_ > 0;
}

Result<int> JsonStream::peek() {
  for (;;) {
    const auto filled = fill();
    if (!filled) return filled.error();
    if (!*filled) return kEnd;
    while (begin_ < end_ && is_blank(buffer_[begin_])) ++begin_;
    if (begin_ < end_) return static_cast<unsigned char>(buffer_[begin_]);
  }
}

template <class F>
Status JsonStream::take_while(std::string& out, std::size_t bytes_max, F&& go_on) {
  out.clear();
  for (bool more = true; more;) {
    const auto filled = fill();
    if (!filled) return filled.error();
    if (!*filled) return invalid("ends in the middle of a value");
    const std::size_t first = begin_;
    while (more && begin_ < end_) more = go_on(buffer_[begin_++]);
    if (begin_ - first > bytes_max - out.size()) {
      return invalid("has a value of more than " + std::to_string(bytes_max) + " bytes");
    }
    out.append(buffer_.get() + first, begin_ - first);
  }
  return {};
}

Status JsonStream::take_value(std::string& out, std::size_t bytes_max) {
  Nesting nesting;
  return take_while(out, bytes_max, [&nesting](char c) {
    nesting.feed(c);
    return !nesting.complete();
  });
}

Result<bool> JsonStream::take_object_until(std::string_view member, std::string& out,
                                                 std::size_t bytes_max) {
  Nesting nesting;
  char before = '\0';  // the last character outside of strings that is not blank
  std::string name;    // of the member being read, as it is written
  bool in_name = false;
  bool found = false;
  std::size_t length = 0;  // of what was consumed
  std::size_t kept = 0;    // up to the end of the member before
  const auto go_on = [&](char c) {
    ++length;
    const bool began_outside = !nesting.in_string;
    nesting.feed(c);
    if (began_outside && nesting.in_string) {
      in_name = nesting.depth == 1 && before != ':';
      name.clear();
    } else if (in_name && nesting.in_string) {
      if (name.size() <= member.size()) name.push_back(c);
    } else if (!began_outside && std::exchange(in_name, false)) {
      found = name == member;
    }
    if (began_outside && !is_blank(c)) {
      if (nesting.depth == 1 && c == ',') kept = length - 1;
      before = c;
    }
    return !found && !nesting.complete();
  };
  const auto taken = take_while(out, bytes_max, go_on);
  if (!taken) return taken.error();
  if (found) {
    out.resize(kept);
    // The member may be the first.
    out += kept == 0 ? "{}" : "}";
  }
  return found;
}

}  // namespace trialward::base
