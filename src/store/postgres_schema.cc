#include "store/postgres_schema.h"

#include <iterator>
#include <string>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

// TEXT stands for a text that is compared byte by byte. Rows that are written again and again have
// room beside them, so that no index has to be.
constexpr const char* kMigration1 = R"sql(
CREATE TABLE schema_versions (version bigint PRIMARY KEY);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE commit_marks (
  session bytea PRIMARY KEY, number bigint NOT NULL, at_ms bigint NOT NULL)
  WITH (fillfactor = 20);

CREATE TABLE audit (
  seq bigint PRIMARY KEY, shard bigint NOT NULL, position bigint NOT NULL,
  at_ms bigint NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  object_table TEXT NOT NULL, object bigint NOT NULL, reason TEXT, hash bytea NOT NULL);
CREATE TABLE shards (
  shard bigint PRIMARY KEY, position bigint NOT NULL, hash bytea NOT NULL)
  WITH (fillfactor = 20);

CREATE TABLE studies (id bigint PRIMARY KEY, study TEXT NOT NULL UNIQUE);
CREATE TABLE definitions (
  id bigint PRIMARY KEY, study bigint NOT NULL, hash TEXT NOT NULL, files TEXT NOT NULL,
  loaded_ms bigint NOT NULL, UNIQUE (study, hash));
CREATE TABLE subjects (
  id bigint PRIMARY KEY, study bigint NOT NULL, subject TEXT NOT NULL, site TEXT NOT NULL,
  enrolled_ms bigint NOT NULL, UNIQUE (study, subject));

CREATE TABLE records (
  id bigint PRIMARY KEY, study bigint NOT NULL, source TEXT NOT NULL, source_id TEXT NOT NULL,
  subject bigint NOT NULL, site TEXT NOT NULL, kind bigint NOT NULL, code TEXT NOT NULL,
  system TEXT, number double precision, number_text TEXT, text TEXT, unit TEXT, not_done TEXT,
  low_text TEXT, high_text TEXT, effective TEXT, from_ms bigint, until_ms bigint,
  device_ms bigint, sent_ms bigint, author TEXT, visit TEXT, baseline bigint,
  serious bigint, severity TEXT, attributes TEXT, amends bigint, reason TEXT,
  flags bigint NOT NULL, version bigint NOT NULL, received_ms bigint NOT NULL,
  actor TEXT NOT NULL, definition bigint NOT NULL, shard bigint NOT NULL,
  position bigint NOT NULL, previous bigint, content bytea NOT NULL, original bytea NOT NULL);
CREATE UNIQUE INDEX records_source ON records (study, source, source_id);
CREATE UNIQUE INDEX records_amends ON records (amends) WHERE amends IS NOT NULL;
CREATE TABLE subject_states (
  subject bigint PRIMARY KEY, last_record bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE subject_watches (
  subject bigint PRIMARY KEY, as_of bigint NOT NULL, rules TEXT NOT NULL, watch bytea NOT NULL);
CREATE TABLE subject_passes (
  id bigint PRIMARY KEY, subject bigint NOT NULL, utc_ms bigint NOT NULL);
CREATE INDEX subject_passes_subject ON subject_passes (subject, utc_ms);
CREATE TABLE subject_dues (
  subject bigint PRIMARY KEY, study bigint NOT NULL, rules TEXT NOT NULL, due_ms bigint);
CREATE INDEX subject_dues_due ON subject_dues (study, due_ms) WHERE due_ms IS NOT NULL;

CREATE TABLE alerts (
  id bigint PRIMARY KEY, study bigint NOT NULL, subject bigint NOT NULL, site TEXT NOT NULL,
  rule TEXT NOT NULL, rule_version bigint NOT NULL, title TEXT NOT NULL,
  join_group TEXT NOT NULL, severity TEXT NOT NULL, definition bigint NOT NULL,
  raised_ms bigint NOT NULL);
CREATE INDEX alerts_rule ON alerts (study, rule, raised_ms);
CREATE TABLE alert_events (
  id bigint PRIMARY KEY, study bigint NOT NULL, number bigint NOT NULL,
  alert bigint NOT NULL, type TEXT NOT NULL, at_ms bigint NOT NULL, actor TEXT NOT NULL,
  note TEXT, causes TEXT NOT NULL, UNIQUE (study, number));
CREATE INDEX alert_events_alert ON alert_events (alert);
CREATE TABLE alert_details (
  id bigint PRIMARY KEY, event bigint NOT NULL UNIQUE, detail TEXT NOT NULL);
CREATE TABLE alert_heads (study bigint PRIMARY KEY, number bigint NOT NULL)
  WITH (fillfactor = 20);
CREATE TABLE alert_causes (
  alert bigint NOT NULL, record bigint NOT NULL, ended bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (alert, record));
CREATE INDEX alert_causes_record ON alert_causes (record);
CREATE INDEX alert_causes_ended ON alert_causes (alert, record) WHERE ended <> 0;
CREATE TABLE open_alerts (
  subject bigint NOT NULL, rule TEXT NOT NULL, join_group TEXT NOT NULL,
  historical bigint NOT NULL, alert bigint NOT NULL,
  PRIMARY KEY (subject, rule, join_group, historical));
CREATE TABLE alert_states (
  alert bigint PRIMARY KEY, study bigint NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL,
  waits bigint NOT NULL, tier bigint NOT NULL, since_ms bigint NOT NULL,
  since_utc_ms bigint NOT NULL, holds bigint NOT NULL, historical bigint NOT NULL,
  takes_causes bigint NOT NULL, storm bigint NOT NULL, duplicate_of bigint NOT NULL);
CREATE INDEX alert_states_waiting ON alert_states (study, severity, tier, since_ms)
  WHERE waits = 1;
CREATE INDEX alert_states_storm ON alert_states (storm, waits) WHERE storm <> 0;
CREATE INDEX alert_states_duplicate ON alert_states (duplicate_of) WHERE duplicate_of <> 0;
CREATE TABLE alert_storms (
  alert bigint PRIMARY KEY, study bigint NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL,
  count bigint NOT NULL, waits bigint NOT NULL, tier bigint NOT NULL,
  since_ms bigint NOT NULL, since_utc_ms bigint NOT NULL, last_utc_ms bigint NOT NULL);
CREATE INDEX alert_storms_rule ON alert_storms (study, rule);
CREATE TABLE boots (one bigint PRIMARY KEY, boot TEXT NOT NULL);

CREATE TABLE tokens (
  id bigint PRIMARY KEY, hash bytea NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
  study bigint NOT NULL, site TEXT, subject TEXT, source TEXT, unblinded bigint NOT NULL,
  created_ms bigint NOT NULL, expires_ms bigint);
CREATE TABLE token_revocations (
  id bigint PRIMARY KEY, token bigint NOT NULL UNIQUE, revoked_ms bigint NOT NULL);

CREATE TABLE outbox (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, study bigint NOT NULL,
  event bigint NOT NULL, alert bigint NOT NULL, subject bigint NOT NULL, target TEXT NOT NULL,
  state bigint NOT NULL, created_ms bigint NOT NULL, attempts bigint NOT NULL,
  settled_ms bigint, UNIQUE (event, target));
CREATE INDEX outbox_pending ON outbox (target, id) WHERE state = 0;
CREATE INDEX outbox_subject ON outbox (target, subject, id) WHERE state = 0;
CREATE INDEX outbox_dead ON outbox (target, id) WHERE state = 2;
CREATE INDEX outbox_settled ON outbox (settled_ms) WHERE state IN (1, 3);
CREATE TABLE outbox_attempts (
  delivery bigint NOT NULL, number bigint NOT NULL, at_ms bigint NOT NULL,
  outcome TEXT NOT NULL, status bigint NOT NULL, duration_ms bigint NOT NULL, error TEXT,
  PRIMARY KEY (delivery, number));
CREATE TABLE outbox_counts (
  target TEXT PRIMARY KEY, pending bigint NOT NULL, dead bigint NOT NULL);
CREATE TABLE delivery_outcomes (
  id bigint PRIMARY KEY, study bigint NOT NULL, event bigint NOT NULL, alert bigint NOT NULL,
  target TEXT NOT NULL, outcome TEXT NOT NULL, attempts bigint NOT NULL, at_ms bigint NOT NULL);
CREATE INDEX delivery_outcomes_alert ON delivery_outcomes (alert);
)sql";

// Whose transaction it is: the row is locked by each, so that there is one at a time, of whatever
// node. It says who had the last one.
constexpr const char* kTurnMigration = R"sql(
CREATE TABLE write_turn (one bigint PRIMARY KEY, number bigint NOT NULL, session bytea NOT NULL)
  WITH (fillfactor = 20);
INSERT INTO write_turn VALUES (1, 0, '');
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
  id bigint PRIMARY KEY, study bigint NOT NULL, subscription bigint NOT NULL,
  version bigint NOT NULL, status TEXT NOT NULL, token bigint NOT NULL, site TEXT,
  base TEXT NOT NULL, after_event bigint NOT NULL, resource TEXT NOT NULL,
  at_ms bigint NOT NULL, UNIQUE (subscription, version));
CREATE TABLE subscription_states (
  subscription bigint PRIMARY KEY, study bigint NOT NULL, entry bigint NOT NULL,
  status TEXT NOT NULL, greeted bigint NOT NULL, event bigint NOT NULL, count bigint NOT NULL,
  headers TEXT NOT NULL, error TEXT, changed_ms bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE subscription_marks (
  subscription bigint NOT NULL, event bigint NOT NULL, count bigint NOT NULL,
  PRIMARY KEY (subscription, event));
)sql";

// What a partner says of appointments, and how far each subject is in step with it.
constexpr const char* kSyncMigration = R"sql(
CREATE TABLE appointments (
  id bigint PRIMARY KEY, study bigint NOT NULL, subject bigint NOT NULL, activity TEXT NOT NULL,
  number bigint NOT NULL, event bigint NOT NULL, state TEXT NOT NULL, start_ms bigint,
  end_ms bigint, partner TEXT NOT NULL, version TEXT NOT NULL, note TEXT);
CREATE INDEX appointments_subject ON appointments (subject, activity, number, event);
CREATE TABLE schedule_sync (
  subject bigint PRIMARY KEY, study bigint NOT NULL, version TEXT NOT NULL, seen TEXT NOT NULL,
  digest TEXT NOT NULL, last_record bigint NOT NULL, definition bigint NOT NULL,
  check_after_ms bigint NOT NULL, state bigint NOT NULL, checked_ms bigint NOT NULL,
  in_step_ms bigint NOT NULL, out_since_ms bigint NOT NULL, conflicts bigint NOT NULL,
  alerted bigint NOT NULL, note TEXT NOT NULL) WITH (fillfactor = 50);
CREATE TABLE schedule_sync_marks (
  study bigint PRIMARY KEY, partner TEXT NOT NULL, seen_until TEXT NOT NULL,
  cycle TEXT NOT NULL);
)sql";

// What an occurrence of the schedule has raised is found by its subject.
constexpr const char* kSubjectAlertsMigration = R"sql(
CREATE INDEX alerts_subject ON alerts (subject, rule);
)sql";

// The ends of the audit chains, 16 in a row: a row that takes another's place costs as much as one
// that is appended, and there was one for nearly each record.
constexpr const char* kChainEndsMigration = R"sql(
CREATE TABLE chain_ends (
  part bigint PRIMARY KEY CHECK (part BETWEEN 0 AND 15),
  heads bytea NOT NULL CHECK (octet_length(heads) = 640)) WITH (fillfactor = 20);
INSERT INTO chain_ends
  SELECT part, (SELECT string_agg(int8send(coalesce(s.position, 0)) ||
                                  coalesce(s.hash, decode(repeat('00', 32), 'hex')), ''
                                  ORDER BY number)
                FROM generate_series(part * 16, part * 16 + 15) number
                LEFT JOIN shards s ON s.shard = number)
  FROM generate_series(0, 15) part WHERE EXISTS (SELECT 1 FROM shards);
DROP TABLE shards;
CREATE VIEW shards AS
  SELECT * FROM (
    SELECT part * 16 + i AS shard,
      ('x' || encode(substring(heads FROM i * 40 + 1 FOR 8), 'hex'))::bit(64)::bigint AS position,
      substring(heads FROM i * 40 + 9 FOR 32) AS hash
    FROM chain_ends CROSS JOIN generate_series(0, 15) i) ends
  WHERE position > 0;
)sql";

constexpr const char* kMigrations[] = {
    kMigration1,    kTurnMigration,          kUnfitMigration,    kSubscriptionsMigration,
    kSyncMigration, kSubjectAlertsMigration, kChainEndsMigration};
static_assert(std::size(kMigrations) == kPostgresSchemaVersion);

std::string sql_of(const char* migration) {
  constexpr std::string_view kText = "TEXT";
  std::string sql = migration;
  for (std::size_t at = sql.find(kText); at != sql.npos; at = sql.find(kText, at)) {
    sql.replace(at, kText.size(), "text COLLATE \"C\"");
  }
  return sql;
}

// A word of SQL is part of a statement: this is one.
std::string literal(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

// What a namespace holds, in words that do not name it.
constexpr const char* kObjects = R"sql(
SELECT o.type, o.name, o.tbl,
  CASE WHEN o.type = 'view' THEN o.sql  -- which names nothing that is in the search_path
  ELSE replace(replace(o.sql, quote_ident(n.nspname) || '.', ''), 'pg_temp.', '') END
FROM pg_namespace n JOIN LATERAL (
  SELECT 'table' AS type, c.relname::text AS name, c.relname::text AS tbl,
    (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
       CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END ||
       coalesce(' COLLATE ' || l.collname, '') || ' ' || a.attidentity::text ||
       coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''), ', ' ORDER BY a.attnum)
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     LEFT JOIN pg_collation l ON l.oid = a.attcollation
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS sql
  FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
  UNION ALL
  SELECT CASE WHEN c.relkind = 'v' THEN 'view' ELSE 'other' END, c.relname::text,
    c.relname::text, CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) ELSE c.relkind::text END
  FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind NOT IN ('r', 'p', 'i', 'I', 't')
  UNION ALL
  SELECT 'index', i.relname::text, c.relname::text,
    pg_get_indexdef(i.oid) || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
  UNION ALL
  SELECT 'constraint', k.conname::text, c.relname::text, pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = n.oid
  UNION ALL
  SELECT 'trigger', g.tgname::text, c.relname::text, pg_get_triggerdef(g.oid)
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = n.oid
  UNION ALL
  SELECT 'rule', r.rulename::text, c.relname::text, pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')) o ON true
WHERE n.oid = )sql";

Result<std::vector<SchemaObject>> objects_in(Connection& connection, const char* space) {
  const std::string sql = std::string(kObjects) + space + " ORDER BY 1, 2, 3";
  auto rows = connection.query(sql);
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

}  // namespace

std::string_view postgres_view_of(std::string_view table) {
  return table == "chain_ends" ? "shards" : std::string_view();
}

Result<std::int64_t> postgres_schema_version(Connection& connection) {
  auto there = connection.integer("SELECT to_regclass('schema_versions') IS NOT NULL");
  if (!there) return there.error();
  if (*there == 0) return std::int64_t{0};
  return connection.integer("SELECT coalesce(max(version), 0) FROM schema_versions");
}

Status migrate_postgres(Connection& connection, std::string_view store_id) {
  auto version = postgres_schema_version(connection);
  if (!version) return version.error();
  if (*version == 0) {
    auto others = connection.integer(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace");
    if (!others) return others.error();
    if (*others != 0) {
      return Error{Errc::corrupt, "this schema of the database is not a trialward store"};
    }
  }
  if (*version > kPostgresSchemaVersion) {
    return Error{Errc::invalid, "the store has schema version " + std::to_string(*version) +
                                    "; this trialward knows up to " +
                                    std::to_string(kPostgresSchemaVersion)};
  }
  for (int step = static_cast<int>(*version); step < kPostgresSchemaVersion; ++step) {
    // Several statements at once are one transaction.
    std::string sql = sql_of(kMigrations[step]);
    if (step == 0) sql += "INSERT INTO meta VALUES ('store_id', " + literal(store_id) + ");";
    sql += "INSERT INTO schema_versions VALUES (" + std::to_string(step + 1) + ");";
    if (auto done = connection.script(sql); !done) return done;
  }
  return {};
}

Result<std::vector<SchemaObject>> read_postgres_schema(Connection& connection) {
  return objects_in(connection, "current_schema()::regnamespace");
}

Result<std::vector<SchemaObject>> own_postgres_schema(Connection& connection) {
  std::string sql = "BEGIN READ WRITE; SET LOCAL search_path = pg_temp;";
  for (const char* migration : kMigrations) sql += sql_of(migration);
  auto made = connection.script(sql);
  Result<std::vector<SchemaObject>> objects =
      made ? objects_in(connection, "pg_my_temp_schema()")
           : Result<std::vector<SchemaObject>>(made.error());
  if (auto ended = connection.script("ROLLBACK"); !ended && objects) return ended.error();
  return objects;
}

Result<std::string> find_postgres_damage(Connection& connection) {
  auto failures = connection.integer(
      "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database "
      "WHERE datname = current_database()");
  if (!failures) return failures.error();
  if (*failures == 0) return std::string();
  return std::to_string(*failures) + " pages of the database have failed their checksums";
}

}  // namespace trialward::store
