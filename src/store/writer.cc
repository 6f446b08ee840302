#include "store/writer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/log.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr const char* kCommit = "COMMIT";
constexpr const char* kRollback = "ROLLBACK";

constexpr RowShape kShards{
    .table = "shards",
    .columns = "shard, position, hash",
    .keys = 1,
    .sql =
        "INSERT INTO shards (shard, position, hash) VALUES ($1, $2, $3) "
        "ON CONFLICT (shard) DO UPDATE SET position = excluded.position, hash = excluded.hash"};
// With PostgreSQL, where a row that takes another's place costs as much as one that is appended;
// `shards` is a view of these.
constexpr RowShape kChainEnds{
    .table = "chain_ends", .columns = "part, heads", .keys = 1, .sql = ""};
constexpr RowShape kAlertHeads{.table = "alert_heads",
                               .columns = "study, number",
                               .keys = 1,
                               .sql =
                                   "INSERT INTO alert_heads (study, number) VALUES ($1, $2) "
                                   "ON CONFLICT (study) DO UPDATE SET number = excluded.number"};
constexpr RowShape kAudit{
    .table = "audit",
    .columns = "seq, shard, position, at_ms, actor, action, object_table, object, reason, hash",
    .sql =
        "INSERT INTO audit (seq, shard, position, at_ms, actor, action, object_table, object, "
        "reason, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::open(std::unique_ptr<WriteConnection> connection) {
  std::unique_ptr<Writer> writer(new Writer(std::move(connection)));
  if (auto loaded = writer->load(); !loaded) return loaded.error();
  if (auto prepared = writer->prepare_ends(); !prepared) return prepared.error();
  return writer;
}

Status Writer::load() {
  now_ = {};
  static const std::string kLast = [] {
    std::string sql = "SELECT 0, coalesce(max(seq), 0) FROM audit";
    for (const Table table : all_tables()) {
      sql += " UNION ALL SELECT " + std::to_string(index(table) + 1) +
             ", coalesce(max(id), 0) FROM " + std::string(info(table).name);
    }
    return sql + " ORDER BY 1";
  }();
  auto last = connection_->query(kLast);
  if (!last) return last.error();
  for (std::size_t i = 0; i <= kTables; ++i) {
    auto row = last->next();
    if (!row) return row.error();
    TW_CHECK(*row);
    (i == 0 ? now_.seq : now_.next_ids[i - 1]) = last->integer(1) + (i == 0 ? 0 : 1);
  }
  return load_heads();
}

Status Writer::load_heads() {
  auto heads = connection_->query("SELECT shard, position, hash FROM shards");
  if (!heads) return heads.error();
  std::int64_t entries = 0;
  while (true) {
    auto row = heads->next();
    if (!row) return row.error();
    if (!*row) break;
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
    entries += head.position;
  }
  // Other nodes may write meanwhile, unless it is this one's turn.
  const bool stands_still = !connection_->is_postgres() || in_transaction_;
  if (!stands_still || entries == now_.seq) return {};
  return Error{Errc::corrupt, "the audit chains have " + std::to_string(entries) +
                                  " entries, but the last is number " + std::to_string(now_.seq) +
                                  "; see trialward verify"};
}

Status Writer::prepare_ends() {
  if (connection_->is_postgres()) return {};
  for (const char* sql : {connection_->begin_sql(), kCommit, kRollback}) {
    if (auto prepared = connection_->query(sql); !prepared) return prepared.error();
  }
  return {};
}

Status Writer::begin() {
  TW_CHECK(!in_transaction_);
  if (failed()) {
    return Error{Errc::unavailable, "the store failed to commit before; restart the server"};
  }
  if (connection_->is_postgres()) {
    if (auto begun = begin_on_server(); !begun) return begun;
    before_ = now_;
    return {};
  }
  before_ = now_;  // what takes memory comes first
  if (auto begun = connection_->execute(connection_->begin_sql()); !begun) return note(begun);
  in_transaction_ = true;
  return {};
}

// That the server was lost may show now only; then it is there again, perhaps.
Status Writer::begin_on_server() {
  before_ = now_;  // for rollback()
  in_transaction_ = true;
  Status turn;
  try {
    turn = take_turn();
    if (!turn && (connection_->lost() || stale_)) {
      turn = recover();
      if (turn) turn = take_turn();
    }
    // Whatever it is: no submission is at fault.
    if (!turn && turn.error().code != Errc::refused) {
      turn = Error{Errc::unavailable, turn.error().message};
    }
  } catch (const std::bad_alloc&) {
    turn = Error{Errc::refused, "out of memory"};
  }
  if (turn) return turn;
  rollback();
  return note(turn);
}

Status Writer::take_turn() {
  if (connection_->lost() || stale_) return Error{Errc::unavailable, "the database is lost"};
  auto alone = connection_->begin_turn();
  if (!alone) return alone.error();
  if (*alone && !unknown_) return {};
  unknown_ = true;  // until it is read
  const Foreign since{.after_record = next_id(Table::records) - 1,
                      .after_pass = next_id(Table::subject_passes) - 1};
  if (auto done = load(); !done) return done;
  unknown_ = false;
  before_ = now_;
  if (!foreign_) foreign_ = since;
  return {};
}

Status Writer::recover() {
  unreached_ = stale_ = true;
  auto done = connection_->recover();
  if (!done) return done;
  unreached_ = stale_ = false;
  foreign_ = Foreign{};
  return {};
}

Status Writer::write_heads() {
  auto done = connection_->is_postgres() ? write_chain_ends() : write_shards();
  return done ? write_alert_heads() : done;
}

Status Writer::write_shards() {
  for (std::size_t shard = 0; shard < now_.heads.size(); ++shard) {
    if (!now_.touched[shard]) continue;
    const ChainHead& head = now_.heads[shard];
    auto written = connection_->put(kShards, {static_cast<std::int64_t>(shard), head.position,
                                              Blob{base::as_bytes(head.hash)}});
    if (!written) return note(written);
    now_.touched[shard] = false;
  }
  return {};
}

Status Writer::write_chain_ends() {
  for (std::size_t part = 0; part < now_.heads.size() / kHeadsInPart; ++part) {
    const auto touched = std::span(now_.touched).subspan(part * kHeadsInPart, kHeadsInPart);
    if (std::find(touched.begin(), touched.end(), true) == touched.end()) continue;
    const std::string heads = pack_heads(now_.heads, part);
    auto written = connection_->put(kChainEnds, {static_cast<std::int64_t>(part), Blob{heads}});
    if (!written) return note(written);
    std::fill(touched.begin(), touched.end(), false);
  }
  return {};
}

Status Writer::write_alert_heads() {
  for (auto& [study, number] : now_.event_numbers) {
    if (!number.touched) continue;
    auto written = connection_->put(kAlertHeads, {study, number.last});
    if (!written) return note(written);
    number.touched = false;
  }
  return {};
}

Status Writer::commit() {
  TW_CHECK(in_transaction_);
  bool unknown = false;  // whether the commit's frames have reached the disk
  Status done;
  try {
    done = write_heads();
    if (done) done = connection_->commit(unknown);
  } catch (const std::bad_alloc&) {
    done = Error{Errc::refused, "out of memory"};
  }
  if (!done) return after_failed_commit(std::move(done), unknown);
  in_transaction_ = false;
  return done;
}

Status Writer::after_failed_commit(Status failure, bool unknown) {
  if (unknown && connection_->is_postgres()) return find_out();
  rollback();
  if (!unknown) return failure;
  fail(failure.error().message);
  return Error{Errc::unavailable, "commit failed"};  // so short a text takes no memory
}

Result<bool> Writer::send_commit() {
  TW_CHECK(in_transaction_);
  bool unknown = false;
  Status done;
  try {
    done = write_heads();
    if (done) {
      before_sent_ = before_;
      Counters after = now_;
      done = connection_->send_commit(unknown);
      if (done) before_ = std::move(after);
    }
  } catch (const std::bad_alloc&) {
    done = Error{Errc::refused, "out of memory"};
  }
  if (done) return true;
  auto ended = after_failed_commit(std::move(done), unknown);
  return ended ? Result<bool>(false) : Result<bool>(ended.error());
}

Status Writer::await_commit() {
  bool unknown = true;
  Status done;
  try {
    done = connection_->await_commit(unknown);
  } catch (const std::bad_alloc&) {
    done = Error{Errc::refused, "out of memory"};
  }
  if (done) return done;
  before_ = std::move(before_sent_);
  return after_failed_commit(std::move(done), unknown);
}

bool Writer::await_begin() {
  if (!in_transaction_) return false;  // the session is another one, which found the commit
  bool goes_on = false;
  try {
    goes_on = connection_->await_begin();
  } catch (const std::bad_alloc&) {
    // Then the connection is lost.
  }
  if (goes_on) return true;
  rollback();
  unknown_ = true;
  return false;
}

Status Writer::find_out() {
  // Only a new session asks: in the old one the transaction may be open still, and what is asked in
  // it would be its end.
  unreached_ = stale_ = true;
  now_ = std::move(before_);
  in_transaction_ = false;
  std::string told;
  while (!connection_->abandoned()) {
    try {
      Status back;
      if (connection_->lost() || stale_) back = recover();
      if (back) {
        auto there = connection_->was_committed();
        if (there) {
          unreached_ = false;
          foreign_ = Foreign{};
        }
        if (there && *there) return {};
        if (there) return Error{Errc::unavailable, "the database was lost before the commit"};
        stale_ = true;
        back = there.error();
      }
      if (std::exchange(told, back.error().message) != back.error().message) {
        base::log_warning("store: what became of a commit is not known yet: " + told);
      }
    } catch (const std::bad_alloc&) {
      stale_ = true;  // then the next time
    }
    connection_->pause();
  }
  fail("what became of a commit could not be found out");
  return Error{Errc::unavailable, "commit failed"};
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
  if (connection_->lost()) unreached_ = true;  // and the transaction is gone
  if (!connection_->lost() && connection_->in_transaction()) {
    // A database's server rolls back when it is connected to anew.
    if (connection_->is_postgres()) {
      unreached_ = stale_ = true;
    } else {
      fail("cannot roll back");
    }
  }
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
  if (auto written = connection_->put(table_info.shape, row); !written) return note(written);

  ChainHead& head = now_.heads[static_cast<std::size_t>(shard)];
  const AuditEntry entry{.seq = now_.seq + 1,
                         .shard = shard,
                         .position = head.position + 1,
                         .at_ms = act.at_ms,
                         .actor = act.actor,
                         .action = act.action,
                         .object_table = table_info.name,
                         .object = id,
                         .reason = act.reason};
  if (table == Table::alert_events) connection_->tell(News::alerts);
  if (table == Table::tokens || table == Table::token_revocations) {
    connection_->tell(News::tokens);
  }
  if (table == Table::delivery_outcomes || table == Table::subscriptions) {
    connection_->tell(News::deliveries);
  }
  const base::Digest hash = chain(head.hash, entry, row);
  auto audited =
      connection_->put(kAudit, {entry.seq, std::int64_t{shard}, entry.position, entry.at_ms,
                                entry.actor, entry.action, entry.object_table, id,
                                text_or_null(act.reason), Blob{base::as_bytes(hash)}});
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
    known = now_.event_numbers.emplace(study, Counters::EventNumber{.last = *last}).first;
  }
  known->second.touched = true;
  return ++known->second.last;
}

std::int64_t Writer::wal_bytes() const {
  constexpr std::int64_t kFrameBytes = 24 + 4096;  // its head, and a page of the size that we use
  return connection_->wal_frames() * kFrameBytes;
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

bool Writer::is_of_store(const Error& error) const {
  if (failed() || unreached()) return true;
  // Cancelled: it took too long, or nobody waits any more. No submission is to blame for that.
  return connection_->is_postgres() &&
         (error.code == Errc::unavailable || error.code == Errc::cancelled);
}

Status Writer::note(Status status) {
  if (connection_->lost()) unreached_ = true;
  // PostgreSQL has taken the transaction back, and stops by itself where it must.
  if (connection_->is_postgres() && !status && status.error().code == Errc::unavailable) {
    return status;
  }
  if (!status &&
      (status.error().code == Errc::unavailable || status.error().code == Errc::corrupt)) {
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
