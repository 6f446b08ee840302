#include "store/subject_rows.h"

#include <array>

namespace trialward::store {

using base::Result;
using base::Status;

Result<std::optional<SubjectRow>> find_subject(Connection& connection, std::int64_t study,
                                               std::string_view subject) {
  auto rows = connection.query(
      "SELECT s.id, s.site, t.last_record, w.as_of, w.rules, w.watch FROM subjects s "
      "LEFT JOIN subject_states t ON t.subject = s.id "
      "LEFT JOIN subject_watches w ON w.subject = s.id WHERE s.study = $1 AND s.subject = $2",
      {study, subject});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<SubjectRow>();
  return std::optional<SubjectRow>(
      SubjectRow{rows->integer(0), std::string(rows->text(1)), rows->integer(2),
                 rows->integer(3), std::string(rows->text(4)), std::string(rows->blob(5))});
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

}  // namespace trialward::store
