// The raw-PostgreSQL reference: how fast one connection, or two, store the server's rows in
// PostgreSQL, without a server around them. As raw_sqlite: the server's schema, rows, audit chain
// and durability (a COMMIT a batch, fsync), but no HTTP, no tokens, no decoding, no rules, no
// look-up of duplicates.
//
// A batch is one round trip of libpq's pipeline mode, with an array of rows and INSERT … SELECT
// FROM unnest for each table; while the server works on it the next one is made. Two connections
// have a thread each, and each half of the shards.
#include <libpq-fe.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "base/json_writer.h"
#include "bench/raw_rows.h"
#include "bench/times.h"
#include "store/postgres_values.h"

namespace trialward::bench {
namespace {

using store::SqlValue;
namespace postgres = store::postgres;

constexpr std::size_t kSampleRecords = 50'000;  // as raw_sqlite
constexpr std::string_view kAuditColumns =
    "seq, shard, position, at_ms, actor, action, object_table, object, reason, hash";

struct Options {
  std::string url;
  std::string study = TRIALWARD_SOURCE "/studies/demo";
  std::size_t batch = 512;
  std::size_t connections = 1;
  double seconds = 10;
};

class Session {
 public:
  explicit Session(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    check(PQstatus(connection_.get()) == CONNECTION_OK);
    run("SET search_path = trialward; SET enable_seqscan = off; SET jit = off");
  }
  void check(bool ok) const {
    if (!ok) throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
  std::vector<std::vector<std::string>> run(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    check(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
    std::vector<std::vector<std::string>> rows;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      auto& row = rows.emplace_back();
      for (int j = 0; j < PQnfields(result.get()); ++j) {
        row.push_back(PQgetvalue(result.get(), i, j));
      }
    }
    return rows;
  }
  pg_conn* handle() const { return connection_.get(); }

 private:
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
};

// INSERT into one table, of many rows at once.
class Insert {
 public:
  // `keys`: of the first columns; 0: no row takes another's place.
  Insert(Session& session, const std::string& table, std::string_view columns, std::size_t keys)
      : session_(session), name_(table) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < columns.size();) {
      const std::size_t end = std::min(columns.find(", ", at), columns.size());
      names.emplace_back(columns.substr(at, end - at));
      at = end + 2;
    }
    std::string sql = "INSERT INTO " + table + " (" + std::string(columns) + ") SELECT " +
                      std::string(columns) + " FROM unnest($1::" + table + "[])";
    for (const auto& column : session.run(
             "SELECT a.attname, a.atttypid, t.oid, t.typarray FROM pg_attribute a "
             "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = c.reltype "
             "WHERE c.oid = to_regclass('" + table + "') AND a.attnum > 0 ORDER BY a.attnum")) {
      const auto place = std::find(names.begin(), names.end(), column[0]) - names.begin();
      columns_.push_back({oid(column[1]), static_cast<std::size_t>(place)});
      row_type_ = oid(column[2]);
      array_type_ = oid(column[3]);
    }
    for (std::size_t i = 0; i < names.size() && keys > 0; ++i) {
      if (i == 0) sql += " ON CONFLICT (" + names[0] + ") DO UPDATE SET ";
      if (i >= keys) sql += (i > keys ? ", " : "") + names[i] + " = excluded." + names[i];
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> prepared(
        PQprepare(session.handle(), name_.c_str(), sql.c_str(), 1, &array_type_), &PQclear);
    session.check(PQresultStatus(prepared.get()) == PGRES_COMMAND_OK);
  }
  void add(std::span<const SqlValue> row) {
    if (rows_++ == 0) postgres::append_array_head(bytes_, row_type_);
    postgres::RowOfArray to(bytes_, columns_.size());
    for (const auto& [type, place] : columns_) to.add(type, row[place]);
  }
  void add(std::initializer_list<SqlValue> row) { add(std::span(row.begin(), row.size())); }
  void send() {
    if (rows_ == 0) return;
    postgres::set_array_size(bytes_, rows_);
    const char* const value = bytes_.data();
    const int length = static_cast<int>(bytes_.size()), format = 1;
    session_.check(PQsendQueryPrepared(session_.handle(), name_.c_str(), 1, &value, &length,
                                       &format, 1) == 1);
    bytes_.clear();
    rows_ = 0;
  }

 private:
  static Oid oid(const std::string& text) { return static_cast<Oid>(std::stoul(text)); }

  Session& session_;
  const std::string name_;
  std::vector<std::pair<Oid, std::size_t>> columns_;  // the table's, and their places in a row
  Oid row_type_ = 0, array_type_ = 0;
  std::string bytes_;
  std::size_t rows_ = 0;
};

class RawWriter {
 public:
  RawWriter(const Options& options, const Sample& sample, std::size_t part)
      : session_(options.url), rows_(sample, part, options.connections, true) {
    session_.check(PQenterPipelineMode(session_.handle()) == 1);
  }
  // Fills the arrays of a batch, while the server may be at work on the last one.
  void make(std::size_t rows) {
    const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count();
    for (std::size_t i = 0; i < rows; ++i) {
      const RawRow row = rows_.next(now_ms);
      records_.add(row.values);
      audit_.add({row.entry.seq, std::int64_t{row.entry.shard}, row.entry.position, now_ms,
                  row.entry.actor, row.entry.action, row.entry.object_table, row.entry.object,
                  store::sql_null(), store::Blob{base::as_bytes(row.hash)}});
    }
    rows_.take_states([&](std::int64_t subject, std::int64_t record) {
      states_.add({subject, record});
    });
    rows_.take_chain_ends([&](std::int64_t part, std::string_view heads) {
      heads_.add({part, store::Blob{heads}});
    });
  }
  void send() {
    statement("BEGIN");
    for (Insert* insert : {&records_, &audit_, &states_, &heads_}) insert->send();
    statement("COMMIT");
    session_.check(PQpipelineSync(session_.handle()) == 1);
    begun_ = SteadyClock::now();
  }
  // Waits until it is durable; gives the milliseconds since it was sent.
  double finish() {
    int synced = 0;
    while (synced == 0) {
      const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(session_.handle()),
                                                                  &PQclear);
      if (result == nullptr) continue;  // between two statements
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_PIPELINE_SYNC) ++synced;
      session_.check(status == PGRES_PIPELINE_SYNC || status == PGRES_COMMAND_OK);
    }
    return ms_since(begun_);
  }

 private:
  void statement(const char* sql) {
    session_.check(PQsendQueryParams(session_.handle(), sql, 0, nullptr, nullptr, nullptr, nullptr,
                                     1) == 1);
  }

  Session session_;
  RawRows rows_;
  Insert records_{session_, "records", store::info(store::Table::records).columns, 0};
  Insert audit_{session_, "audit", kAuditColumns, 0};
  Insert states_{session_, "subject_states", "subject, last_record", 1};
  Insert heads_{session_, "chain_ends", "part, heads", 1};
  SteadyClock::time_point begun_;
};

struct Report {
  std::size_t rows = 0;
  double seconds = 0;
  Times batches;  // from sending to being durable
  std::string failed;
};

void measure(RawWriter& writer, const Options& options, Report& report) {
  const auto begun = SteadyClock::now();
  writer.make(options.batch);
  while (report.seconds < options.seconds) {
    writer.send();
    writer.make(options.batch);
    report.batches.add(writer.finish());
    report.rows += options.batch;
    report.seconds = ms_since(begun) / 1000;
  }
}

std::string to_json(std::vector<Report>& reports, const Options& options) {
  base::JsonWriter json;
  double rate = 0;
  std::size_t rows = 0;
  for (const Report& report : reports) {
    rate += static_cast<double>(report.rows) / report.seconds;
    rows += report.rows;
  }
  json.begin_object()
      .member("batch", static_cast<std::int64_t>(options.batch))
      .member("connections", static_cast<std::int64_t>(options.connections))
      .member("rows", static_cast<std::int64_t>(rows))
      .member("rows_per_s", rate);
  reports.front().batches.write(json, "batch_ms");
  return json.end_object().take();
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Stores the server's rows with PostgreSQL alone and tells how fast that is.");
  app.add_option("--db", options.url, "A PostgreSQL database without a store in it, as a URL")
      ->required();
  app.add_option("--study", options.study, "Folder of a study definition")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Rows in a transaction")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Each with a thread")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long it is measured")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto sample = make_sample(options.url, options.study, kSampleRecords);
  if (!sample) throw std::runtime_error(sample.error().message);
  std::vector<std::unique_ptr<RawWriter>> writers;
  for (std::size_t part = 0; part < options.connections; ++part) {
    writers.push_back(std::make_unique<RawWriter>(options, *sample, part));
  }
  std::vector<Report> reports(options.connections);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      threads.emplace_back([&writer = *writers[i], &report = reports[i], &options] {
        try {
          measure(writer, options, report);
        } catch (const std::exception& error) {
          report.failed = error.what();
        }
      });
    }
  }
  for (const Report& report : reports) {
    if (!report.failed.empty()) throw std::runtime_error(report.failed);
  }
  std::cout << to_json(reports, options) << std::endl;
  return 0;
}

}  // namespace
}  // namespace trialward::bench

int main(int argc, char** argv) {
  try {
    return trialward::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "raw_postgres: " << error.what() << '\n';
    return 1;
  }
}
