#include "store/subject_rows.h"

#include <array>

namespace trialward::store {

using base::Result;
using base::Status;

Result<std::optional<SubjectRow>> find_subject(Connection& connection, std::int64_t study,
                                               std::string_view subject) {
  auto rows = connection.query(
      "SELECT s.id, s.site, t.last_record, w.as_of, w.rules, w.watch, d.rules, d.due_ms, "
      "(SELECT max(utc_ms) FROM subject_passes p WHERE p.subject = s.id) "
      "FROM subjects s LEFT JOIN subject_states t ON t.subject = s.id "
      "LEFT JOIN subject_watches w ON w.subject = s.id "
      "LEFT JOIN subject_dues d ON d.subject = s.id WHERE s.study = $1 AND s.subject = $2",
      {study, subject});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<SubjectRow>();
  SubjectDue due{.rules = std::string(rows->text(6))};
  if (!rows->null(7)) due.due_ms = rows->integer(7);
  return std::optional<SubjectRow>(SubjectRow{
      rows->integer(0), std::string(rows->text(1)), rows->integer(2), rows->integer(3),
      std::string(rows->text(4)), std::string(rows->blob(5)), std::move(due),
      rows->integer(8)});
}

Result<std::int64_t> append_subject(Writer& writer, const NewSubject& subject, const Act& act) {
  const std::int64_t id = writer.next_id(Table::subjects);
  const std::array<SqlValue, 5> values = {id, subject.study, subject.subject, subject.site,
                                          act.at_ms};
  if (auto done = writer.append(Table::subjects, subject.shard, act, values); !done) {
    return done.error();
  }
  return id;
}

Status put_last_record(Connection& connection, const SubjectRow& row) {
  return connection.execute(
      "INSERT INTO subject_states (subject, last_record) VALUES ($1, $2) "
      "ON CONFLICT (subject) DO UPDATE SET last_record = excluded.last_record",
      {row.id, row.last_record});
}

Status put_watch(Connection& connection, const SubjectRow& row) {
  return connection.execute(
      "INSERT INTO subject_watches (subject, as_of, rules, watch) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (subject) DO UPDATE SET as_of = excluded.as_of, rules = excluded.rules, "
      "watch = excluded.watch",
      {row.id, row.as_of, std::string_view(row.rules), Blob{row.watch}});
}

Status append_pass(Writer& writer, const NewPass& pass, const Act& act) {
  const std::array<SqlValue, 3> values = {writer.next_id(Table::subject_passes), pass.subject,
                                          pass.utc_ms};
  return writer.append(Table::subject_passes, pass.shard, act, values);
}

Status put_due(Connection& connection, std::int64_t study, const SubjectRow& row) {
  return connection.execute(
      "INSERT INTO subject_dues (subject, study, rules, due_ms) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (subject) DO UPDATE SET rules = excluded.rules, due_ms = excluded.due_ms",
      {row.id, study, std::string_view(row.due.rules),
       row.due.due_ms ? SqlValue{*row.due.due_ms} : SqlValue{}});
}

Result<std::vector<std::string>> subjects_due(Connection& connection, std::int64_t study,
                                              std::int64_t utc_ms, std::size_t limit) {
  auto rows = connection.query(
      "SELECT s.subject FROM subject_dues d JOIN subjects s ON s.id = d.subject "
      "WHERE d.study = $1 AND d.due_ms <= $2 ORDER BY d.due_ms LIMIT $3",
      {study, utc_ms, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<std::string> subjects;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return subjects;
    subjects.emplace_back(rows->text(0));
  }
}

Result<std::vector<std::string>> subjects_not_waited_for(Connection& connection,
                                                         std::int64_t study,
                                                         std::string_view rules,
                                                         std::int64_t& after,
                                                         std::size_t limit) {
  auto rows = connection.query(
      "SELECT s.id, s.subject FROM subjects s LEFT JOIN subject_dues d ON d.subject = s.id "
      "WHERE s.study = $1 AND s.id > $2 AND (d.rules IS NULL OR d.rules <> $3) "
      "ORDER BY s.id LIMIT $4",
      {study, after, rules, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<std::string> subjects;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return subjects;
    after = rows->integer(0);
    subjects.emplace_back(rows->text(1));
  }
}

}  // namespace trialward::store
