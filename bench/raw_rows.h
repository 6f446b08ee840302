// The rows that the raw references store: those of a Sample again and again, under new source ids,
// with their audit entries, the chain's hashes and what changes of subjects' states and chain
// heads. Of one thread; several make disjoint rows of one Sample, which must outlive them.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "bench/sample.h"

namespace trialward::bench {

// Good until the next one is made.
struct RawRow {
  const std::vector<store::SqlValue>& values;  // of `records`
  store::AuditEntry entry;
  base::Digest hash{};
};

class RawRows {
 public:
  // `part` of `parts`: of the subjects by their shards, and of the ids; no two have shards whose
  // chains end in one row of PostgreSQL's.
  RawRows(const Sample& sample, std::size_t part, std::size_t parts, bool audit);
  RawRow next(std::int64_t now_ms);

  // What has changed since the last call, in the order of the keys.
  void take_states(const std::function<void(std::int64_t subject, std::int64_t record)>& take);
  void take_heads(const std::function<void(std::int64_t shard, const store::ChainHead&)>& take);
  // The same, as PostgreSQL has them: whole parts of those in which one has.
  void take_chain_ends(const std::function<void(std::int64_t part, std::string_view heads)>& take);

 private:
  // The places of the columns that differ between a sample's row and the row made of it.
  struct Columns {
    std::size_t id = record_column("id");
    std::size_t source_id = record_column("source_id");
    std::size_t subject = record_column("subject");
    std::size_t received_ms = record_column("received_ms");
    std::size_t actor = record_column("actor");
    std::size_t shard = record_column("shard");
    std::size_t position = record_column("position");
    std::size_t previous = record_column("previous");
    std::size_t content = record_column("content");
    std::size_t original = record_column("original");
  };

  const Columns columns_;
  const bool audit_;
  const std::int64_t step_;
  std::vector<SampleRow> rows_;
  std::vector<SampleState> states_;
  store::ChainHeads heads_;
  std::int64_t last_id_ = 0, last_seq_ = 0;
  std::size_t next_row_ = 0;
  char source_id_[32] = {};
  char content_[sizeof(base::Digest)];
  std::string original_;
  std::vector<store::SqlValue> values_;
  std::vector<bool> state_touched_;
  std::array<bool, std::tuple_size_v<store::ChainHeads>> head_touched_{};
  std::vector<std::size_t> touched_states_, touched_heads_;
};

}  // namespace trialward::bench
