#include "store/postgres_writer.h"

#include <libpq-fe.h>

#include <algorithm>

#include "base/log.h"
#include "store/postgres_durability.h"
#include "store/postgres_node.h"
#include "store/postgres_statement.h"
#include "store/schema.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr int kLockAttempts = 25;  // with pauses: as long as another node may take to migrate
constexpr base::Duration kCommitAskedMost = std::chrono::minutes(2);
constexpr const char* kIdleMaxMs = "10000";
constexpr std::int64_t kMarksKeptMs = std::int64_t{7} * 24 * 3600 * 1000;

constexpr const char* kTakeTurn = "SELECT number, session FROM write_turn WHERE one = 1 FOR UPDATE";
constexpr const char* kOtherNodes =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT "
    "oid FROM pg_database WHERE datname = current_database()) AND classid = $1::oid AND "
    "objid = current_schema()::regnamespace::oid AND pid <> pg_backend_pid()";
constexpr const char* kNotify =
    "SELECT pg_notify('trialward_' || current_schema()::regnamespace::oid, $1)";
constexpr const char* kLeaveMarks =
    "WITH mark AS (INSERT INTO commit_marks (session, number, at_ms) VALUES ($1, $2, $3) "
    "ON CONFLICT (session) DO UPDATE SET number = excluded.number, at_ms = excluded.at_ms) "
    "UPDATE write_turn SET number = $4, session = $1 WHERE one = 1";

}  // namespace

Result<std::unique_ptr<PostgresWriter>> PostgresWriter::open(const std::string& url,
                                                             const PostgresOptions& options,
                                                             std::string_view store_id,
                                                             base::Random& random) {
  if (auto settings = parse_postgres_url(url); !settings) return settings.error();
  PostgresOptions writing = options;
  writing.writes = true;
  std::unique_ptr<PostgresWriter> made(
      new PostgresWriter(url, writing));  // tidy(new): its constructor is not for all
  std::array<std::byte, 16> session;
  random.fill(session);
  made->session_.assign(reinterpret_cast<const char*>(session.data()), session.size());
  if (auto done = made->connect(); !done) return done.error();
  if (auto done = made->make_schema(); !done) return done.error();
  if (auto done = made->bring_up_to_date(store_id); !done) return done.error();
  if (auto done = made->check_durability(); !done) return done.error();
  auto old = made->execute("DELETE FROM commit_marks WHERE at_ms < $1",
                           {base::SystemClock().utc_ms() - kMarksKeptMs});
  if (!old) return old.error();
  return made;
}

Status PostgresWriter::make_schema() {
  auto there = integer("SELECT count(*) FROM pg_namespace WHERE nspname = current_schema()");
  if (!there) return there.error();
  if (*there != 0) return {};
  auto path = query("SELECT current_setting('search_path')");
  if (!path) return path.error();
  if (auto row = path->next(); !row) return row.error();
  const std::string name(path->text(0));
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_';
  });
  if (!plain) {
    return Error{Errc::invalid, "the search_path '" + name +
                                    "' has to be the name of one schema, "
                                    "of small letters, digits and '_'"};
  }
  return script("CREATE SCHEMA IF NOT EXISTS " + name);
}

Result<bool> PostgresWriter::lock(const char* function) {
  auto got = integer(std::string("SELECT ") + function + postgres_lock(PostgresLock::nodes));
  if (!got) return got.error();
  return *got != 0;
}

Error PostgresWriter::others_there() {
  auto rows = query(
      "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
      "WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database "
      "WHERE datname = current_database()) AND l.classid = $1::oid AND "
      "l.objid = current_schema()::regnamespace::oid AND a.pid <> pg_backend_pid() LIMIT 1",
      {static_cast<std::int64_t>(PostgresLock::nodes)});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  const std::string who =
      *row ? std::string(rows->text(0)) + " (session " + std::to_string(rows->integer(1)) + ")"
           : std::string("another process");
  return {Errc::refused, name() + " is in use by " + who};
}

// Another node may have changed it while this one's session was gone.
Status PostgresWriter::check_version() {
  auto version = schema_version(*this);
  if (!version) return version.error();
  if (*version <= newest_schema(*this)) return {};
  return Error{Errc::invalid, name() + " has the schema of a newer trialward by now"};
}

// For as long as the session lives.
Status PostgresWriter::join() {
  for (int attempt = 1; attempt <= kLockAttempts; ++attempt) {
    auto got = lock("pg_try_advisory_lock_shared");
    if (!got) return got.error();
    if (*got) return check_version();
    pause();
  }
  const Error there = others_there();
  return Error{Errc::unavailable, there.message + ", which changes its schema"};
}

// An index over a large table takes long.
Status PostgresWriter::migrate_patiently(std::string_view store_id) {
  base::log_info("store: its schema is made or changed, which may take long");
  struct Patient {
    PostgresWriter& writer;
    ~Patient() { writer.set_patient(false); }
  } patient{*this};
  set_patient(true);
  return migrate(*this, store_id);
}

Status PostgresWriter::bring_up_to_date(std::string_view store_id) {
  Error others;
  for (int attempt = 1; attempt <= kLockAttempts; ++attempt) {
    auto version = schema_version(*this);
    if (!version) return version.error();
    if (*version >= newest_schema(*this)) {
      if (auto known = migrate(*this, store_id); !known) return known;  // it may be too new
      return join();
    }
    auto alone = lock("pg_try_advisory_lock");
    if (!alone) return alone.error();
    if (*alone) {
      Status done = migrate_patiently(store_id);
      if (done) done = join();
      if (auto given = lock("pg_advisory_unlock"); done && !given) return given.error();
      return done;
    }
    others = others_there();
    pause();
  }
  return Error{others.code, others.message +
                                ", and its schema has to be changed for this version "
                                "of trialward: stop the others first"};
}

Status PostgresWriter::check_durability() {
  // For the session's life: a warning tells that a commit did not wait for its standby, and what is
  // found here must not be changed behind its back.
  auto pinned =
      execute(std::string("SELECT set_config('client_min_messages', 'warning', false), "
                          "set_config('idle_in_transaction_session_timeout', '") +
              kIdleMaxMs +
              "', false), "
              "set_config('synchronous_commit', current_setting('synchronous_commit'), false)");
  if (!pinned) return pinned;
  // Where the server knows it and nobody wants otherwise: what rules remember of a subject is some
  // 10 KB.
  auto compressed = execute(
      "SELECT set_config(name, 'lz4', false) FROM pg_settings "
      "WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals)");
  if (!compressed) return compressed;
  auto durability = postgres_durability(*this, name());
  if (!durability) return durability.error();
  durability_ = std::move(*durability);
  if (durability_.find(", 0 synchronous standbys") != durability_.npos) {
    base::log_warning("store: commits wait for a synchronous standby, and there is none now");
  }
  return {};
}

Status PostgresWriter::put(const RowShape& shape, std::span<const SqlValue> row) {
  for (const auto& rows : rows_) {
    if (&rows->shape() == &shape) return rows->add(row);
  }
  auto made = PostgresRows::open(*this, shape, watch_table(shape.table));
  if (!made) return made.error();
  rows_.push_back(std::move(*made));
  return rows_.back()->add(row);
}

Status PostgresWriter::about_to_run(const StatementKind& kind) {
  take_ends();
  if (sent_ && !sent_->alone) {
    return Error{Errc::retry, "the transaction before did not end as expected"};
  }
  if (kind.rolls_back) drop_rows();
  if (!writing_rows_) {
    if (auto done = write_rows(kind.tables); !done) return done;
  }
  for (const auto& rows : rows_) {
    if (auto done = rows->settle(); !done) return done;
  }
  return PostgresConnection::about_to_run(kind);
}

Status PostgresWriter::write_rows(std::uint64_t tables) {
  // Also when memory runs out in between.
  struct Writing {
    bool& now;
    ~Writing() { now = false; }
  } writing{writing_rows_};
  writing.now = true;
  for (const auto& rows : rows_) {
    if ((rows->table() & tables) == 0) continue;
    if (auto done = rows->write(); !done) return done;
  }
  return {};
}

void PostgresWriter::drop_rows() {
  for (const auto& rows : rows_) rows->drop();
}

// With all that is still to be written, in one way to the server and back.
Status PostgresWriter::commit(bool& unknown) {
  unknown = false;
  if (auto ready = about_to_run({.commits = true}); !ready) return ready;
  auto all = prepare_commit();
  if (!all) return all.error();
  unknown = true;  // should an exception end it
  auto done = end_of_commit(run_together(*all, Patience::commits), unknown);
  if (done) {
    last_turn_ = turn_;
  } else {
    forget_shapes_ = true;
  }
  return done;
}

Result<std::vector<PostgresStatement*>> PostgresWriter::prepare_commit() {
  ++mark_;
  ++turn_;
  last_turn_ = -1;  // unless it is known how it ends; the next turn finds out
  if (failed_transaction()) {
    return Error{Errc::invalid, "a statement of the transaction failed"};
  }
  std::vector<PostgresStatement*> all;
  for (const auto& rows : rows_) {
    auto insert = rows->encode();
    if (!insert) return insert.error();
    if (*insert != nullptr) all.push_back(*insert);
  }
  const auto add = [&](const char* sql, std::initializer_list<SqlValue> parameters) -> Status {
    auto statement = statement_of(sql);
    if (!statement) return statement.error();
    all.push_back(*statement);
    return (*statement)->encode(std::span(parameters.begin(), parameters.size()));
  };
  if (!news_.empty()) {
    const std::string notice = postgres_notice(session_, news_);
    if (auto done = add(kNotify, {std::string_view(notice)}); !done) return done.error();
  }
  Status done = add(kLeaveMarks, {Blob{session_}, mark_, base::SystemClock().utc_ms(), turn_});
  if (done) done = add("COMMIT", {});
  if (!done) return done.error();
  return all;
}

// Others may come at any time, and would wait in vain for a turn between two transactions that
// follow at once.
Result<bool> PostgresWriter::may_send_commit() {
  constexpr base::Duration kAskAgain = std::chrono::seconds(1);
  const base::TimePoint now = base::SystemClock().now();
  if (asked_ != base::TimePoint() && now - asked_ < kAskAgain) return only_node_;
  only_node_ = false;
  auto others = integer(kOtherNodes, {static_cast<std::int64_t>(PostgresLock::nodes)});
  if (!others) return others.error();
  asked_ = now;
  only_node_ = *others == 0;
  return only_node_;
}

Status PostgresWriter::send_commit(bool& unknown) {
  unknown = false;
  if (auto ready = about_to_run({.commits = true}); !ready) return ready;
  auto all = prepare_commit();
  if (!all) return all.error();
  auto next = prepare_begin();
  if (!next) return next.error();
  news_.clear();
  unknown = true;  // should an exception end it
  auto sent = send_groups({*all, *next});
  if (!sent) return end_of_commit(std::move(sent), unknown);
  sent_.emplace();
  return {};
}

bool PostgresWriter::commit_has_ended() {
  if (sent_) proceed(Waits::no);
  return !sent_ || sent_->ended;
}

void PostgresWriter::take_ends() {
  if (!sent_ || sent_->begun) return;
  proceed(Waits::yes);
  sent_->begun = true;
  if (!sent_->commit) return;
  try {
    ResultPointer row(nullptr, &PQclear);
    const auto begun = await_group(Patience::cancels, &row);
    const auto alone = begun ? take_turn(row) : Result<bool>(false);
    sent_->alone = alone && *alone;
  } catch (...) {
    close();
    throw;
  }
}

void PostgresWriter::proceed(Waits waits) {
  Sent& sent = *sent_;
  if (sent.ended) return;
  try {
    if (waits == Waits::no && !group_has_ended()) return;
    sent.commit = end_of_commit(await_group(Patience::commits), sent.unknown);
    if (sent.commit) {
      last_turn_ = turn_;
    } else {
      forget_shapes_ = true;
      (void)await_group(Patience::cancels);
    }
    sent.ended = true;
  } catch (...) {  // out of memory: what is still to come would be taken for something else's
    close();
    sent.ended = true;
    throw;
  }
}

Status PostgresWriter::await_commit(bool& unknown) {
  TW_CHECK(sent_);
  if (!sent_->ended) proceed(Waits::yes);
  unknown = sent_->unknown;
  if (sent_->commit) return {};
  return std::move(std::exchange(sent_, std::nullopt)->commit);
}

bool PostgresWriter::await_begin() {
  TW_CHECK(sent_);
  take_ends();
  return std::exchange(sent_, std::nullopt)->alone;
}

void PostgresWriter::tell(News news) {
  const char kind = static_cast<char>(news);
  if (news_.find(kind) == news_.npos) news_.push_back(kind);
}

Result<bool> PostgresWriter::begin_turn() {
  news_.clear();
  if (auto ready = about_to_run({.begins = true}); !ready) return ready.error();
  if (std::exchange(forget_shapes_, false)) rows_.clear();
  auto both = prepare_begin();
  if (!both) return both.error();
  ResultPointer row(nullptr, &PQclear);
  if (auto done = run_together(*both, Patience::cancels, &row); !done) return done.error();
  return take_turn(row);
}

Result<std::vector<PostgresStatement*>> PostgresWriter::prepare_begin() {
  std::vector<PostgresStatement*> both;
  for (const char* sql : {begin_sql(), kTakeTurn}) {
    auto statement = statement_of(sql);
    if (!statement) return statement.error();
    if (auto done = (*statement)->encode(std::span<const SqlValue>()); !done) return done.error();
    both.push_back(*statement);
  }
  return both;
}

Result<bool> PostgresWriter::take_turn(const ResultPointer& row) {
  if (PQntuples(row.get()) != 1) {
    return Error{Errc::corrupt, name() + " has lost the row of write_turn"};
  }
  const auto column = [&row](int index) {
    const auto length = static_cast<std::size_t>(PQgetlength(row.get(), 0, index));
    return postgres::decode(PQftype(row.get(), index), {PQgetvalue(row.get(), 0, index), length});
  };
  turn_ = std::get<std::int64_t>(column(0));
  return turn_ == last_turn_ && std::get<Blob>(column(1)).bytes == session_;
}

Status PostgresWriter::recover() {
  sent_.reset();
  drop_rows();
  forget_shapes_ = true;
  last_turn_ = -1;
  forget_interrupt();
  if (auto done = connect(); !done) return done;
  Status done = join();
  if (done) done = check_durability();
  if (!done) close();
  return done;
}

// With the turn taken the transaction has ended. Then what is there has been waited for as any
// commit is, also by a standby.
Result<bool> PostgresWriter::was_committed() {
  if (auto turn = begin_turn(); !turn) return turn.error();
  auto number = integer("SELECT coalesce((SELECT number FROM commit_marks WHERE session = $1), 0)",
                        {Blob{session_}});
  if (!number) return number.error();
  const bool there = *number == mark_;
  Status done =
      execute("UPDATE commit_marks SET at_ms = at_ms + 1 WHERE session = $1", {Blob{session_}});
  // Longer each time: with a standby that takes its time it would else ask for ever.
  set_commit_max(std::min(2 * commit_max(), kCommitAskedMost));
  bool unknown = false;
  if (done) done = PostgresConnection::commit(unknown);
  if (!done) return done.error();
  set_commit_max(usual_commit_max());
  return there;
}

}  // namespace trialward::store
