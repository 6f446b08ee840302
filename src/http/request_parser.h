// Reads one request after the other from bytes, strictly: what two readers could understand
// differently (request smuggling) is refused. Boost.Beast does the grammar; this class adds what
// Beast leaves open: one limit over the whole head, exactly one length, known transfer encodings
// only, a Host. The server reads with nothing else, so the fuzz target drives this class.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace trialward::http {

class RequestParser {
 public:
  struct Fault {
    int status = 400;
    std::string reason;
  };

  explicit RequestParser(std::size_t header_bytes_max);
  ~RequestParser();

  // Forgets the request and begins the next one.
  void reset();

  // Takes the head from the front of the input, which the caller keeps until it is whole. Returns
  // the bytes taken: 0 until then. Look at head_done() and fault() after it.
  std::size_t parse_head(std::string_view input);
  // After the head: appends body bytes to `body` and returns how many input bytes that took.
  // Look at done() and fault() after it.
  std::size_t parse_body(std::string_view input, std::string& body);

  bool head_done() const { return head_done_; }
  bool done() const;  // head and body
  const std::optional<Fault>& fault() const { return fault_; }

  // After the head. `peer`, `local` and `received` are the caller's to fill.
  Request& request() { return request_; }
  // What Content-Length says; nothing when the body is chunked.
  std::optional<std::uint64_t> content_length() const;
  // Body bytes still to come; nothing when that is not known.
  std::optional<std::uint64_t> remaining() const;
  bool expects_continue() const { return expects_continue_; }

 private:
  class Grammar;

  std::size_t fail(int status, std::string reason);
  void check_head();
  bool check_framing();
  bool check_target();

  const std::size_t header_bytes_max_;
  std::unique_ptr<Grammar> grammar_;
  Request request_;
  std::optional<Fault> fault_;
  std::size_t scanned_ = 0;  // input bytes known not to hold the end of the head
  bool head_done_ = false;
  bool expects_continue_ = false;
};

}  // namespace trialward::http
