#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <unordered_map>

namespace trialward::store {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr int kStatementsMax = 256;  // distinct SQL texts a connection prepares
// The writer never meets a lock; a reader may, for the moment in which a WAL is recovered.
constexpr int kBusyTimeoutMs = 5000;
// The system keeps the file in memory as well, and SQLite looks through its whole cache with each
// commit that follows a B-tree page's split: a larger cache does not pay.
constexpr int kCacheKib = 16 << 10;
// There are several readers, and each that has read much keeps its cache full.
constexpr int kReaderCacheKib = 2 << 10;

Error error_of(sqlite3* db, int code) {
  const std::string text =
      db != nullptr ? sqlite3_errmsg(db) : std::string(sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return {Errc::conflict, text};
    case SQLITE_INTERRUPT: return {Errc::cancelled, text};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Errc::corrupt, text};
    // SQLite lets go of what it was doing, and is as it was.
    case SQLITE_NOMEM: return {Errc::refused, text};
    default: return {Errc::unavailable, text};
  }
}

// Whether the disk is at fault, and not what was asked of it.
bool is_of_disk(int code) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return true;
    default: return false;
  }
}

class SqliteStatement final : public Statement {
 public:
  // `disk_failed`: the connection's.
  SqliteStatement(sqlite3* db, sqlite3_stmt* statement, bool& disk_failed)
      : db_(db), statement_(statement), disk_failed_(disk_failed) {}
  ~SqliteStatement() override { sqlite3_finalize(statement_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  Status bind(std::span<const SqlValue> parameters) override {
    TW_CHECK(static_cast<int>(parameters.size()) == sqlite3_bind_parameter_count(statement_));
    sqlite3_clear_bindings(statement_);  // to NULL, all at once
    int index = 0;
    for (const SqlValue& value : parameters) {
      if (const int code = bind_one(++index, value); code != SQLITE_OK) return error_of(db_, code);
    }
    return {};
  }

  Result<bool> step() override {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    if (is_of_disk(code)) disk_failed_ = true;
    return error_of(db_, code);
  }

  int columns() const override { return sqlite3_column_count(statement_); }

  SqlValue column(int index) const override {
    const auto bytes = [&](const void* start) {
      const int size = sqlite3_column_bytes(statement_, index);
      return size == 0 ? std::string_view("")
                       : std::string_view(static_cast<const char*>(start),
                                          static_cast<std::size_t>(size));
    };
    switch (sqlite3_column_type(statement_, index)) {
      case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement_, index)};
      case SQLITE_FLOAT: return sqlite3_column_double(statement_, index);
      // As bytes, UTF-8 as they are: to end them with a zero could want memory that is not there.
      case SQLITE_TEXT: return bytes(sqlite3_column_blob(statement_, index));
      case SQLITE_BLOB: return Blob{bytes(sqlite3_column_blob(statement_, index))};
      default: return std::monostate{};
    }
  }

  void reset() override { sqlite3_reset(statement_); }

 private:
  // SQLITE_STATIC: Query resets the statement before the caller's views end, and a statement that
  // is bound anew before it runs never reads the old ones.
  int bind_one(int index, const SqlValue& value) {
    switch (value.index()) {
      case 1: return sqlite3_bind_int64(statement_, index, std::get<1>(value));
      case 2: return sqlite3_bind_double(statement_, index, std::get<2>(value));
      case 3: {
        const std::string_view text = std::get<3>(value);
        return sqlite3_bind_text64(statement_, index, text.data() != nullptr ? text.data() : "",
                                   text.size(), SQLITE_STATIC, SQLITE_UTF8);
      }
      case 4: {
        const std::string_view bytes = std::get<4>(value).bytes;
        return sqlite3_bind_blob64(statement_, index, bytes.data() != nullptr ? bytes.data() : "",
                                   bytes.size(), SQLITE_STATIC);
      }
      default:
        TW_CHECK(value.index() == 0);  // arrays are PostgreSQL's
        return SQLITE_OK;              // NULL it is
    }
  }

  sqlite3* db_;
  sqlite3_stmt* statement_;
  bool& disk_failed_;
};

class Implementation final : public SqliteConnection {
 public:
  explicit Implementation(sqlite3* db) : db_(db) {
    if (db_ == nullptr) return;
    const auto committed = [](void* self, sqlite3*, const char*, int frames) {
      static_cast<Implementation*>(self)->wal_frames_ = frames;
      return SQLITE_OK;
    };
    sqlite3_wal_hook(db_, committed, this);
  }
  ~Implementation() override {
    statements_.clear();
    sqlite3_close(db_);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  Status script(const std::string& sql) override {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? Status() : Status(error_of(db_, code));
  }

  void release_memory() override { sqlite3_db_release_memory(db_); }
  void interrupt() override { sqlite3_interrupt(db_); }

  Result<WalState> checkpoint(bool restart) override {
    int frames = 0;
    int done = 0;
    // A reader may hold the WAL back: then the rest is left for the next time, without waiting.
    sqlite3_busy_timeout(db_, 0);
    const int code = sqlite3_wal_checkpoint_v2(
        db_, nullptr, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, &frames,
        &done);
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    if (code != SQLITE_OK && code != SQLITE_BUSY) return error_of(db_, code);
    return WalState{frames, done};
  }

  // What a process before this one wrote into the WAL and failed to sync can be in the operating
  // system's cache alone, where it counts as written (Linux does that after an fsync that failed),
  // and no later sync writes it. SQLite reads it as committed, and a checkpoint would build on
  // frames that a power cut takes away: a malformed database. So all of the WAL is written again,
  // and synced, before anything is done.
  Status rewrite_wal() {
    constexpr std::int64_t kPiece = 64 << 10;  // SQLite's files take less than 128 KiB at once
    // With its first read SQLite opens the WAL.
    if (auto read = integer("SELECT count(*) FROM sqlite_schema"); !read) return read.error();
    sqlite3_file* wal = nullptr;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    TW_CHECK(wal != nullptr && wal->pMethods != nullptr);
    sqlite3_int64 size = 0;
    if (wal->pMethods->xFileSize(wal, &size) == SQLITE_OK && size == 0) return {};
    // So that nobody, not even a program that knows nothing of our lock, writes it meanwhile.
    if (auto begun = script("BEGIN IMMEDIATE"); !begun) return begun;
    int code = wal->pMethods->xFileSize(wal, &size);
    std::string piece;
    for (std::int64_t at = 0; code == SQLITE_OK && at < size; at += kPiece) {
      piece.resize(static_cast<std::size_t>(std::min<std::int64_t>(kPiece, size - at)));
      code = wal->pMethods->xRead(wal, piece.data(), static_cast<int>(piece.size()), at);
      if (code != SQLITE_OK) break;
      code = wal->pMethods->xWrite(wal, piece.data(), static_cast<int>(piece.size()), at);
    }
    if (code == SQLITE_OK) code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    const Status ended = script("ROLLBACK");
    if (code == SQLITE_OK) return ended;
    return Error{Errc::unavailable, std::string("the WAL cannot be written: ") +
                                        sqlite3_errstr(code)};
  }

  std::int64_t wal_frames() const override { return wal_frames_; }
  bool disk_failed() const override { return disk_failed_; }
  bool in_transaction() const override { return sqlite3_get_autocommit(db_) == 0; }

  // Whether the last call failed because a file may not be written or made.
  bool lacks_write_access() const {
    const int code = sqlite3_errcode(db_) & 0xff;
    return code == SQLITE_READONLY || code == SQLITE_CANTOPEN;
  }

  // What every connection to a file is set to, and checked for. Not for one that is `immutable`:
  // SQLite does not ask for its journal mode.
  Status configure(SqliteMode mode, bool immutable) {
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (mode == SqliteMode::writer) {
      auto set = script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
      if (!set) return set;
      if (auto is = expect("PRAGMA synchronous", "2"); !is) return is;
    }
    // The constructor's WAL hook has taken the place of automatic checkpoints.
    const int cache_kib = mode == SqliteMode::reader ? kReaderCacheKib : kCacheKib;
    auto set = script("PRAGMA cache_size=-" + std::to_string(cache_kib) + ";");
    if (!set || immutable || mode == SqliteMode::scratch) return set;
    return expect("PRAGMA journal_mode", "wal");
  }

  Status expect(const char* pragma, std::string_view expected) {
    auto run = query(pragma);
    if (!run) return run.error();
    auto row = run->next();
    if (!row) return row.error();
    const SqlValue value = *row ? run->value(0) : SqlValue{};
    const std::string found = value.index() == 1 ? std::to_string(std::get<1>(value))
                                                 : std::string(run->text(0));
    if (found == expected) return {};
    return Error{Errc::corrupt, std::string(pragma) + " is " + found + ", expected " +
                                    std::string(expected)};
  }

 protected:
  Result<Statement*> prepare(std::string_view sql) override {
    using Found = Result<Statement*>;
    // A text at the same place is nearly always the same text: to compare it costs less than to
    // hash it, and it is run for every record.
    Entry*& recent = recent_[reinterpret_cast<std::uintptr_t>(sql.data()) / 16 % recent_.size()];
    if (recent != nullptr && *recent->text == sql) return Found(recent->statement.get());
    if (const auto found = statements_.find(sql); found != statements_.end()) {
      recent = &found->second;
      return Found(recent->statement.get());
    }
    TW_CHECK(statements_.size() < kStatementsMax);
    auto text = std::make_unique<std::string>(sql);
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v3(db_, text->c_str(), static_cast<int>(text->size()) + 1,
                                        SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) {
      if (is_of_disk(code)) disk_failed_ = true;  // it reads the schema
      return error_of(db_, code);
    }
    // Until it has an owner: memory may run out here.
    std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> owned(made, &sqlite3_finalize);
    Entry entry{std::move(text), std::make_unique<SqliteStatement>(db_, made, disk_failed_)};
    (void)owned.release();
    const std::string_view key = *entry.text;
    recent = &statements_.emplace(key, std::move(entry)).first->second;
    return Found(recent->statement.get());
  }

 private:
  struct Entry {
    std::unique_ptr<std::string> text;  // what the key views
    std::unique_ptr<SqliteStatement> statement;
  };

  sqlite3* db_;
  bool disk_failed_ = false;
  std::unordered_map<std::string_view, Entry> statements_;
  std::array<Entry*, 64> recent_{};  // of statements_, by where their callers' texts are
  std::int64_t wal_frames_ = 0;
};

using Opened = Result<std::unique_ptr<Implementation>>;

// SQLite counts its memory under a lock that all its threads share, with each allocation; nobody
// asks for the count. Too late, and refused, when it is in use already.
void count_no_memory() {
  static const int asked = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(asked);
}

Opened open_file(const std::string& name, SqliteMode mode, bool immutable) {
  count_no_memory();
  int flags = SQLITE_OPEN_NOMUTEX;
  flags |= mode == SqliteMode::reader ? SQLITE_OPEN_READONLY
                                      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (mode == SqliteMode::scratch) flags |= SQLITE_OPEN_MEMORY;
  if (immutable) flags |= SQLITE_OPEN_URI;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, nullptr);
  auto connection = std::make_unique<Implementation>(db);  // also closes what failed to open
  if (code == SQLITE_OK) return connection;
  Error error = error_of(db, code);
  if (mode == SqliteMode::reader && (code & 0xff) == SQLITE_CANTOPEN) error.code = Errc::not_found;
  return error;
}

// The path as an URI that tells SQLite to expect no change, and so to need no PATH-shm.
std::string immutable_uri(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    switch (c) {
      case '%': uri += "%25"; break;
      case '?': uri += "%3f"; break;
      case '#': uri += "%23"; break;
      default: uri += c;
    }
  }
  return uri + "?immutable=1";
}

// A reader where PATH-shm can be neither written nor made.
Opened open_without_write_access(const std::string& path, const Error& why) {
  const std::string wal = path + "-wal";
  std::error_code error;
  const auto wal_bytes = std::filesystem::file_size(wal, error);
  if (error ? error != std::errc::no_such_file_or_directory : wal_bytes > 0) {
    return Error{why.code,
                 why.message + ": " + wal + " may hold what is not in the store's file yet, and is "
                 "read with the help of " + path + "-shm, which is missing and cannot be made: "
                 "copy the store and its -wal to a folder that can be written"};
  }
  auto connection = open_file(immutable_uri(path), SqliteMode::reader, true);
  if (!connection) return connection;
  if (auto set = (*connection)->configure(SqliteMode::reader, true); !set) return set.error();
  return connection;
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path,
                                                                 SqliteMode mode) {
  const auto failed = [&](const Error& error) {
    return Error{error.code, path + ": " + error.message};
  };
  auto connection = open_file(mode == SqliteMode::scratch ? ":memory:" : path, mode, false);
  if (!connection) return failed(connection.error());
  if (auto set = (*connection)->configure(mode, false); !set) {
    if (mode != SqliteMode::reader || !(*connection)->lacks_write_access()) {
      return failed(set.error());
    }
    connection = open_without_write_access(path, set.error());
    if (!connection) return failed(connection.error());
  }
  if (mode == SqliteMode::writer) {
    if (auto done = (*connection)->rewrite_wal(); !done) return failed(done.error());
  }
  return std::unique_ptr<SqliteConnection>(std::move(*connection));
}

}  // namespace trialward::store
