// What stands behind a COMMIT on a PostgreSQL server, as a session finds it.
#pragma once

#include <string>

#include "base/result.h"
#include "store/connection.h"

namespace trialward::store {

// In words: "synchronous_commit=on, 1 synchronous standby of synchronous_standby_names='a'".
// Errors: invalid when what is acknowledged could be lost with the server's process or machine,
// or, where it has a synchronous standby, when that takes its place. `remote_write` will do: then
// it is lost only with both machines at once.
base::Result<std::string> postgres_durability(Connection& connection, const std::string& name);

}  // namespace trialward::store
