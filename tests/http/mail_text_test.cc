#include "http/mail_text.h"

#include <gtest/gtest.h>

namespace trialward::http {
namespace {

base::OutboundMail mail() {
  base::OutboundMail mail;
  mail.from = "a@example.org";
  mail.to = {"b@example.org", "c@example.org"};
  mail.subject = "ALT at 3 x ULN";
  mail.text = "Hello";
  mail.id = "abc";
  mail.headers = {{"X-Trialward-Event", "alert.raised"}};
  return mail;
}

TEST(MailText, IsAMail) {
  EXPECT_EQ(mail_text(mail(), 1'700'000'000'000).value(),
            "From: a@example.org\r\nTo: b@example.org,\r\n c@example.org\r\n"
            "Subject: ALT at 3 x ULN\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
            "Message-ID: <abc@example.org>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n"
            "X-Trialward-Event: alert.raised\r\n\r\nSGVsbG8=\r\n");
}

TEST(MailText, WhatIsNotAsciiIsEncodedInWholeCharacters) {
  base::OutboundMail wanted = mail();
  wanted.subject.clear();
  for (int i = 0; i < 30; ++i) wanted.subject += "ü≥";
  const std::string text = mail_text(wanted, 0).value();
  std::size_t at = text.find("Subject: ") + 9;
  std::size_t words = 0;
  for (; text.compare(at, 10, "=?UTF-8?B?") == 0; ++words) {
    const std::size_t end = text.find("?=", at + 10);
    EXPECT_LE(end + 2 - at, 75u);
    EXPECT_NE(text[end - 1], '?');
    at = end + 2;
    if (text.compare(at, 3, "\r\n ") == 0) at += 3;
  }
  EXPECT_EQ(words, 4u);  // 150 bytes, at most 42 in a word
  EXPECT_EQ(text.compare(at, 7, "\r\nDate:"), 0) << text;
}

TEST(MailText, LongTextIsCutIntoLines) {
  base::OutboundMail wanted = mail();
  wanted.text = std::string(10'000, 'x');
  const std::string text = mail_text(wanted, 0).value();
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  EXPECT_EQ(longest, 76u);
}

}  // namespace
}  // namespace trialward::http
