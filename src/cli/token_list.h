// `trialward token --list`: the tokens of a study as a table or as lines of JSON. What it reads is
// what GET /v1/studies/{study}/tokens gives as NDJSON, also of a store that nobody serves.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/connection.h"

namespace trialward::cli {

// A line of JSON for each token of the study with this row.
base::Result<std::string> stored_token_lines(store::Connection& connection, std::int64_t study);

// The table of such lines: a line of titles, then one a token, the columns under each other.
// Error: corrupt, when they are not that.
base::Result<std::string> token_table(std::string_view lines, std::int64_t now_ms);

}  // namespace trialward::cli
