#include "store/writer.h"

#include <cstring>
#include <new>

#include "base/log.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr const char* kBegin = "BEGIN IMMEDIATE";
constexpr const char* kCommit = "COMMIT";
constexpr const char* kRollback = "ROLLBACK";

}  // namespace

Result<std::unique_ptr<Writer>> Writer::open(std::unique_ptr<SqliteConnection> connection) {
  std::unique_ptr<Writer> writer(new Writer(std::move(connection)));
  if (auto loaded = writer->load(); !loaded) return loaded.error();
  if (auto prepared = writer->prepare_ends(); !prepared) return prepared.error();
  return writer;
}

Status Writer::load() {
  for (const Table table : all_tables()) {
    const std::string sql = "SELECT coalesce(max(id), 0) FROM " + std::string(info(table).name);
    auto last = connection_->integer(sql);
    if (!last) return last.error();
    now_.next_ids[index(table)] = *last + 1;
  }
  auto seq = connection_->integer("SELECT coalesce(max(seq), 0) FROM audit");
  if (!seq) return seq.error();
  now_.seq = *seq;

  auto heads = connection_->query("SELECT shard, position, hash FROM shards");
  if (!heads) return heads.error();
  while (true) {
    auto row = heads->next();
    if (!row) return row.error();
    if (!*row) return {};
    const std::int64_t shard = heads->integer(0);
    const std::string_view hash = heads->blob(2);
    if (shard < 0 || shard >= static_cast<std::int64_t>(now_.heads.size()) ||
        hash.size() != sizeof(base::Digest)) {
      return Error{Errc::corrupt, "the head of audit chain " + std::to_string(shard) +
                                      " is damaged; see trialward verify"};
    }
    ChainHead& head = now_.heads[static_cast<std::size_t>(shard)];
    head.position = heads->integer(1);
    std::memcpy(head.hash.data(), hash.data(), hash.size());
  }
}

Status Writer::prepare_ends() {
  for (const char* sql : {kBegin, kCommit, kRollback}) {
    if (auto prepared = connection_->query(sql); !prepared) return prepared.error();
  }
  return {};
}

Status Writer::begin() {
  TW_CHECK(!in_transaction_);
  if (failed()) {
    return Error{Errc::unavailable, "the store failed to commit before; restart the server"};
  }
  before_ = now_;  // what takes memory comes first
  if (auto begun = connection_->execute(kBegin); !begun) return note(begun);
  in_transaction_ = true;
  return {};
}

Status Writer::write_heads() {
  for (std::size_t shard = 0; shard < now_.heads.size(); ++shard) {
    if (!now_.touched[shard]) continue;
    const ChainHead& head = now_.heads[shard];
    auto written = connection_->execute(
        "INSERT INTO shards (shard, position, hash) VALUES ($1, $2, $3) "
        "ON CONFLICT (shard) DO UPDATE SET position = excluded.position, hash = excluded.hash",
        {static_cast<std::int64_t>(shard), head.position, Blob{base::as_bytes(head.hash)}});
    if (!written) return note(written);
    now_.touched[shard] = false;
  }
  return {};
}

Status Writer::commit() {
  TW_CHECK(in_transaction_);
  bool unknown = false;  // whether the commit's frames have reached the disk
  Status done;
  try {
    done = write_heads();
    if (done) {
      auto query = connection_->query(kCommit);
      unknown = query.ok();
      // On an error nobody knows any more: what is read back from the page cache after a failed
      // fsync would prove nothing.
      auto committed = query ? query->next() : Result<bool>(query.error());
      if (!committed) done = committed.error();
    }
  } catch (const std::bad_alloc&) {
    done = Error{Errc::refused, "out of memory"};
  }
  if (done) {
    in_transaction_ = false;
    return done;
  }
  rollback();
  if (!unknown) return done;
  fail(done.error().message);
  return Error{Errc::unavailable, "commit failed"};  // so short a text takes no memory
}

void Writer::rollback() {
  TW_CHECK(in_transaction_);
  // A read, perhaps: what failed then is the disk, and not what the transaction was about.
  if (connection_->disk_failed()) fail("an error of the disk");
  // SQLite may have rolled back by itself (full disk); then this says so, and that is fine.
  try {
    (void)connection_->execute(kRollback);
  } catch (const std::bad_alloc&) {
    // It is asked what came of it.
  }
  if (connection_->in_transaction()) fail("cannot roll back");
  now_ = std::move(before_);
  in_transaction_ = false;
}

Status Writer::begin_part() {
  TW_CHECK(in_transaction_);
  before_part_ = now_;
  return connection_->execute("SAVEPOINT part");
}

Status Writer::end_part() { return connection_->execute("RELEASE part"); }

Status Writer::rollback_part() {
  now_ = std::move(before_part_);
  if (auto done = connection_->execute("ROLLBACK TO part"); !done) return done;
  return connection_->execute("RELEASE part");
}

Status Writer::append(Table table, int shard, const Act& act, std::span<const SqlValue> row) {
  TW_CHECK(in_transaction_);
  const TableInfo& table_info = info(table);
  TW_CHECK(static_cast<int>(row.size()) == table_info.column_count);
  const std::int64_t id = std::get<std::int64_t>(row[0]);
  TW_CHECK(id == next_id(table));
  if (auto written = connection_->execute(table_info.insert, row); !written) {
    return note(written);
  }

  ChainHead& head = now_.heads[static_cast<std::size_t>(shard)];
  const AuditEntry entry{.seq = now_.seq + 1, .shard = shard, .position = head.position + 1,
                         .at_ms = act.at_ms, .actor = act.actor, .action = act.action,
                         .object_table = table_info.name, .object = id, .reason = act.reason};
  const base::Digest hash = chain(head.hash, entry, row);
  auto audited = connection_->execute(
      "INSERT INTO audit (seq, shard, position, at_ms, actor, action, object_table, object, "
      "reason, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {entry.seq, std::int64_t{shard}, entry.position, entry.at_ms, entry.actor, entry.action,
       entry.object_table, id, text_or_null(act.reason), Blob{base::as_bytes(hash)}});
  if (!audited) return note(audited);
  ++now_.next_ids[index(table)];
  ++now_.seq;
  head = {entry.position, hash};
  now_.touched[static_cast<std::size_t>(shard)] = true;
  return {};
}

Result<std::int64_t> Writer::take_event_number(std::int64_t study) {
  auto known = now_.event_numbers.find(study);
  if (known == now_.event_numbers.end()) {
    auto last = connection_->integer(
        "SELECT coalesce((SELECT number FROM alert_heads WHERE study = $1), 0)", {study});
    if (!last) return last.error();
    known = now_.event_numbers.emplace(study, *last).first;
  }
  const std::int64_t number = known->second + 1;
  auto written = connection_->execute(
      "INSERT INTO alert_heads (study, number) VALUES ($1, $2) "
      "ON CONFLICT (study) DO UPDATE SET number = excluded.number",
      {study, number});
  if (!written) return note(written).error();
  known->second = number;
  return number;
}

Result<bool> Writer::checkpoint(Checkpoint when) {
  TW_CHECK(!in_transaction_);
  const std::int64_t frames = connection_->wal_frames();
  // The WAL starts over after a full checkpoint, with fewer frames than before.
  if (frames < checkpointed_frames_) checkpointed_frames_ = 0;
  const std::int64_t fresh = frames - checkpointed_frames_;
  if (when == Checkpoint::soon && fresh < kCheckpointFrames) return false;
  if (when == Checkpoint::late && fresh < kLateFrames) return false;
  auto state = connection_->checkpoint(frames >= kRestartFrames);
  if (!state) return note(state.error()).error();
  checkpointed_frames_ = state->checkpointed;
  return true;
}

Status Writer::note(Status status) {
  if (!status && (status.error().code == Errc::unavailable ||
                  status.error().code == Errc::corrupt)) {
    fail(status.error().message);
  }
  return status;
}

void Writer::fail(std::string_view reason) {
  if (failed_.exchange(true)) return;
  try {
    base::log_error("store: writing failed, nothing more is accepted: " + std::string(reason));
  } catch (const std::bad_alloc&) {
    // failed() says it.
  }
}

}  // namespace trialward::store
