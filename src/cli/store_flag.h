// --store, as every command has it: from the flag to the store's real path, and what to say of a
// store that does not open.
#pragma once

#include <string>

#include "base/result.h"

namespace trialward::cli {

inline constexpr const char* kStoreHelp = "Where the data is: sqlite:PATH or postgresql://…";

// The real path of the store that "sqlite:PATH" names, which need not be there, or the URL of one
// in PostgreSQL. The error's message names the flag, and what is wrong with its value.
base::Result<std::string> locate_store(const std::string& url);

// Whether there is a store at a place, as far as can be seen without the database's help.
bool may_be_there(const std::string& path);

// Tells why the store at `path` did not open, and gives the exit code: kWrongUse when nobody could
// open it there, as it may not be written, else kFailure.
int fail_to_open(const std::string& path, const base::Error& error);

}  // namespace trialward::cli
