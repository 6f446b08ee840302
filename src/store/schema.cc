#include "store/schema.h"

#include <algorithm>
#include <string>

#include "store/postgres_schema.h"
#include "store/sqlite.h"

namespace trialward::store {
namespace {

constexpr const char* kMigration1 = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, shard INTEGER NOT NULL, position INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  object_table TEXT NOT NULL, object INTEGER NOT NULL, reason TEXT, hash BLOB NOT NULL) STRICT;
CREATE TABLE shards (
  shard INTEGER PRIMARY KEY, position INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;

CREATE TABLE studies (id INTEGER PRIMARY KEY, study TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE definitions (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, hash TEXT NOT NULL, files TEXT NOT NULL,
  loaded_ms INTEGER NOT NULL, UNIQUE (study, hash)) STRICT;
CREATE TABLE subjects (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, subject TEXT NOT NULL, site TEXT NOT NULL,
  enrolled_ms INTEGER NOT NULL, UNIQUE (study, subject)) STRICT;

CREATE TABLE records (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, source TEXT NOT NULL, source_id TEXT NOT NULL,
  subject INTEGER NOT NULL, site TEXT NOT NULL, kind INTEGER NOT NULL, code TEXT NOT NULL,
  system TEXT, number REAL, number_text TEXT, text TEXT, unit TEXT, not_done TEXT,
  low_text TEXT, high_text TEXT, effective TEXT, from_ms INTEGER, until_ms INTEGER,
  device_ms INTEGER, sent_ms INTEGER, author TEXT, visit TEXT, baseline INTEGER,
  serious INTEGER, severity TEXT, attributes TEXT, amends INTEGER, reason TEXT,
  flags INTEGER NOT NULL, version INTEGER NOT NULL, received_ms INTEGER NOT NULL,
  actor TEXT NOT NULL, definition INTEGER NOT NULL, shard INTEGER NOT NULL,
  position INTEGER NOT NULL, previous INTEGER, content BLOB NOT NULL,
  original BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX records_source ON records (study, source, source_id);
CREATE UNIQUE INDEX records_amends ON records (amends) WHERE amends IS NOT NULL;
CREATE TABLE subject_states (
  subject INTEGER PRIMARY KEY, last_record INTEGER NOT NULL, rules TEXT, watch BLOB) STRICT;

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, subject INTEGER NOT NULL, site TEXT NOT NULL,
  rule TEXT NOT NULL, rule_version INTEGER NOT NULL, title TEXT NOT NULL,
  join_group TEXT NOT NULL, severity TEXT NOT NULL, definition INTEGER NOT NULL,
  raised_ms INTEGER NOT NULL) STRICT;
CREATE TABLE alert_events (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, number INTEGER NOT NULL,
  alert INTEGER NOT NULL, type TEXT NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
  note TEXT, causes TEXT NOT NULL, UNIQUE (study, number)) STRICT;
CREATE INDEX alert_events_alert ON alert_events (alert);
CREATE TABLE alert_heads (study INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
CREATE TABLE alert_causes (
  alert INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (alert, record)
  ) STRICT, WITHOUT ROWID;
CREATE INDEX alert_causes_record ON alert_causes (record);
CREATE TABLE open_alerts (
  subject INTEGER NOT NULL, rule TEXT NOT NULL, join_group TEXT NOT NULL,
  alert INTEGER NOT NULL, PRIMARY KEY (subject, rule, join_group)) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
  study INTEGER NOT NULL, site TEXT, subject TEXT, source TEXT, unblinded INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, expires_ms INTEGER) STRICT;
CREATE TABLE token_revocations (
  id INTEGER PRIMARY KEY, token INTEGER NOT NULL UNIQUE, revoked_ms INTEGER NOT NULL) STRICT;
)sql";

// What is remembered of a subject is written less often than the place of its newest record.
constexpr const char* kMigration2 = R"sql(
CREATE TABLE subject_watches (
  subject INTEGER PRIMARY KEY, as_of INTEGER NOT NULL, rules TEXT NOT NULL, watch BLOB NOT NULL)
  STRICT;
INSERT INTO subject_watches
  SELECT subject, last_record, coalesce(rules, ''), coalesce(watch, x'') FROM subject_states;
ALTER TABLE subject_states DROP COLUMN rules;
ALTER TABLE subject_states DROP COLUMN watch;
)sql";

// What is to be delivered of alert events, and what became of it. Ids are never used again, though
// rows go: what is written down of one must not be taken for another's.
constexpr const char* kOutboxMigration = R"sql(
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, study INTEGER NOT NULL, event INTEGER NOT NULL,
  alert INTEGER NOT NULL, subject INTEGER NOT NULL, target TEXT NOT NULL, state INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, settled_ms INTEGER,
  UNIQUE (event, target)) STRICT;
CREATE INDEX outbox_pending ON outbox (target, id) WHERE state = 0;
CREATE INDEX outbox_subject ON outbox (target, subject, id) WHERE state = 0;
CREATE INDEX outbox_dead ON outbox (target, id) WHERE state = 2;
CREATE INDEX outbox_settled ON outbox (settled_ms) WHERE state IN (1, 3);
CREATE TABLE outbox_attempts (
  delivery INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL, status INTEGER NOT NULL, duration_ms INTEGER NOT NULL, error TEXT,
  PRIMARY KEY (delivery, number)) STRICT, WITHOUT ROWID;
CREATE TABLE delivery_outcomes (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, event INTEGER NOT NULL, alert INTEGER NOT NULL,
  target TEXT NOT NULL, outcome TEXT NOT NULL, attempts INTEGER NOT NULL, at_ms INTEGER NOT NULL)
  STRICT;
CREATE INDEX delivery_outcomes_alert ON delivery_outcomes (alert);
)sql";

// What became of an alert was told by whether it was open. since_ms is on the clock that does not
// jump, so that of an alert from before is found when the store is next used (store/boot_row.h).
constexpr const char* kLifeMigration = R"sql(
CREATE TABLE alert_details (
  id INTEGER PRIMARY KEY, event INTEGER NOT NULL UNIQUE, detail TEXT NOT NULL) STRICT;
CREATE TABLE alert_states (
  alert INTEGER PRIMARY KEY, study INTEGER NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL,
  waits INTEGER NOT NULL, tier INTEGER NOT NULL, since_ms INTEGER NOT NULL,
  since_utc_ms INTEGER NOT NULL, holds INTEGER NOT NULL, historical INTEGER NOT NULL,
  takes_causes INTEGER NOT NULL, storm INTEGER NOT NULL, duplicate_of INTEGER NOT NULL) STRICT;
CREATE INDEX alert_states_waiting ON alert_states (study, severity, tier, since_ms)
  WHERE waits = 1;
CREATE INDEX alert_states_storm ON alert_states (storm, waits) WHERE storm <> 0;
CREATE INDEX alert_states_duplicate ON alert_states (duplicate_of) WHERE duplicate_of <> 0;
CREATE TABLE alert_storms (
  alert INTEGER PRIMARY KEY, study INTEGER NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL,
  count INTEGER NOT NULL, waits INTEGER NOT NULL, tier INTEGER NOT NULL,
  since_ms INTEGER NOT NULL, since_utc_ms INTEGER NOT NULL, last_utc_ms INTEGER NOT NULL) STRICT;
CREATE INDEX alert_storms_rule ON alert_storms (study, rule);
CREATE INDEX alerts_rule ON alerts (study, rule, raised_ms);
CREATE TABLE boots (one INTEGER PRIMARY KEY, boot TEXT NOT NULL) STRICT;
INSERT INTO alert_states
  SELECT a.id, a.study, a.severity, iif(o.alert IS NULL, 'acknowledged', 'raised'),
    o.alert IS NOT NULL, 0, 0, a.raised_ms, 1, 0, o.alert IS NOT NULL, 0, 0
  FROM alerts a LEFT JOIN open_alerts o ON o.subject = a.subject AND o.rule = a.rule AND
    o.join_group = a.join_group AND o.alert = a.id;
)sql";

// What is missing is found by the time that passes: that it did is kept, and when it is due next.
// What was a cause of an alert may be none any more.
constexpr const char* kSignalsMigration = R"sql(
CREATE TABLE subject_passes (
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, utc_ms INTEGER NOT NULL) STRICT;
CREATE INDEX subject_passes_subject ON subject_passes (subject, utc_ms);
CREATE TABLE subject_dues (
  subject INTEGER PRIMARY KEY, study INTEGER NOT NULL, rules TEXT NOT NULL, due_ms INTEGER)
  STRICT;
CREATE INDEX subject_dues_due ON subject_dues (study, due_ms) WHERE due_ms IS NOT NULL;
ALTER TABLE alert_causes ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_causes_ended ON alert_causes (alert, record) WHERE ended <> 0;
)sql";

// What is about the past has an alert of its own beside that which is about today. And what waits
// in the outbox is counted as it comes and goes.
constexpr const char* kHistoryMigration = R"sql(
ALTER TABLE open_alerts RENAME TO open_alerts_before;
CREATE TABLE open_alerts (
  subject INTEGER NOT NULL, rule TEXT NOT NULL, join_group TEXT NOT NULL,
  historical INTEGER NOT NULL, alert INTEGER NOT NULL,
  PRIMARY KEY (subject, rule, join_group, historical)) STRICT, WITHOUT ROWID;
INSERT INTO open_alerts SELECT subject, rule, join_group, 0, alert FROM open_alerts_before;
DROP TABLE open_alerts_before;
CREATE TABLE outbox_counts (
  target TEXT PRIMARY KEY, pending INTEGER NOT NULL, dead INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO outbox_counts
  SELECT target, sum(state = 0), sum(state = 2) FROM outbox GROUP BY target;
)sql";

// What was kept though it does not fit (model::kUnfit), and a subject's demographics, are found
// without a walk through all. Both are few, so that the indexes cost the others nothing.
constexpr const char* kUnfitMigration = R"sql(
CREATE INDEX records_unfit ON records (study, id) WHERE flags >= 1024;
CREATE INDEX records_demographics ON records (subject, id) WHERE kind = 0;
)sql";

// Who else follows the alerts, and how far each is.
constexpr const char* kSubscriptionsMigration = R"sql(
CREATE TABLE subscriptions (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, subscription INTEGER NOT NULL,
  version INTEGER NOT NULL, status TEXT NOT NULL, token INTEGER NOT NULL, site TEXT,
  base TEXT NOT NULL, after_event INTEGER NOT NULL, resource TEXT NOT NULL,
  at_ms INTEGER NOT NULL, UNIQUE (subscription, version)) STRICT;
CREATE TABLE subscription_states (
  subscription INTEGER PRIMARY KEY, study INTEGER NOT NULL, entry INTEGER NOT NULL,
  status TEXT NOT NULL, greeted INTEGER NOT NULL, event INTEGER NOT NULL,
  count INTEGER NOT NULL, headers TEXT NOT NULL, error TEXT, changed_ms INTEGER NOT NULL) STRICT;
CREATE TABLE subscription_marks (
  subscription INTEGER NOT NULL, event INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (subscription, event)) STRICT, WITHOUT ROWID;
)sql";

// What a partner says of appointments, and how far each subject is in step with it.
constexpr const char* kSyncMigration = R"sql(
CREATE TABLE appointments (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL, subject INTEGER NOT NULL,
  activity TEXT NOT NULL, number INTEGER NOT NULL, event INTEGER NOT NULL, state TEXT NOT NULL,
  start_ms INTEGER, end_ms INTEGER, partner TEXT NOT NULL, version TEXT NOT NULL, note TEXT)
  STRICT;
CREATE INDEX appointments_subject ON appointments (subject, activity, number, event);
CREATE TABLE schedule_sync (
  subject INTEGER PRIMARY KEY, study INTEGER NOT NULL, version TEXT NOT NULL, seen TEXT NOT NULL,
  digest TEXT NOT NULL, last_record INTEGER NOT NULL, definition INTEGER NOT NULL,
  check_after_ms INTEGER NOT NULL, state INTEGER NOT NULL, checked_ms INTEGER NOT NULL,
  in_step_ms INTEGER NOT NULL, out_since_ms INTEGER NOT NULL, conflicts INTEGER NOT NULL,
  alerted INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE schedule_sync_marks (
  study INTEGER PRIMARY KEY, partner TEXT NOT NULL, seen_until TEXT NOT NULL,
  cycle TEXT NOT NULL) STRICT;
)sql";

// What an occurrence of the schedule has raised is found by its subject.
constexpr const char* kSubjectAlertsMigration = R"sql(
CREATE INDEX alerts_subject ON alerts (subject, rule);
)sql";

constexpr const char* kMigrations[kSchemaVersion] = {
    kMigration1, kMigration2, kOutboxMigration, kLifeMigration, kSignalsMigration,
    kHistoryMigration, kUnfitMigration, kSubscriptionsMigration, kSyncMigration,
    kSubjectAlertsMigration};

// What tells a trialward store from any other SQLite file ("TrWd").
constexpr std::int64_t kApplicationId = 0x54725764;

struct OwnedInfo {
  OwnedInfo(std::string_view name, std::string_view columns) {
    const int count = 1 + static_cast<int>(std::count(columns.begin(), columns.end(), ','));
    insert = "INSERT INTO " + std::string(name) + " (" + std::string(columns) + ") VALUES (";
    for (int i = 1; i <= count; ++i) {
      insert += (i > 1 ? ", $" : "$") + std::to_string(i);
    }
    insert += ")";
    select = "SELECT " + std::string(columns) + " FROM " + std::string(name) + " WHERE id = $1";
    info = {name, columns, {name, columns, 0, insert}, select, count};
  }
  OwnedInfo(const OwnedInfo&) = delete;
  OwnedInfo& operator=(const OwnedInfo&) = delete;

  std::string insert, select;
  TableInfo info;
};

}  // namespace

const TableInfo& info(Table table) {
  static const OwnedInfo kInfos[kTables] = {
      {"studies", "id, study"},
      {"definitions", "id, study, hash, files, loaded_ms"},
      {"subjects", "id, study, subject, site, enrolled_ms"},
      {"records",
       "id, study, source, source_id, subject, site, kind, code, system, number, number_text, "
       "text, unit, not_done, low_text, high_text, effective, from_ms, until_ms, device_ms, "
       "sent_ms, author, visit, baseline, serious, severity, attributes, amends, reason, flags, "
       "version, received_ms, actor, definition, shard, position, previous, content, original"},
      {"alerts",
       "id, study, subject, site, rule, rule_version, title, join_group, severity, definition, "
       "raised_ms"},
      {"alert_events", "id, study, number, alert, type, at_ms, actor, note, causes"},
      {"tokens",
       "id, hash, name, role, study, site, subject, source, unblinded, created_ms, expires_ms"},
      {"token_revocations", "id, token, revoked_ms"},
      {"delivery_outcomes", "id, study, event, alert, target, outcome, attempts, at_ms"},
      {"alert_details", "id, event, detail"},
      {"subject_passes", "id, subject, utc_ms"},
      {"subscriptions",
       "id, study, subscription, version, status, token, site, base, after_event, resource, "
       "at_ms"},
      {"appointments",
       "id, study, subject, activity, number, event, state, start_ms, end_ms, partner, version, "
       "note"},
  };
  return kInfos[static_cast<std::size_t>(table)].info;
}

std::array<Table, kTables> all_tables() {
  std::array<Table, kTables> tables{};
  for (std::size_t i = 0; i < kTables; ++i) tables[i] = static_cast<Table>(i);
  return tables;
}

base::Result<std::vector<SchemaObject>> read_schema(Connection& connection) {
  if (connection.is_postgres()) return read_postgres_schema(connection);
  auto rows = connection.query(
      "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' OR "
      "name NOT IN ('sqlite_stat1', 'sqlite_stat4') ORDER BY type, name");
  if (!rows) return rows.error();
  std::vector<SchemaObject> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    const auto text = [&](int column) { return std::string(rows->text(column)); };
    all.push_back({text(0), text(1), text(2), text(3)});
  }
}

base::Result<std::vector<SchemaObject>> own_schema(Connection& connection) {
  if (connection.is_postgres()) return own_postgres_schema(connection);
  auto scratch = SqliteConnection::open("", SqliteMode::scratch);
  if (!scratch) return scratch.error();
  if (auto made = migrate(**scratch, ""); !made) return made.error();
  return read_schema(**scratch);
}

base::Result<std::int64_t> schema_version(Connection& connection) {
  if (connection.is_postgres()) return postgres_schema_version(connection);
  return connection.integer("PRAGMA user_version");
}

int newest_schema(const Connection& connection) {
  return connection.is_postgres() ? kPostgresSchemaVersion : kSchemaVersion;
}

base::Result<std::string> find_damage(Connection& connection) {
  if (connection.is_postgres()) return find_postgres_damage(connection);
  auto rows = connection.query("PRAGMA integrity_check(1)");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (*row && rows->text(0) == "ok") return std::string();
  return std::string(rows->text(0));
}

base::Status migrate(Connection& connection, std::string_view store_id) {
  if (connection.is_postgres()) return migrate_postgres(connection, store_id);
  const auto application = connection.integer("PRAGMA application_id");
  if (!application) return application.error();
  const auto objects = connection.integer("SELECT count(*) FROM sqlite_master");
  if (!objects) return objects.error();
  const bool is_new = *objects == 0;
  if (!is_new && *application != kApplicationId) {
    return base::Error{base::Errc::corrupt, "this SQLite file is not a trialward store"};
  }
  const auto version = connection.integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version > kSchemaVersion) {
    return base::Error{base::Errc::invalid,
                       "the store has schema version " + std::to_string(*version) +
                           "; this trialward knows up to " + std::to_string(kSchemaVersion)};
  }
  for (int step = static_cast<int>(*version); step < kSchemaVersion; ++step) {
    std::string sql = "BEGIN IMMEDIATE;";
    sql += kMigrations[step];
    if (step == 0) {
      sql += "PRAGMA application_id=" + std::to_string(kApplicationId) + ";";
      sql += "INSERT INTO meta VALUES ('store_id', '" + std::string(store_id) + "');";
    }
    sql += "PRAGMA user_version=" + std::to_string(step + 1) + "; COMMIT;";
    if (auto done = connection.script(sql); !done) {
      // The first error is the one to tell; without a transaction this one has nothing to do.
      (void)connection.script("ROLLBACK");
      return done;
    }
  }
  return {};
}

}  // namespace trialward::store
