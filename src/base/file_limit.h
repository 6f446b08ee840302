// The limit on open files (RLIMIT_NOFILE): every connection is one. Debian's soft limit is 1,024,
// which a few hundred idle peers use up; then nothing can be accepted or opened any more.
#pragma once

#include <cstddef>

namespace trialward::base {

// Raises the soft limit to `wanted`, if the hard one lets it; never lowers it. How many files the
// process may have open from now on.
std::size_t raise_file_limit(std::size_t wanted);

}  // namespace trialward::base
