// Where a store is: its URL as given on a command line, and the one true path of its file. A store
// in PostgreSQL is at its URL.
// What lies beside a store (PATH.lock, PATH.sock, PATH-wal, …) is found by the path, so a store has
// to have one only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trialward::store {

// The PATH of "sqlite:PATH", or a PostgreSQL URL as it is. Error: invalid, naming what was
// expected.
base::Result<std::string> parse_store_url(std::string_view url);

// The absolute path without symbolic links of the store at `path`, which need not be there yet;
// the links in it may be relative, and may lead to what is not there yet. Errors: not_found (the
// folder is not there), invalid (it is no plain file, or it has a second name: a hard link has its
// own PATH-wal, so that whoever opened it would miss or overwrite commits), unavailable.
base::Result<std::string> real_store_path(const std::string& path);

}  // namespace trialward::store
