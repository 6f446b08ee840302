// The tables of a store, and the migrations that make them. Migrations are numbered, run forward
// at start, each in a transaction; one that has shipped never changes.
//
// Audited tables only grow: each row has an audit entry whose hash covers it (store/chain.h).
//   studies, definitions   what studies there are; each text of their definitions ever used
//   subjects               who is enrolled, since when, at which site
//   records                what was observed; `previous` links a subject's records, newest first
//   alerts, alert_events   what the monitor raised, and everything that happened to it since;
//                          an event's number is its place in its study's stream
//   alert_details          what an event says beside (model/alert_detail.h); not every event does
//   subject_passes         an instant that had passed when a subject's rules were asked what was
//                          missing; records that come later do not change that
//   appointments           what a partner said of an occurrence's appointment (store/sync_rows.h)
//   tokens, token_revocations
//   delivery_outcomes      that an alert event is to be delivered to a target (queued), was
//                          delivered to it, refused by it for good (dead), resent or discarded,
//                          and by whom
//   subscriptions          each version of a FHIR Subscription, as its client wanted it
// Work, which goes when it is done (store/outbox_rows.h):
//   outbox                 a row for each alert event and target that it is to be delivered to;
//                          compared with delivery_outcomes by verify
//   outbox_attempts        the newest attempts of each
//   subscription_states    how far a subscription is, and what its headers hold; none of a deleted
//                          one (store/subscription_rows.h). verify looks whether it can be
//   subscription_marks     places in its stream, from which an event is found by its number
//   schedule_sync          how far each subject is in step with the partner (store/sync_rows.h);
//                          schedule_sync_marks: up to where the partner's changes were read
// Caches, rebuilt from the audited tables at any time, and compared with them by verify:
//   shards                 the head of each audit chain; with PostgreSQL a view of chain_ends,
//                          which has several in a row
//   subject_states         the newest record of a subject
//   subject_watches        the saved Watch of a subject; it may lack the newest records
//   subject_dues           when one of a subject's rules will next miss something; no row: no rule
//                          waits for anything
//   alert_heads            the last event number of a study
//   alert_causes           the records of an alert, and whether they are reasons for it no more;
//                          open_alerts: what further causes join, those of today and of the past
//   alert_states           what an alert's events have made of it (model/alert_life.h), and since
//                          when it waits for somebody
//   alert_storms           the same of a storm, by the alert that made it one
//   outbox_counts          what is pending and dead of a target
// And one row that nothing depends on for long:
//   boots                  the start of the machine that every since_ms counts from
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/connection.h"

namespace trialward::store {

enum class Table : std::uint8_t {
  studies,
  definitions,
  subjects,
  records,
  alerts,
  alert_events,
  tokens,
  token_revocations,
  delivery_outcomes,
  alert_details,
  subject_passes,
  subscriptions,
  appointments,
};
inline constexpr std::size_t kTables = 13;

struct TableInfo {
  std::string_view name;
  std::string_view columns;  // the first is id, the primary key
  RowShape shape;            // of all columns
  std::string_view select;   // SELECT of all columns where id = $1
  int column_count = 0;
};
const TableInfo& info(Table table);
std::array<Table, kTables> all_tables();

inline constexpr int kSchemaVersion = 10;  // in SQLite; store/postgres_schema.h has its own

// A table, index, trigger or view, in the database's words.
struct SchemaObject {
  std::string type, name, table;
  std::string sql;  // as it was made; empty for the indexes that a table brings along
};
// Of a store, in the order of type and name; what SQLite keeps for itself (ANALYZE's tables) is
// left out.
base::Result<std::vector<SchemaObject>> read_schema(Connection& connection);
// Those of a store of the same kind that has just been made. PostgreSQL makes them anew for that,
// as temporary tables.
base::Result<std::vector<SchemaObject>> own_schema(Connection& connection);

// The version that a store has, and the one that it should have.
base::Result<std::int64_t> schema_version(Connection& connection);
int newest_schema(const Connection& connection);

// Brings a store to the newest schema; a new one gets `store_id`. Errors: unavailable, corrupt (the
// database belongs to something else), invalid (a newer trialward made it).
base::Status migrate(Connection& connection, std::string_view store_id);

// What the database finds damaged in its own files, in its words; empty when it finds nothing.
// SQLite reads all of them for that; PostgreSQL says what has met it so far.
base::Result<std::string> find_damage(Connection& connection);

}  // namespace trialward::store
