// A signed head: "on this date the store's audit trail had this many entries, and this digest".
// One line of PATH.heads, which may be kept anywhere:
//
//   {"store_id":TEXT,"seq":N,"at":"2026-01-31T09:30:00.000Z","digest":HEX,"signature":HEX}
//
// seq is the newest entry that the head covers and digest is store::digest over the ends of all
// chains there. The signature is Ed25519 (libsodium) over the bytes
//   "trialward head 1\n" store_id "\n" seq "\n" at "\n" digest in hexadecimal "\n"
// There is one spelling of one head: a line that differs in a single byte is not a head.
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"

namespace trialward::records {

using PublicKey = std::array<unsigned char, 32>;
using SecretKey = std::array<unsigned char, 64>;  // libsodium's: the seed, then the public key

inline constexpr std::size_t kHeadLineBytesMax = 1024;

struct SignedHead {
  std::string store_id;
  std::int64_t seq = 0;
  std::string at;
  base::Digest digest{};
};

// The line, without its end.
std::string sign_head(const SignedHead& head, const SecretKey& key);

// Errors: corrupt, saying what is wrong with the line. Without a key the signature goes unchecked.
base::Result<SignedHead> parse_head(std::string_view line, const PublicKey* key);

}  // namespace trialward::records
