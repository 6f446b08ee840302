// What `trialward deliveries` shows to people.
#pragma once

#include <string>

#include "base/result.h"

namespace trialward::cli {

// A table of deliveries that are given as lines of JSON (store/outbox_rows.h, to_json). Errors:
// unavailable, when a line is none.
base::Result<std::string> delivery_table(const std::string& lines);

}  // namespace trialward::cli
