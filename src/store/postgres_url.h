// The URL of a PostgreSQL database, as libpq reads it (also with several hosts), and what a
// connection to it is set to where the URL says nothing.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace trialward::store {

// Whether it is a URL of PostgreSQL's, postgresql:// or postgres://.
bool is_postgres_url(std::string_view url);

// libpq's keywords and values. Errors: invalid, with libpq's words.
using PostgresSettings = std::vector<std::pair<std::string, std::string>>;
base::Result<PostgresSettings> parse_postgres_url(const std::string& url);

// For messages: "postgresql://user@host:port/database", hosts and ports as given, no password.
std::string postgres_name(const PostgresSettings& settings);

// Adds what the URL leaves open: time-outs, a server that can write, and `options` for the session,
// before those of the URL, which win.
PostgresSettings with_defaults(PostgresSettings settings, const std::string& options);

// One after the other, as libpq tries them: the same settings with one host, its address and its
// port each. Where their numbers do not match it is one, for libpq to find fault with.
std::vector<PostgresSettings> hosts_of(const PostgresSettings& settings);

// How long one host may take: connect_timeout, at least 2 s, as libpq has it; where that is for
// ever, a minute.
base::Duration connect_max(const PostgresSettings& settings);

}  // namespace trialward::store
