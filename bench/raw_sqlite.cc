// The raw-SQLite reference: how fast one thread stores the server's rows in SQLite, without a
// server around it. It has the server's schema, rows, audit chain, caches, durability (WAL,
// synchronous=FULL, a commit a batch) and checkpoints between transactions, but no HTTP, no tokens,
// no decoding, no rules, no look-up of duplicates and no threads: what it reaches bounds what the
// server can.
//
// The statements are prepared once and called through SQLite's C API; a row costs its bindings, two
// inserts and the SHA-256 of the chain, in the server's own form: `trialward verify` finds no fault
// in the audit trail, and then one in the subjects' watches, which are written as often as the
// server writes them but do not follow the records. --no-audit leaves the trail and the hash out,
// --no-states the subjects' states, to tell what each costs.
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "base/json_writer.h"
#include "bench/raw_rows.h"
#include "bench/times.h"
#include "store/chain.h"
#include "store/writer.h"

namespace trialward::bench {
namespace {

using store::SqlValue;

// As store::Writer does it. There is no reader here, so each checkpoint is a complete one and the
// WAL starts over with the next commit.
constexpr auto kCheckpointFrames = static_cast<int>(store::Writer::kCheckpointFrames);
constexpr int kCacheKib = 16 << 10;
constexpr std::size_t kSampleRecords = 50'000;  // 50 a subject: by then a watch is of full size
constexpr std::size_t kFillBatch = 10'000;

class Database {
 public:
  explicit Database(const std::string& path) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // as the store does; refused the second time
    check(
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, nullptr));
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;");
    run("PRAGMA cache_size=-" + std::to_string(kCacheKib) + ";");
    const auto committed = [](void* frames, sqlite3*, const char*, int count) {
      *static_cast<int*>(frames) = count;
      return SQLITE_OK;
    };
    sqlite3_wal_hook(db_, committed, &wal_frames_);
  }
  ~Database() { sqlite3_close_v2(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
  }
  void run(const std::string& sql) {
    check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  void checkpoint(int mode) {
    check(sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr));
  }
  int wal_frames() const { return wal_frames_; }
  sqlite3* handle() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
  int wal_frames_ = 0;  // as of the last commit
};

// What is bound stays where it is until the statement has run.
class Prepared {
 public:
  Prepared(Database& database, std::string_view sql) : database_(database) {
    database_.check(sqlite3_prepare_v3(database_.handle(), sql.data(),
                                       static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                       &statement_, nullptr));
  }
  ~Prepared() { sqlite3_finalize(statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  void bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void bind(int index, std::string_view text) {
    sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(int index, const base::Digest& digest) {
    sqlite3_bind_blob(statement_, index, digest.data(), static_cast<int>(digest.size()),
                      SQLITE_STATIC);
  }
  void bind(int index, const SqlValue& value) {
    switch (value.index()) {
      case 1: return bind(index, std::get<1>(value));
      case 2: sqlite3_bind_double(statement_, index, std::get<2>(value)); return;
      case 3: return bind(index, std::get<3>(value));
      case 4: {
        const std::string_view bytes = std::get<4>(value).bytes;
        sqlite3_bind_blob(statement_, index, bytes.data(), static_cast<int>(bytes.size()),
                          SQLITE_STATIC);
        return;
      }
      default: sqlite3_bind_null(statement_, index);
    }
  }
  void run() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_DONE) database_.check(code);
    sqlite3_reset(statement_);
  }

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

struct Options {
  std::string path;
  std::string study = TRIALWARD_SOURCE "/studies/demo";
  std::size_t batch = 64;
  double seconds = 10;
  std::size_t rows_before = 0;
  int checkpoint_frames = kCheckpointFrames;
  bool no_audit = false, no_states = false;
  bool json = false;
};

class RawWriter {
 public:
  RawWriter(const Options& options, Sample sample)
      : options_(options),
        database_(options.path),
        sample_(std::move(sample)),
        rows_(sample_, 0, 1, !options.no_audit) {
    audit_.bind(6, std::string_view("record.stored"));
    audit_.bind(7, std::string_view("records"));
  }

  // One transaction; gives the milliseconds of its COMMIT.
  double store(std::size_t rows) {
    begin_.run();
    const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count();
    for (std::size_t i = 0; i < rows; ++i) append(now_ms);
    write_states();
    write_heads();
    const int frames_before = database_.wal_frames();
    const auto begun = SteadyClock::now();
    commit_.run();
    const double took_ms = ms_since(begun);
    const int frames = database_.wal_frames();
    // After a checkpoint the WAL starts over.
    pages_written_ += frames > frames_before ? frames - frames_before : frames;
    return took_ms;
  }
  // Pages that commits have written to the WAL.
  std::int64_t pages_written() const { return pages_written_; }
  // Between transactions; gives the milliseconds it took, 0 when none was due.
  double checkpoint() {
    if (database_.wal_frames() < options_.checkpoint_frames) return 0;
    const auto begun = SteadyClock::now();
    database_.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    return ms_since(begun);
  }
  // Empties the WAL file.
  void truncate() { database_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE); }

 private:
  void append(std::int64_t now_ms) {
    const RawRow row = rows_.next(now_ms);
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      record_.bind(static_cast<int>(i) + 1, row.values[i]);
    }
    record_.run();
    if (options_.no_audit) return;
    audit_.bind(1, row.entry.seq);
    audit_.bind(2, std::int64_t{row.entry.shard});
    audit_.bind(3, row.entry.position);
    audit_.bind(4, now_ms);
    audit_.bind(5, row.entry.actor);
    audit_.bind(8, row.entry.object);
    audit_.bind(10, row.hash);
    audit_.run();
  }
  // In the order of their keys, so that a page is sought once.
  void write_states() {
    rows_.take_states([&](std::int64_t subject, std::int64_t record) {
      if (options_.no_states) return;
      state_.bind(1, subject);
      state_.bind(2, record);
      state_.run();
    });
  }
  void write_heads() {
    rows_.take_heads([&](std::int64_t shard, const store::ChainHead& head) {
      head_.bind(1, shard);
      head_.bind(2, head.position);
      head_.bind(3, head.hash);
      head_.run();
    });
  }

  const Options options_;
  Database database_;
  Sample sample_;
  RawRows rows_;
  std::int64_t pages_written_ = 0;

  Prepared begin_{database_, "BEGIN IMMEDIATE"};
  Prepared commit_{database_, "COMMIT"};
  Prepared record_{database_, store::info(store::Table::records).shape.sql};
  Prepared audit_{database_,
                  "INSERT INTO audit (seq, shard, position, at_ms, actor, action, object_table, "
                  "object, reason, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
  Prepared state_{database_,
                  "INSERT INTO subject_states (subject, last_record) VALUES ($1, $2) "
                  "ON CONFLICT (subject) DO UPDATE SET last_record = excluded.last_record"};
  Prepared head_{database_,
                 "INSERT INTO shards (shard, position, hash) VALUES ($1, $2, $3) ON CONFLICT "
                 "(shard) DO UPDATE SET position = excluded.position, hash = excluded.hash"};
};

struct Report {
  std::size_t rows = 0;
  std::int64_t pages = 0;  // written to the WAL
  double seconds = 0;
  Times commits, checkpoints, batches;
};

void fill(RawWriter& writer, std::size_t rows) {
  for (std::size_t left = rows; left > 0;) {
    const std::size_t batch = std::min(left, kFillBatch);
    writer.store(batch);
    writer.checkpoint();
    left -= batch;
  }
  writer.truncate();
}

Report measure(RawWriter& writer, const Options& options) {
  Report report;
  const std::int64_t pages_before = writer.pages_written();
  const auto begun = SteadyClock::now();
  while (report.seconds < options.seconds) {
    const auto batch_begun = SteadyClock::now();
    report.commits.add(writer.store(options.batch));
    if (const double took_ms = writer.checkpoint(); took_ms > 0) report.checkpoints.add(took_ms);
    report.batches.add(ms_since(batch_begun));
    report.rows += options.batch;
    report.seconds = ms_since(begun) / 1000;
  }
  report.pages = writer.pages_written() - pages_before;
  return report;
}

std::string to_json(Report& report, const Options& options) {
  // The WAL file never shrinks while it is measured.
  const auto bytes = [](const std::string& path) {
    return static_cast<std::int64_t>(std::filesystem::file_size(path));
  };
  base::JsonWriter json;
  json.begin_object()
      .member("batch", static_cast<std::int64_t>(options.batch))
      .member("audit", !options.no_audit)
      .member("states", !options.no_states)
      .member("checkpoint_frames", options.checkpoint_frames)
      .member("rows_before", static_cast<std::int64_t>(options.rows_before))
      .member("rows", static_cast<std::int64_t>(report.rows))
      .member("pages", report.pages)
      .member("seconds", report.seconds)
      .member("rows_per_s", static_cast<double>(report.rows) / report.seconds);
  report.commits.write(json, "commit_ms");
  report.checkpoints.write(json, "checkpoint_ms");
  report.batches.write(json, "batch_ms");
  json.member("wal_bytes_max", bytes(options.path + "-wal"))
      .member("db_bytes", bytes(options.path))
      .member("sqlite", sqlite3_libversion());
  return json.end_object().take();
}

std::string to_text(Report& report) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(0)
       << static_cast<double>(report.rows) / report.seconds << " rows/s, commit p50 "
       << std::setprecision(2) << report.commits.quantile(0.5) << " ms, p99 "
       << report.commits.quantile(0.99) << " ms, max " << report.commits.quantile(1)
       << " ms; with checkpoint p99.9 " << report.batches.quantile(0.999) << " ms, max "
       << report.batches.quantile(1) << " ms; "
       << static_cast<double>(report.pages) / static_cast<double>(report.rows)
       << " pages a row; " << report.checkpoints.count() << " checkpoints";
  return text.str();
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Stores the server's rows with SQLite alone and tells how fast that is.");
  app.add_option("--db", options.path, "The database to make; no file may be there")
      ->required()
      ->check(CLI::NonexistentPath);
  app.add_option("--study", options.study, "Folder of a study definition")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Rows in a transaction")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long it is measured")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app.add_option("--rows-before", options.rows_before,
                 "Rows to store before it is measured, 50,000 at the least");
  app.add_flag("--no-audit", options.no_audit, "Store no audit trail, and hash nothing");
  app.add_flag("--no-states", options.no_states, "Store no states of the subjects");
  app.add_option("--checkpoint-frames", options.checkpoint_frames,
                 "Pages in the WAL from which on it is checkpointed")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print one line of JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto sample = make_sample(options.path, options.study, kSampleRecords);
  if (!sample) throw std::runtime_error(sample.error().message);
  RawWriter writer(options, std::move(*sample));
  options.rows_before = std::max(options.rows_before, kSampleRecords);
  fill(writer, options.rows_before - kSampleRecords);
  Report report = measure(writer, options);
  std::cout << (options.json ? to_json(report, options) : to_text(report)) << std::endl;
  return 0;
}

}  // namespace
}  // namespace trialward::bench

int main(int argc, char** argv) {
  try {
    return trialward::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "raw_sqlite: " << error.what() << '\n';
    return 1;
  }
}
