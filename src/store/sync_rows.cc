#include "store/sync_rows.h"

#include <algorithm>
#include <array>

namespace trialward::store {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr std::array<std::string_view, kSyncStates> kSyncStateNames = {
    "unknown", "in-step", "changed", "conflicting", "unreachable"};

constexpr RowShape kSyncRows{
    .table = "schedule_sync",
    .columns = "subject, study, version, seen, digest, last_record, definition, check_after_ms, "
               "state, checked_ms, in_step_ms, out_since_ms, conflicts, alerted, note",
    .keys = 1,
    .sql = "INSERT INTO schedule_sync (subject, study, version, seen, digest, last_record, "
           "definition, check_after_ms, state, checked_ms, in_step_ms, out_since_ms, conflicts, "
           "alerted, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
           "$15) ON CONFLICT (subject) DO UPDATE SET version = excluded.version, "
           "seen = excluded.seen, digest = excluded.digest, last_record = excluded.last_record, "
           "definition = excluded.definition, check_after_ms = excluded.check_after_ms, "
           "state = excluded.state, checked_ms = excluded.checked_ms, "
           "in_step_ms = excluded.in_step_ms, out_since_ms = excluded.out_since_ms, "
           "conflicts = excluded.conflicts, alerted = excluded.alerted, note = excluded.note"};

}  // namespace

std::string_view to_string(SyncState state) {
  return kSyncStateNames[static_cast<std::size_t>(state)];
}

std::optional<SyncState> parse_sync_state(std::string_view text) {
  const auto found = std::find(kSyncStateNames.begin(), kSyncStateNames.end(), text);
  if (found == kSyncStateNames.end()) return std::nullopt;
  return static_cast<SyncState>(found - kSyncStateNames.begin());
}

Status append_appointment(Writer& writer, std::int64_t study, std::int64_t subject, int shard,
                          const AppointmentRow& row, const Act& act) {
  const bool timed = row.start_ms != 0;
  const std::array<SqlValue, 12> values = {
      writer.next_id(Table::appointments),
      study,
      subject,
      std::string_view(row.activity),
      row.number,
      row.event,
      std::string_view(row.state),
      timed ? SqlValue{row.start_ms} : SqlValue{},
      timed ? SqlValue{row.end_ms} : SqlValue{},
      std::string_view(row.partner),
      std::string_view(row.version),
      text_or_null(row.note)};
  return writer.append(Table::appointments, shard, act, values);
}

Status put_sync_row(Connection& connection, std::int64_t study, std::int64_t subject,
                    const SyncRow& row) {
  return connection.put(
      kSyncRows,
      {subject, study, std::string_view(row.version), std::string_view(row.seen),
       std::string_view(row.digest), row.last_record, row.definition, row.check_after_ms,
       static_cast<std::int64_t>(row.state), row.checked_ms, row.in_step_ms, row.out_since_ms,
       row.conflicts, row.alert, std::string_view(row.note)});
}

Status put_sync_mark(Connection& connection, std::int64_t study, const SyncMark& mark) {
  return connection.execute(
      "INSERT INTO schedule_sync_marks (study, partner, seen_until, cycle) "
      "VALUES ($1, $2, $3, $4) ON CONFLICT (study) DO UPDATE SET partner = excluded.partner, "
      "seen_until = excluded.seen_until, cycle = excluded.cycle",
      {study, std::string_view(mark.partner), std::string_view(mark.seen_until),
       std::string_view(mark.cycle)});
}

Result<std::vector<AppointmentRow>> read_appointments(Connection& connection,
                                                      std::int64_t subject) {
  auto rows = connection.query(
      "SELECT activity, number, event, state, start_ms, end_ms, partner, version "
      "FROM appointments a WHERE subject = $1 AND state <> 'refused' AND NOT EXISTS "
      "(SELECT 1 FROM appointments b WHERE b.subject = a.subject AND b.activity = a.activity AND "
      "b.number = a.number AND b.event = a.event AND b.state <> 'refused' AND b.id > a.id) "
      "ORDER BY activity, number, event",
      {subject});
  if (!rows) return rows.error();
  std::vector<AppointmentRow> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back({.activity = std::string(rows->text(0)),
                   .number = rows->integer(1),
                   .event = rows->integer(2),
                   .state = std::string(rows->text(3)),
                   .start_ms = rows->integer(4),
                   .end_ms = rows->integer(5),
                   .partner = std::string(rows->text(6)),
                   .version = std::string(rows->text(7))});
  }
}

Result<std::vector<SyncSubject>> read_sync_subjects(Connection& connection, const SyncPage& page) {
  // "+ 0" keeps the planner on the primary key: the page is read in its order, without a sort.
  auto rows = connection.query(
      "SELECT s.id, s.subject, s.site, t.last_record, y.version, y.seen, y.digest, y.last_record, "
      "y.definition, y.check_after_ms, y.state, y.checked_ms, y.in_step_ms, y.out_since_ms, "
      "y.conflicts, y.alerted, y.note FROM subjects s "
      "LEFT JOIN subject_states t ON t.subject = s.id "
      "LEFT JOIN schedule_sync y ON y.subject = s.id "
      "WHERE s.study + 0 = $1 AND s.id > $2 AND ($3 = '' OR s.site = $3) "
      "AND ($4 < 0 OR coalesce(y.state, 0) = $4) ORDER BY s.id LIMIT $5",
      {page.study, page.after, std::string_view(page.site),
       page.state ? static_cast<std::int64_t>(*page.state) : std::int64_t{-1},
       static_cast<std::int64_t>(page.limit)});
  if (!rows) return rows.error();
  std::vector<SyncSubject> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    SyncSubject one{rows->integer(0), std::string(rows->text(1)), std::string(rows->text(2)),
                    rows->integer(3), {}};
    one.row = {.version = std::string(rows->text(4)),
               .seen = std::string(rows->text(5)),
               .digest = std::string(rows->text(6)),
               .last_record = rows->integer(7),
               .definition = rows->integer(8),
               .check_after_ms = rows->integer(9),
               .state = static_cast<SyncState>(rows->integer(10)),
               .checked_ms = rows->integer(11),
               .in_step_ms = rows->integer(12),
               .out_since_ms = rows->integer(13),
               .conflicts = rows->integer(14),
               .alert = rows->integer(15),
               .note = std::string(rows->text(16))};
    all.push_back(std::move(one));
  }
}

Result<SyncCounts> count_sync(Connection& connection, std::int64_t study, std::string_view site) {
  auto rows = connection.query(
      "SELECT coalesce(y.state, 0), count(*), "
      "count(CASE WHEN y.out_since_ms > 0 THEN 1 END), "
      "min(CASE WHEN y.out_since_ms > 0 THEN y.out_since_ms END) "
      "FROM subjects s LEFT JOIN schedule_sync y ON y.subject = s.id "
      "WHERE s.study = $1 AND ($2 = '' OR s.site = $2) GROUP BY coalesce(y.state, 0)",
      {study, site});
  if (!rows) return rows.error();
  SyncCounts counts;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return counts;
    const auto state = static_cast<std::size_t>(rows->integer(0));
    if (state < kSyncStates) counts.states[state] = rows->integer(1);
    counts.out_of_step += rows->integer(2);
    const std::int64_t oldest = rows->integer(3);
    if (oldest == 0) continue;
    counts.oldest_out_ms =
        counts.oldest_out_ms == 0 ? oldest : std::min(counts.oldest_out_ms, oldest);
  }
}

Result<std::int64_t> count_refused(Connection& connection, std::int64_t subject) {
  return connection.integer(
      "SELECT count(*) FROM appointments WHERE subject = $1 AND state = 'refused'", {subject});
}

Result<SyncMark> read_sync_mark(Connection& connection, std::int64_t study) {
  auto rows = connection.query(
      "SELECT partner, seen_until, cycle FROM schedule_sync_marks WHERE study = $1", {study});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return SyncMark();
  return SyncMark{std::string(rows->text(0)), std::string(rows->text(1)),
                  std::string(rows->text(2))};
}

Result<bool> is_alert_of(Connection& connection, std::int64_t alert, std::int64_t subject,
                         std::string_view rule) {
  auto found =
      connection.integer("SELECT count(*) FROM alerts WHERE id = $1 AND subject = $2 AND rule = $3",
                         {alert, subject, rule});
  if (!found) return found.error();
  return *found != 0;
}

Result<std::int64_t> open_alert_of(Connection& connection, std::int64_t subject,
                                   std::string_view rule) {
  auto alert = connection.integer(
      "SELECT alert FROM open_alerts WHERE subject = $1 AND rule = $2 AND join_group = '' AND "
      "historical = 0",
      {subject, rule});
  if (!alert && alert.error().code == Errc::not_found) return std::int64_t{0};
  return alert;
}

}  // namespace trialward::store
