#include "records/verify.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "records/audit_scan.h"
#include "records/cache_check.h"
#include "records/outbox_check.h"
#include "records/row_name.h"
#include "records/storm_check.h"
#include "records/subscription_check.h"
#include "records/watch_check.h"
#include "store/stopped_by.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using store::Table;

namespace {

constexpr std::int64_t kAlertsPerPage = 500;
constexpr std::size_t kStoreIdChars = 32;

// One run over a store. Each step's error is either the first bad entry (corrupt) or the end.
class Run {
 public:
  Run(store::Connection& reader, const VerifyOptions& options, VerifyReport& report)
      : reader_(reader), options_(options), report_(report) {}

  Status all();

 private:
  // What was there when the run began.
  struct Beginning {
    std::int64_t last_seq = 0;
    std::array<std::int64_t, store::kTables> last_ids{};
    HeadRows heads;
  };

  Status check_schema();
  Status read_meta();
  Status read_beginning();
  Status read_ends();
  Status scan_audit(AuditScan& scan);
  Status find_unnamed(const AuditScan& scan);
  Status find_row(Table table, std::int64_t from, std::int64_t to);  // there must be none
  Status check_file();
  Status check_caches(const AuditScan& scan);
  Status check_watches(const AuditScan& scan);
  Status pace(std::string_view step, std::int64_t done, std::int64_t total) const;

  store::Connection& reader_;
  const VerifyOptions& options_;
  VerifyReport& report_;
  Beginning beginning_;
};

Status Run::pace(std::string_view step, std::int64_t done, std::int64_t total) const {
  if (options_.cancel.fired()) return Error{Errc::cancelled, "stopped"};
  if (options_.progress) options_.progress({step, done, total});
  return {};
}

Status Run::all() {
  if (auto done = check_schema(); !done) return done;
  if (auto done = read_meta(); !done) return done;
  if (auto done = read_beginning(); !done) return done;
  AuditScan scan(reader_, options_.heads, report_.store_id);
  if (auto done = scan_audit(scan); !done) return done;
  if (auto done = find_unnamed(scan); !done) return done;
  if (auto done = check_file(); !done) return done;
  if (auto done = check_caches(scan); !done) return done;
  return check_watches(scan);
}

// Without an index the writer would no longer be held to what is unique; a trigger could change
// history with each row that comes in.
Status Run::check_schema() {
  auto version = store::schema_version(reader_);
  if (!version) return version.error();
  const int newest = store::newest_schema(reader_);
  if (*version != newest) {
    return bad("the schema", "it has version " + std::to_string(*version) + ", not " +
                                 std::to_string(newest));
  }
  auto own = store::own_schema(reader_);
  if (!own) return own.error();
  auto found = store::read_schema(reader_);
  if (!found) return found.error();
  const auto name = [](const store::SchemaObject& object) {
    return object.type + " " + quoted(object.name);
  };
  const auto same = [](const store::SchemaObject& a, const store::SchemaObject& b) {
    return a.type == b.type && a.name == b.name;
  };
  for (const store::SchemaObject& expected : *own) {
    const auto there = std::find_if(found->begin(), found->end(), [&](const auto& object) {
      return same(object, expected);
    });
    if (there == found->end()) return bad("the schema", name(expected) + " is missing");
    if (there->table != expected.table || there->sql != expected.sql) {
      return bad("the schema", name(expected) + " is not as it was made");
    }
    found->erase(there);
  }
  if (found->empty()) return {};
  const store::SchemaObject& alien = found->front();
  const std::string on = alien.table == alien.name ? "" : " on " + quoted(alien.table);
  return bad("the schema", name(alien) + on + " is none of a store's");
}

Status Run::read_meta() {
  auto rows = reader_.query("SELECT key, value FROM meta");
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) break;
    if (rows->text(0) != "store_id") {
      return bad("meta", "there is no such key: " + quoted(rows->text(0)));
    }
    report_.store_id = std::string(rows->text(1));
  }
  const std::string& id = report_.store_id;
  if (id.size() == kStoreIdChars && id.find_first_not_of("0123456789abcdef") == std::string::npos) {
    return {};
  }
  return bad("meta", quoted(id) + " is not a store_id");
}

Status Run::read_beginning() {
  if (auto begun = reader_.execute("BEGIN"); !begun) return begun;
  Status done = read_ends();
  if (auto ended = reader_.execute("COMMIT"); !ended && done) done = ended;
  return done;
}

Status Run::read_ends() {
  auto seq = reader_.integer("SELECT coalesce(max(seq), 0) FROM audit");
  if (!seq) return seq.error();
  beginning_.last_seq = std::max<std::int64_t>(*seq, 0);
  for (const Table table : store::all_tables()) {
    const std::string sql =
        "SELECT coalesce(max(id), 0) FROM " + std::string(store::info(table).name);
    auto last = reader_.integer(sql);
    if (!last) return last.error();
    beginning_.last_ids[static_cast<std::size_t>(table)] = *last;
  }
  auto heads = read_head_rows(reader_);
  if (!heads) return heads.error();
  beginning_.heads = std::move(*heads);
  return {};
}

Status Run::scan_audit(AuditScan& scan) {
  Status done;
  do {
    done = pace("audit trail", scan.seq(), beginning_.last_seq);
    if (done) done = scan.read_page(beginning_.last_seq);
  } while (done && scan.seq() < beginning_.last_seq);
  report_.entries = scan.seq();
  report_.rows = scan.rows();
  report_.heads = scan.heads();
  report_.newest_head = scan.newest_head();
  if (done) done = scan.check_tail();
  if (!done) return done;
  auto first = reader_.integer("SELECT seq FROM audit WHERE seq < 1 LIMIT 1");
  if (first) {
    return bad("audit entry " + std::to_string(*first), "entries are numbered from 1");
  }
  return first.error().code == Errc::not_found ? Status() : Status(first.error());
}

Status Run::find_unnamed(const AuditScan& scan) {
  for (const Table table : store::all_tables()) {
    const std::int64_t named = scan.rows()[static_cast<std::size_t>(table)];
    const std::int64_t last = beginning_.last_ids[static_cast<std::size_t>(table)];
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    for (const auto& [from, to] :
         {std::pair(kLeast, std::int64_t{0}), std::pair(named + 1, last)}) {
      if (auto done = find_row(table, from, to); !done) return done;
    }
  }
  return {};
}

Status Run::find_row(Table table, std::int64_t from, std::int64_t to) {
  const store::TableInfo& info = store::info(table);
  const std::string sql = "SELECT " + std::string(info.columns) + " FROM " +
                          std::string(info.name) +
                          " WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 1";
  auto rows = reader_.query(sql, {from, to});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return {};
  std::vector<store::SqlValue> values;
  for (int i = 0; i < rows->columns(); ++i) values.push_back(rows->value(i));
  return bad(row_name(table, rows->integer(0), values), "no audit entry names this row");
}

Status Run::check_file() {
  if (auto done = pace("file and indexes", 0, 0); !done) return done;
  auto damage = store::find_damage(reader_);
  if (!damage) return damage.error();
  return damage->empty() ? Status() : bad("the database file", printable(*damage));
}

Status Run::check_caches(const AuditScan& scan) {
  if (auto done = check_head_rows(beginning_.heads, scan); !done) return done;
  const std::int64_t alerts = scan.rows()[static_cast<std::size_t>(Table::alerts)];
  for (std::int64_t first = 1; first <= alerts; first += kAlertsPerPage) {
    if (auto done = pace("alerts", first - 1, alerts); !done) return done;
    const std::int64_t last = std::min(alerts, first + kAlertsPerPage - 1);
    if (auto done = check_alerts(reader_, first, last); !done) return done;
  }
  if (auto done = check_storms(reader_); !done) return done;
  if (auto done = check_subscriptions(reader_); !done) return done;
  if (auto done = check_stray_alert_rows(reader_); !done) return done;
  OutboxCheck outbox(reader_);
  while (true) {
    if (auto done = pace("outbox", 0, 0); !done) return done;
    auto more = outbox.check_next();
    if (!more) return more.error();
    if (!*more) return {};
  }
}

Status Run::check_watches(const AuditScan& scan) {
  WatchCheck check(reader_, options_.load_monitor, scan.last_records(),
                   scan.rows()[static_cast<std::size_t>(Table::records)]);
  while (true) {
    auto done = pace("subjects", check.checked(), std::ssize(scan.last_records()));
    if (!done) return done;
    auto more = check.check_next();
    report_.watches = check.watches();
    report_.watches_unknown = check.unknown();
    if (!more) return more.error();
    if (!*more) return check.check_stray();
  }
}

}  // namespace

Result<VerifyReport> verify(store::Connection& reader, const VerifyOptions& options) {
  const store::StoppedBy stopping(options.cancel, reader);
  VerifyReport report;
  const Status done = Run(reader, options, report).all();
  if (done) return report;
  if (done.error().code != Errc::corrupt) return done.error();
  report.bad = done.error().message;
  return report;
}

}  // namespace trialward::records
