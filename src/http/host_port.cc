#include "http/host_port.h"

#include <charconv>

namespace trialward::http {
namespace {

base::Error wrong(std::string_view text, std::string_view why) {
  std::string message;
  message.append("\"").append(text).append("\": ").append(why);
  return {base::Errc::invalid, std::move(message)};
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return wrong(text, "the port is missing (HOST:PORT)");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) {
      return wrong(text, "only an IPv6 address stands in brackets");
    }
  } else if (host.find(':') != std::string_view::npos) {
    return wrong(text, "an IPv6 address needs brackets ([ADDRESS]:PORT)");
  }
  if (host.empty()) return wrong(text, "the host is missing (HOST:PORT)");
  if (host.find_first_of("[] \t/@") != std::string_view::npos) {
    return wrong(text, "the host has a character that none can have");
  }
  HostPort result{std::string(host), 0};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return wrong(text, "the port must be a number from 0 to 65535");
  }
  return result;
}

}  // namespace trialward::http
