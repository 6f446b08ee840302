// What PostgreSQL's SQLSTATEs mean to us.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::store {

// conflict, cancelled, retry and corrupt where the state says so; unavailable when it is the server
// that cannot do anything now, whatever it is asked (its connections, its resources, its being shut
// down, a standby, rights that were taken away); else invalid: it is what was asked. So a statement
// that fails in a way that nobody thought of is taken for a fault of its values, and a batch is
// bisected for them, rather than refused as a whole for ever.
base::Errc errc_of_sqlstate(std::string_view state);

// libpq's words, of which each ends with a line; none for null.
std::string postgres_words(const char* words);

}  // namespace trialward::store
