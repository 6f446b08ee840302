#include "bench/raw_rows.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>

namespace trialward::bench {

using store::SqlValue;

RawRows::RawRows(const Sample& sample, std::size_t part, std::size_t parts, bool audit)
    : audit_(audit),
      step_(static_cast<std::int64_t>(parts)),
      states_(sample.states),
      heads_(sample.heads),
      // So that the first ids after this are the next ones.
      last_id_(sample.last_record + static_cast<std::int64_t>(part) + 1 - step_),
      last_seq_(sample.last_seq + static_cast<std::int64_t>(part) + 1 - step_),
      state_touched_(sample.states.size()) {
  for (const SampleRow& row : sample.rows) {
    const auto shard = static_cast<std::size_t>(std::get<1>(row.values[columns_.shard]));
    if (shard / store::kHeadsInPart % parts == part) rows_.push_back(row);
  }
  TW_CHECK(!rows_.empty());
  std::memcpy(source_id_, kSourceIdPrefix.data(), kSourceIdPrefix.size());
  original_.reserve(4096);
}

RawRow RawRows::next(std::int64_t now_ms) {
  const std::int64_t id = last_id_ += step_;
  const SampleRow& row = rows_[next_row_++ % rows_.size()];
  values_ = row.values;
  const auto subject = static_cast<std::size_t>(std::get<1>(values_[columns_.subject]));
  const auto shard = static_cast<std::size_t>(std::get<1>(values_[columns_.shard]));
  SampleState& state = states_[subject];

  char* const digits = source_id_ + kSourceIdPrefix.size();
  const auto end = std::to_chars(digits, std::end(source_id_), id).ptr;
  const std::string_view source_id(source_id_, static_cast<std::size_t>(end - source_id_));
  original_.assign(row.original_head).append(source_id).append(row.original_tail);
  // Decoding makes the digest, so here it is only made a different one.
  std::memcpy(content_, std::get<store::Blob>(values_[columns_.content]).bytes.data(),
              sizeof content_);
  std::memcpy(content_, &id, sizeof id);

  values_[columns_.id] = id;
  values_[columns_.source_id] = source_id;
  values_[columns_.received_ms] = now_ms;
  values_[columns_.position] = heads_[shard].position + 1;
  values_[columns_.previous] = state.last_record;
  values_[columns_.content] = store::Blob{{content_, sizeof content_}};
  values_[columns_.original] = store::Blob{original_};
  state.last_record = id;
  if (!state_touched_[subject]) touched_states_.push_back(subject);
  state_touched_[subject] = true;

  RawRow made{.values = values_};
  if (!audit_) return made;
  store::ChainHead& head = heads_[shard];
  made.entry = {.seq = last_seq_ += step_,
                .shard = static_cast<int>(shard),
                .position = head.position + 1,
                .at_ms = now_ms,
                .actor = std::get<std::string_view>(values_[columns_.actor]),
                .action = "record.stored",
                .object_table = "records",
                .object = id,
                .reason = {}};
  made.hash = store::chain(head.hash, made.entry, values_);
  head = {made.entry.position, made.hash};
  if (!std::exchange(head_touched_[shard], true)) touched_heads_.push_back(shard);
  return made;
}

void RawRows::take_states(const std::function<void(std::int64_t, std::int64_t)>& take) {
  std::sort(touched_states_.begin(), touched_states_.end());
  for (const std::size_t subject : touched_states_) {
    take(static_cast<std::int64_t>(subject), states_[subject].last_record);
    state_touched_[subject] = false;
  }
  touched_states_.clear();
}

void RawRows::take_heads(
    const std::function<void(std::int64_t, const store::ChainHead&)>& take) {
  std::sort(touched_heads_.begin(), touched_heads_.end());
  for (const std::size_t shard : touched_heads_) {
    take(static_cast<std::int64_t>(shard), heads_[shard]);
    head_touched_[shard] = false;
  }
  touched_heads_.clear();
}

void RawRows::take_chain_ends(const std::function<void(std::int64_t, std::string_view)>& take) {
  std::set<std::size_t> touched;
  take_heads([&](std::int64_t shard, const store::ChainHead&) {
    touched.insert(static_cast<std::size_t>(shard) / store::kHeadsInPart);
  });
  for (const std::size_t part : touched) {
    take(static_cast<std::int64_t>(part), store::pack_heads(heads_, part));
  }
}

}  // namespace trialward::bench
