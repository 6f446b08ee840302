#include "store/audit_rows.h"

#include <algorithm>
#include <cstring>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

namespace {

// By a CASE each table is asked only for entries that are about it. Parameters: study, from, until,
// after_ms, until_ms, actor, subject, site, source, whether actions are named, actions, limit.
constexpr const char* kAuditFrom = R"sql(
SELECT a.seq, a.shard, a.position, a.at_ms, a.actor, a.action, a.object_table, a.object, a.reason,
  a.hash, l.id, s.subject, coalesce(r.site, l.site, s.site, t.site, u.site),
  CASE WHEN o.id IS NULL THEN t.name ELSE o.target END, t.role, l.rule
FROM audit a
LEFT JOIN records r ON r.id = CASE a.object_table WHEN 'records' THEN a.object END
LEFT JOIN alert_details d ON d.id = CASE a.object_table WHEN 'alert_details' THEN a.object END
LEFT JOIN alert_events e ON e.id = CASE a.object_table WHEN 'alert_events' THEN a.object
  WHEN 'alert_details' THEN d.event END
LEFT JOIN delivery_outcomes o ON
  o.id = CASE a.object_table WHEN 'delivery_outcomes' THEN a.object END
LEFT JOIN alerts l ON l.id = CASE a.object_table WHEN 'alerts' THEN a.object
  WHEN 'delivery_outcomes' THEN o.alert ELSE e.alert END
LEFT JOIN subject_passes p ON p.id = CASE a.object_table WHEN 'subject_passes' THEN a.object END
LEFT JOIN appointments m ON m.id = CASE a.object_table WHEN 'appointments' THEN a.object END
LEFT JOIN subscriptions u ON u.id = CASE a.object_table WHEN 'subscriptions' THEN a.object END
LEFT JOIN subjects s ON s.id = CASE a.object_table WHEN 'subjects' THEN a.object
  WHEN 'records' THEN r.subject WHEN 'subject_passes' THEN p.subject
  WHEN 'appointments' THEN m.subject ELSE l.subject END
LEFT JOIN token_revocations v ON
  v.id = CASE a.object_table WHEN 'token_revocations' THEN a.object END
LEFT JOIN tokens t ON t.id = CASE a.object_table WHEN 'tokens' THEN a.object ELSE v.token END
LEFT JOIN definitions f ON f.id = CASE a.object_table WHEN 'definitions' THEN a.object END
WHERE CASE a.object_table WHEN 'studies' THEN a.object WHEN 'definitions' THEN f.study
  WHEN 'records' THEN r.study WHEN 'tokens' THEN t.study WHEN 'token_revocations' THEN t.study
  WHEN 'subscriptions' THEN u.study
  ELSE coalesce(l.study, s.study) END = $1
AND a.seq >= $2 AND a.seq <= $3 AND a.at_ms >= $4 AND a.at_ms < $5
AND ($6 = '' OR substr(lower(a.actor), 1, length($6)) = $6)
AND ($7 = 0 OR s.id = $7) AND ($8 = '' OR coalesce(r.site, l.site, s.site, t.site, u.site) = $8)
AND ($9 = '' OR r.source = $9)
AND ($10 = 0 OR a.action IN ()sql";
constexpr std::size_t kBeforeActions = 10;

std::string audit_sql(std::string_view order) {
  std::string sql = kAuditFrom;
  for (std::size_t i = 1; i <= kAuditActionsMax; ++i) {
    sql += (i > 1 ? ", $" : "$") + std::to_string(kBeforeActions + i);
  }
  return sql + ")) ORDER BY a.seq" + std::string(order) + " LIMIT $" +
         std::to_string(kBeforeActions + kAuditActionsMax + 1);
}

constexpr std::int64_t kNear = 256;  // entries that are read to find one

// The first entry about the table from `from` to `until`: its seq and its row.
struct Probe {
  std::int64_t seq = 0, object = 0;  // 0: there is none
};
Result<Probe> probe(Connection& connection, std::string_view table, std::int64_t from,
                    std::int64_t until) {
  auto rows = connection.query(
      "SELECT seq, object FROM audit WHERE seq >= $1 AND seq <= $2 AND object_table = $3 "
      "ORDER BY seq LIMIT 1",
      {from, until, table});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  return *row ? Probe{rows->integer(0), rows->integer(1)} : Probe{};
}

// As far as `until`, in steps that grow, so that what is near costs little.
Result<Probe> next_of(Connection& connection, std::string_view table, std::int64_t from,
                      std::int64_t until) {
  for (std::int64_t step = kNear; from <= until; step *= 4) {
    const std::int64_t end = std::min(until, from + step - 1);
    auto found = probe(connection, table, from, end);
    if (!found || found->seq != 0) return found;
    from = end + 1;
  }
  return Probe{};
}

}  // namespace

Result<std::vector<AuditRow>> read_audit(Connection& connection, const AuditPage& page) {
  static const std::string kDown = audit_sql(" DESC"), kUp = audit_sql("");
  std::vector<SqlValue> values = {page.study,
                                  page.from,
                                  page.until,
                                  page.after_ms,
                                  page.until_ms,
                                  std::string_view(page.actor),
                                  page.subject,
                                  std::string_view(page.site),
                                  std::string_view(page.source),
                                  std::int64_t{page.actions.has_value()}};
  for (std::size_t i = 0; i < kAuditActionsMax; ++i) {
    values.emplace_back(page.actions ? (*page.actions)[i] : std::string_view());
  }
  values.emplace_back(static_cast<std::int64_t>(page.limit));
  auto rows = connection.query(page.newest_first ? kDown : kUp, values);
  if (!rows) return rows.error();
  std::vector<AuditRow> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    const auto text = [&](int column) { return std::string(rows->text(column)); };
    AuditRow entry{.seq = rows->integer(0),
                   .position = rows->integer(2),
                   .at_ms = rows->integer(3),
                   .object = rows->integer(7),
                   .shard = static_cast<int>(rows->integer(1)),
                   .actor = text(4),
                   .action = text(5),
                   .table = text(6),
                   .reason = text(8)};
    const std::string_view hash = rows->blob(9);
    if (hash.size() != entry.hash.size()) {
      return Error{Errc::corrupt, "audit entry " + std::to_string(entry.seq) + " is damaged"};
    }
    std::memcpy(entry.hash.data(), hash.data(), hash.size());
    entry.alert = rows->integer(10);
    entry.subject = text(11);
    entry.site = text(12);
    entry.name = text(13);
    entry.role = text(14);
    entry.rule = text(15);
    all.push_back(std::move(entry));
  }
}

Result<std::int64_t> last_audit(Connection& connection) {
  return connection.integer("SELECT coalesce(max(seq), 0) FROM audit");
}

Result<std::optional<std::int64_t>> audit_of(Connection& connection, Table table,
                                             std::int64_t object) {
  using Found = std::optional<std::int64_t>;
  const std::string_view name = info(table).name;
  static const auto kNewest = [] {
    std::array<std::string, kTables> all;
    for (const Table one : all_tables()) {
      all[static_cast<std::size_t>(one)] =
          "SELECT coalesce(max(id), 0) FROM " + std::string(info(one).name);
    }
    return all;
  }();
  auto newest = connection.integer(kNewest[static_cast<std::size_t>(table)]);
  if (!newest) return newest.error();
  auto last = last_audit(connection);  // after it: what is there has its entry
  if (!last) return last.error();
  if (object < 1 || object > *newest) return Found();
  // As many entries about the table come before it, and after it, as there are rows.
  std::int64_t from = object, until = *last - (*newest - object);
  while (until - from > kNear) {
    const std::int64_t middle = from + (until - from) / 2;
    auto found = next_of(connection, name, middle, until);
    if (!found) return found.error();
    if (found->object == object) return Found(found->seq);
    if (found->seq == 0 || found->object > object) {
      until = middle - 1;
    } else {
      from = found->seq + (object - found->object);
    }
  }
  auto rows = connection.query(
      "SELECT seq FROM audit WHERE seq >= $1 AND seq <= $2 AND object_table = $3 AND object = $4",
      {from, until, name, object});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  return *row ? Found(rows->integer(0)) : Found();
}

Result<std::vector<AuditedRow>> audited_of_alert(Connection& connection, std::int64_t alert,
                                                 std::size_t limit) {
  struct Part {
    Table table;
    std::string_view sql;
  };
  constexpr std::array<Part, 3> kParts = {
      {{Table::alert_events, "SELECT id FROM alert_events WHERE alert = $1 ORDER BY id LIMIT $2"},
       {Table::alert_details,
        "SELECT d.id FROM alert_events e JOIN alert_details d ON d.event = e.id "
        "WHERE e.alert = $1 ORDER BY d.id LIMIT $2"},
       {Table::delivery_outcomes,
        "SELECT id FROM delivery_outcomes WHERE alert = $1 ORDER BY id LIMIT $2"}}};
  std::vector<AuditedRow> all = {{Table::alerts, alert}};
  for (const Part& part : kParts) {
    auto rows = connection.query(part.sql, {alert, static_cast<std::int64_t>(limit)});
    if (!rows) return rows.error();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      all.push_back({part.table, rows->integer(0)});
    }
  }
  return all;
}

}  // namespace trialward::store
