// What a handler sees of HTTP: plain structs without a thread, a socket or Boost. They are values;
// whoever holds one owns it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace trialward::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name, in whatever case it is written; null if there is
// none.
const std::string* find_header(const Headers& headers, std::string_view name);

// Whether two texts are equal when ASCII letters are compared without case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

struct Request {
  std::string method;  // as sent: methods are case-sensitive
  std::string target;  // as sent
  std::string path;    // of the target, still percent-encoded
  std::string query;   // what follows '?', still percent-encoded
  Headers headers;
  std::string body;            // empty when the body is streamed
  std::string peer;            // the sender's IP address; empty on a unix socket
  bool local = false;          // came in by the unix socket
  bool tls = false;
  base::TimePoint received{};  // when the last byte of the body (streamed: of the head) was read
  bool keep_alive = true;
  bool http_1_0 = false;  // the sender cannot read a chunked answer

  const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

struct Response {
  int status = 200;
  Headers headers;  // without Content-Type, Content-Length, Connection and Transfer-Encoding
  std::string body;
  std::string content_type;  // not sent when empty

  Response& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

Response json_response(int status, std::string body);
Response text_response(int status, std::string body);
// {"faults":[{"path":"…","reason":"…"}]}, the form of every refusal.
Response fault_response(int status, std::string_view reason, std::string_view path = {});

// "Not Found" for 404; "Status" for one that has no name here.
std::string_view reason_phrase(int status);

}  // namespace trialward::http
