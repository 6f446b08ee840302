#include "http/mail_text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace trialward::http {
namespace {

constexpr std::size_t kLineBytes = 57;         // 76 characters of base64
constexpr std::size_t kEncodedWordBytes = 42;  // of text: "=?UTF-8?B?" … "?=" in 75 characters

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; });
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 128; });
}

// An address that needs no quoting: one '@', something on both sides, nothing odd.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos && !has_control(text) && is_ascii(text) &&
         text.find_first_of(" <>()[],;:\\\"") == std::string_view::npos;
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// Where a piece of at most `bytes` ends that cuts no character of UTF-8.
std::size_t piece_end(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text.size();
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end > 0 ? end : bytes;
}

std::string encoded_words(std::string_view text) {
  std::string words;
  while (!text.empty()) {
    const std::size_t end = piece_end(text, kEncodedWordBytes);
    if (!words.empty()) words += "\r\n ";
    words += "=?UTF-8?B?" + base64(text.substr(0, end)) + "?=";
    text.remove_prefix(end);
  }
  return words;
}

// "Wed, 25 Nov 2026 21:15:36 +0000"
std::string date(std::int64_t utc_ms) {
  using namespace std::chrono;
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time(floor<seconds>(milliseconds(utc_ms)));
  const sys_days day = floor<days>(time);
  const year_month_day ymd(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %u %s %d %02d:%02d:%02d +0000",
                kDays[weekday(day).c_encoding()], unsigned{ymd.day()},
                kMonths[unsigned{ymd.month()} - 1], int{ymd.year()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

}  // namespace

base::Result<std::string> mail_text(const base::OutboundMail& mail, std::int64_t utc_ms) {
  if (!is_address(mail.from)) return base::invalid("from: '" + mail.from + "' is not an address");
  if (mail.to.empty()) return base::invalid("to: there is nobody");
  std::string to;
  for (const std::string& one : mail.to) {
    if (!is_address(one)) return base::invalid("to: '" + one + "' is not an address");
    to += (to.empty() ? "" : ",\r\n ") + one;
  }
  if (has_control(mail.subject)) return base::invalid("the subject has control characters");
  if (mail.id.empty() || !is_address(mail.id + "@x")) return base::invalid("the id cannot be one");
  const bool plain = is_ascii(mail.subject) && mail.subject.size() < 66;
  std::string text = "From: " + mail.from + "\r\nTo: " + to +
                     "\r\nSubject: " + (plain ? mail.subject : encoded_words(mail.subject)) +
                     "\r\nDate: " + date(utc_ms) + "\r\nMessage-ID: <" + mail.id +
                     mail.from.substr(mail.from.find('@')) +
                     ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n";
  for (const auto& [name, value] : mail.headers) {
    if (has_control(name) || has_control(value) || !is_ascii(name) || !is_ascii(value)) {
      return base::invalid("a header has control characters");
    }
    text += name + ": " + value + "\r\n";
  }
  text += "\r\n";
  for (std::size_t at = 0; at < mail.text.size(); at += kLineBytes) {
    text += base64(std::string_view(mail.text).substr(at, kLineBytes)) + "\r\n";
  }
  return text;
}

}  // namespace trialward::http
