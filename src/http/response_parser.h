// Reads one answer after the other from bytes, for the client: by Boost.Beast. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace trialward::http {

class ResponseParser {
 public:
  ResponseParser();
  ~ResponseParser();

  // Begins the next answer; one to HEAD has no body whatever its head says.
  void reset(bool to_head);
  // Takes what it can from the front of the input, appending body bytes to `body`; the caller
  // keeps the rest. Interim answers (100) are passed over.
  std::size_t parse(std::string_view input, std::string& body);
  // The peer has ended, which is how some bodies end.
  void parse_end();

  bool head_done() const;
  bool done() const;
  int status() const;
  bool retry_after() const;  // whether the head has one
  bool keep_alive() const;
  bool failed() const { return failed_; }

 private:
  class Grammar;

  std::unique_ptr<Grammar> grammar_;
  bool to_head_ = false;
  bool failed_ = false;
};

}  // namespace trialward::http
