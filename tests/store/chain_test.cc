#include "store/chain.h"

#include <gtest/gtest.h>

#include <set>

namespace trialward::store {
namespace {

// All digests come from a program in Python, written from chain.h's description alone:
//   def put(v):
//     if v is None: return b'\0'
//     if isinstance(v, int): return b'\1' + struct.pack('<q', v)
//     if isinstance(v, float): return b'\2' + struct.pack('<d', v)
//     b = v.encode() if isinstance(v, str) else v
//     return (b'\3' if isinstance(v, str) else b'\4') + struct.pack('<Q', len(b)) + b
//   def chain(previous, entry, row):
//     return sha256(previous + b''.join(map(put, entry + row))).digest()
//   def digest(heads):
//     return sha256(b''.join(struct.pack('<Q', position) + hash for position, hash in heads))

AuditEntry first_entry() {
  return {.seq = 1,
          .shard = 17,
          .position = 1,
          .at_ms = 1750000000000,
          .actor = "trialward",
          .action = "study.added",
          .object_table = "studies",
          .object = 1};
}
const std::vector<SqlValue> kFirstRow = {std::int64_t{1}, std::string_view("trial")};

base::Digest first() { return chain({}, first_entry(), kFirstRow); }

// An entry and a row with a value of every type.
base::Digest second() {
  const AuditEntry entry{.seq = 2,
                         .shard = 17,
                         .position = 2,
                         .at_ms = -5,
                         .actor = "Zürich",
                         .action = "a.b",
                         .object_table = "records",
                         .object = std::int64_t{1} << 62,
                         .reason = "why"};
  const std::vector<SqlValue> row = {sql_null(),
                                     std::int64_t{-1},
                                     0.1,
                                     -2.5,
                                     std::string_view(""),
                                     Blob{},
                                     Blob{std::string_view("\0\xff", 2)},
                                     std::string_view("a\0b", 3)};
  return chain(first(), entry, row);
}

TEST(Chain, P8HashesAsTheHeaderSays) {
  EXPECT_EQ(base::to_hex(first()),
            "c66a6437cd8bcf8b6ccb681b1a093777624b43d4e9582f8925fdd6fa4a0bb921");
  EXPECT_EQ(base::to_hex(second()),
            "19b55231767ca6aae39505bb95e999a9f4a93253dd8317d927dcb4201cfeee2f");
}

TEST(Chain, P8OneDigestStandsForAllHeads) {
  ChainHeads heads{};
  EXPECT_EQ(base::to_hex(digest(heads)),
            "84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652");
  heads[17] = {2, second()};
  heads[255] = {1, first()};
  EXPECT_EQ(base::to_hex(digest(heads)),
            "f289b90e899b1cf244ec76efdf1fa511be776844e2cb9189c5c580efc06c8e36");
}

TEST(Chain, P8EveryPartOfAnEntryAndItsRowCounts) {
  std::set<base::Digest> seen = {first()};
  const auto differs = [&](const base::Digest& digest) { return seen.insert(digest).second; };
  base::Digest previous{};
  previous[31] = 1;
  EXPECT_TRUE(differs(chain(previous, first_entry(), kFirstRow)));
  const auto with = [](auto change) {
    AuditEntry entry = first_entry();
    change(entry);
    return chain({}, entry, kFirstRow);
  };
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.seq = 9; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.shard = 9; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.position = 9; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.at_ms = 9; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.actor = "x"; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.action = "x"; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.object_table = "x"; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.object = 9; })));
  EXPECT_TRUE(differs(with([](AuditEntry& entry) { entry.reason = "x"; })));
  // Text may not move from one field to the next unnoticed.
  EXPECT_TRUE(differs(with([](AuditEntry& entry) {
    entry.actor = "trialwards";
    entry.action = "tudy.added";
  })));
}

TEST(Chain, P8ValuesOfDifferentTypesDiffer) {
  std::set<base::Digest> seen;
  const std::vector<std::vector<SqlValue>> rows = {
      {},
      {sql_null()},
      {std::int64_t{0}},
      {0.0},
      {std::string_view("")},
      {Blob{""}},
      {std::string_view("\0", 1)},
      {sql_null(), sql_null()},
  };
  for (const auto& row : rows) EXPECT_TRUE(seen.insert(chain({}, first_entry(), row)).second);
}

// SQLite stores a real without a fraction as an integer, which has no negative zero.
TEST(Chain, NegativeZeroIsZero) {
  EXPECT_EQ(chain({}, first_entry(), std::vector<SqlValue>{-0.0}),
            chain({}, first_entry(), std::vector<SqlValue>{0.0}));
}

}  // namespace
}  // namespace trialward::store
