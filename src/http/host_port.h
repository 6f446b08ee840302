// Reads "HOST:PORT" as it stands in configuration: "0.0.0.0:8080", "[::1]:80", "localhost:0".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::http {

struct HostPort {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

// This machine, any free port.
inline HostPort loopback() { return {"127.0.0.1", 0}; }

// Fails with Errc::invalid; the message names the text and what is wrong with it.
base::Result<HostPort> parse_host_port(std::string_view text);

}  // namespace trialward::http
