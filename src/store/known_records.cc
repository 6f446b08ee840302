#include "store/known_records.h"

#include <algorithm>
#include <cstring>

namespace trialward::store {

using base::Result;
using base::Status;

// No text of a key has a zero in it.
std::string KnownRecords::name_of(const RecordKey& key) {
  std::string name = std::to_string(key.study);
  name.reserve(name.size() + key.source.size() + key.source_id.size() + 2);
  name.push_back('\0');
  name += key.source;
  name.push_back('\0');
  name += key.source_id;
  return name;
}

Status KnownRecords::prefetch(Connection& connection, const std::vector<RecordKey>& keys) {
  if (!connection.is_postgres() || keys.empty()) return {};
  std::vector<std::int64_t> studies;
  std::vector<std::string_view> sources, source_ids;
  for (const RecordKey& key : keys) {
    studies.push_back(key.study);
    sources.push_back(key.source);
    source_ids.push_back(key.source_id);
  }
  auto rows = connection.query(
      "SELECT r.study, r.source, r.source_id, r.id, r.content "
      "FROM unnest($1::bigint[], $2::text[], $3::text[]) AS k (study, source, source_id) "
      "JOIN records r ON r.study = k.study AND r.source = k.source AND "
      "r.source_id = k.source_id",
      {Integers(studies), Texts(sources), Texts(source_ids)});
  if (!rows) return rows.error();
  for (const RecordKey& key : keys) known_.try_emplace(name_of(key));
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return {};
    KnownRecord record{.id = rows->integer(3)};
    const std::string_view content = rows->blob(4);
    std::memcpy(record.content.data(), content.data(),
                std::min(content.size(), record.content.size()));
    known_[name_of({rows->integer(0), rows->text(1), rows->text(2)})].record = record;
  }
}

Result<std::optional<KnownRecord>> KnownRecords::find(Connection& connection,
                                                      const RecordKey& key) {
  const auto known = known_.empty() ? known_.end() : known_.find(name_of(key));
  if (known != known_.end() && !known->second.presumed) return known->second.record;
  auto found = find_record(connection, key.study, key.source, key.source_id);
  if (found && known != known_.end()) set(known, {.record = *found});
  return found;
}

void KnownRecords::presume_new(const std::vector<RecordKey>& keys) {
  for (const RecordKey& key : keys) known_.try_emplace(name_of(key), Entry{.presumed = true});
}

bool KnownRecords::presumed_new(const RecordKey& key) const {
  const auto known = known_.empty() ? known_.end() : known_.find(name_of(key));
  return known != known_.end() && known->second.presumed;
}

void KnownRecords::add(const RecordKey& key, const KnownRecord& record) {
  if (known_.empty()) return;
  if (const auto known = known_.find(name_of(key)); known != known_.end()) {
    set(known, {.record = record});
  }
}

void KnownRecords::set(Entries::iterator known, Entry entry) {
  before_part_.emplace_back(known->first, std::exchange(known->second, std::move(entry)));
}

void KnownRecords::rolled_back_part() {
  for (; !before_part_.empty(); before_part_.pop_back()) {
    auto& [name, entry] = before_part_.back();
    known_[name] = std::move(entry);
  }
}

}  // namespace trialward::store
