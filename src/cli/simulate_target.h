// Talking to the server that is loaded: its URL, the token's header, one question at a time, and
// its refusals in words. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "http/client.h"

namespace trialward::cli {

// "http://HOST[:PORT][/]": an IP address or "localhost"; port 80 when there is none. Errc::invalid
// names the text and what is wrong with it.
base::Result<http::HostPort> parse_base_url(std::string_view url);

// The header with a token.
std::pair<std::string, std::string> bearer(const std::string& token);

// Sends one request over the first connection and blocks until it has its outcome, or a signal asks
// the program to stop.
http::ClientAnswer ask(http::Client& client, std::string request, base::Duration deadline);

// Why an answer is no success: its status and first fault, or what became of the connection.
std::string why_not(const http::ClientAnswer& answer);

}  // namespace trialward::cli
