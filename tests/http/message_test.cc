#include "http/message.h"

#include <gtest/gtest.h>

#include "http/answer_head.h"

namespace trialward::http {
namespace {

TEST(Message, HeadersAreFoundWithoutCase) {
  const Headers headers = {{"Content-Type", "a"}, {"X", "b"}, {"content-type", "c"}};
  ASSERT_NE(find_header(headers, "CONTENT-TYPE"), nullptr);
  EXPECT_EQ(*find_header(headers, "CONTENT-TYPE"), "a");
  EXPECT_EQ(*find_header(headers, "x"), "b");
  EXPECT_EQ(find_header(headers, "Content-Typ"), nullptr);
}

TEST(Message, FaultsAreJson) {
  const Response response = fault_response(422, "not \"a\" number", "/value");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"faults":[{"path":"/value","reason":"not \"a\" number"}]})");
}

TEST(AnswerHead, IsFramed) {
  const Response response = text_response(200, "four");
  const struct {
    AnswerHead head;
    const char* expected;
  } cases[] = {
      {{Framing::content_length, true, false}, "Content-Length: 4\r\n\r\n"},
      {{Framing::content_length, false, false}, "Content-Length: 4\r\nConnection: close\r\n\r\n"},
      {{Framing::content_length, true, true},
       "Content-Length: 4\r\nConnection: keep-alive\r\n\r\n"},
      {{Framing::chunked, true, false}, "Transfer-Encoding: chunked\r\n\r\n"},
      {{Framing::until_close, false, true}, "Connection: close\r\n\r\n"},
      {{Framing::no_body, true, false}, "\r\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(
        answer_head(response, c.head),
        std::string("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n") + c.expected);
  }
}

// What comes from input must not become a header of its own.
TEST(AnswerHead, LineBreaksAreTakenOut) {
  Response response{.status = 302};
  response.with("Location", "/a\r\nSet-Cookie: x=1");
  EXPECT_EQ(answer_head(response, {Framing::no_body, true, false}),
            "HTTP/1.1 302 Found\r\nLocation: /a  Set-Cookie: x=1\r\n\r\n");
}

}  // namespace
}  // namespace trialward::http
