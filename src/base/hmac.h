// HMAC with SHA-256 (RFC 2104, FIPS 198-1) by OpenSSL.
#pragma once

#include <string_view>

#include "base/sha256.h"

namespace trialward::base {

// Keys longer than 64 bytes are hashed first, as the standard says.
Digest hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace trialward::base
