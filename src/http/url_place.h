// Where a URL leads: what is needed to resolve, count and bound by remote. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace trialward::http {

struct UrlPlace {
  std::string scheme;  // lower case
  std::string host;    // lower case; an IPv6 address without brackets
  std::uint16_t port = 0;
  // "example.org:443", as remotes are named in figures.
  std::string remote() const { return host + ":" + std::to_string(port); }
};

// Errors: invalid, when it is not an absolute URL with a host, names a user (secrets do not belong
// into URLs), or has another scheme than http, https, smtp and smtps.
base::Result<UrlPlace> url_place(const std::string& url);

}  // namespace trialward::http
