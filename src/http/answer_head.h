// Writes the status line and the headers of an answer. Pure; any thread.
#pragma once

#include <string>

#include "http/message.h"

namespace trialward::http {

// How the sender tells where the body ends (RFC 9112, section 6).
enum class Framing { content_length, chunked, until_close, no_body };

struct AnswerHead {
  Framing framing = Framing::content_length;
  bool keep_alive = true;
  bool http_1_0 = false;  // keep-alive must then be said
};

// What a handler puts into a header can come from input, so control characters become spaces:
// a line break there would forge another header.
std::string answer_head(const Response& response, const AnswerHead& head);

}  // namespace trialward::http
