// Writes JSON text (RFC 8259) into a string, one value after the other, with the commas put where
// they belong. The hot path builds its answers with it: no tree, one allocation. Not thread-safe.
// Misuse (a value without a key inside an object, an unclosed object) is the caller's bug and is
// not detected; input text is always escaped, and bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trialward::base {

class JsonWriter {
 public:
  JsonWriter() = default;
  // Starts from a buffer to reuse its capacity; what it holds is kept.
  explicit JsonWriter(std::string buffer) : out_(std::move(buffer)) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return shut('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return shut(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  JsonWriter& value(std::int64_t number) { return raw(std::to_string(number)); }
  JsonWriter& value(int number) { return raw(std::to_string(number)); }
  JsonWriter& value(std::uint64_t number) { return raw(std::to_string(number)); }
  // Shortest text that reads back as the same double; not finite is written as null.
  JsonWriter& value(double number);
  JsonWriter& null() { return raw("null"); }
  // Text that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  JsonWriter& raw_member(std::string_view name, std::string_view json) {
    key(name);
    return raw(json);
  }
  // Left out when the text is empty.
  JsonWriter& member_if(std::string_view name, std::string_view text) {
    return text.empty() ? *this : member(name, text);
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& shut(char bracket);
  void separate();

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace trialward::base
