// Ed25519 keys in files: 64 hexadecimal digits and a line's end. PATH.key holds the seed of the
// secret key and is for its owner's eyes alone, PATH.pub the public key. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "records/head_line.h"

namespace trialward::records {

inline std::string secret_key_path(const std::string& store_path) { return store_path + ".key"; }
inline std::string public_key_path(const std::string& store_path) { return store_path + ".pub"; }

// Errors: not_found, invalid (it holds no key), unavailable.
base::Result<PublicKey> read_public_key(const std::string& path);

// The key of a store. Both files are made when there is none and `make` is set; a missing PATH.pub
// is made again. Errors: not_found; refused (others may read PATH.key); invalid; corrupt (PATH.pub
// is not of this key); unavailable.
base::Result<SecretKey> open_secret_key(const std::string& store_path, bool make);

}  // namespace trialward::records
