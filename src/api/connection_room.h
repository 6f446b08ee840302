// How many connections the listeners may have, by the limit on open files.
#pragma once

#include "base/result.h"
#include "http/server.h"

namespace trialward::api {

// The listeners for the machine itself and its operators: never short of connections because of
// the main one.
inline constexpr std::size_t kSideConnectionsMax = 128;

// Whom the server calls, which takes files as well.
struct Called {
  bool targets = false, partners = false;
};

// Raises the limit as far as it goes, and fits the connections of all listeners into it. Errors:
// unavailable (there are too few for any).
base::Status fit_connections(http::ServerOptions& main, const Called& called);

}  // namespace trialward::api
