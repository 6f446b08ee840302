#include "http/answer_head.h"

namespace trialward::http {
namespace {

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7F ? ' ' : c);
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out.append(": ");
  append_clean(out, value);
  out.append("\r\n");
}

}  // namespace

std::string answer_head(const Response& response, const AnswerHead& head) {
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).push_back(' ');
  out.append(reason_phrase(response.status)).append("\r\n");
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  if (head.framing == Framing::content_length) {
    append_header(out, "Content-Length", std::to_string(response.body.size()));
  } else if (head.framing == Framing::chunked) {
    append_header(out, "Transfer-Encoding", "chunked");
  }
  if (!head.keep_alive) {
    append_header(out, "Connection", "close");
  } else if (head.http_1_0) {
    append_header(out, "Connection", "keep-alive");
  }
  out.append("\r\n");
  return out;
}

}  // namespace trialward::http
