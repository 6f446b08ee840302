// The audit chain: one per shard, each entry's hash covering the one before it.
//
//   hash(n) = SHA-256( hash(n-1)                                  32 bytes; zeros for the first
//                    | seq | shard | position | at_ms | actor | action | table | object | reason
//                    | every column of the row that the entry is about )
// A value is written as its type (0 NULL, 1 integer, 2 real, 3 text, 4 bytes), then 8 bytes
// little-endian for numbers (reals as IEEE 754, -0.0 as 0.0), or an 8-byte length and the bytes.
// Pure; writer.cc makes entries, records/ checks them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "store/connection.h"
#include "store/schema.h"

namespace trialward::store {

struct AuditEntry {
  std::int64_t seq = 0;
  int shard = 0;
  std::int64_t position = 0;  // 1 for the first of its shard
  std::int64_t at_ms = 0;
  std::string_view actor, action;
  std::string_view object_table;
  std::int64_t object = 0;
  std::string_view reason;
};

// `row`: all columns of the object's table, in TableInfo's order.
base::Digest chain(const base::Digest& previous, const AuditEntry& entry,
                   std::span<const SqlValue> row);

// Where a shard's chain ends.
struct ChainHead {
  std::int64_t position = 0;
  base::Digest hash{};
  bool operator==(const ChainHead&) const = default;
};
using ChainHeads = std::array<ChainHead, 256>;

// One digest over all heads; what a signed head signs.
base::Digest digest(const ChainHeads& heads);

// As a row of PostgreSQL has them, those of shards part * kHeadsInPart and on: of each int64
// position, big-endian, and the hash.
inline constexpr std::size_t kHeadsInPart = 16;
std::string pack_heads(const ChainHeads& heads, std::size_t part);

}  // namespace trialward::store
