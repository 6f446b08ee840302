#include "store/subject_rows.h"

#include <array>

namespace trialward::store {

using base::Result;
using base::Status;

namespace {

constexpr std::string_view kSelect =
    "SELECT s.id, s.site, t.last_record, w.as_of, w.rules, w.watch, d.rules, d.due_ms, "
    "(SELECT max(utc_ms) FROM subject_passes p WHERE p.subject = s.id), s.subject "
    "FROM subjects s LEFT JOIN subject_states t ON t.subject = s.id "
    "LEFT JOIN subject_watches w ON w.subject = s.id "
    "LEFT JOIN subject_dues d ON d.subject = s.id WHERE s.study = $1 AND s.subject ";

SubjectRow row_in(const Query& rows) {
  SubjectDue due{.rules = std::string(rows.text(6))};
  if (!rows.null(7)) due.due_ms = rows.integer(7);
  return {rows.integer(0), std::string(rows.text(1)), rows.integer(2), rows.integer(3),
          std::string(rows.text(4)), std::string(rows.blob(5)), std::move(due), rows.integer(8)};
}

constexpr RowShape kStates{
    .table = "subject_states",
    .columns = "subject, last_record",
    .keys = 1,
    .sql = "INSERT INTO subject_states (subject, last_record) VALUES ($1, $2) "
           "ON CONFLICT (subject) DO UPDATE SET last_record = excluded.last_record"};
constexpr RowShape kWatches{
    .table = "subject_watches",
    .columns = "subject, as_of, rules, watch",
    .keys = 1,
    .sql = "INSERT INTO subject_watches (subject, as_of, rules, watch) VALUES ($1, $2, $3, $4) "
           "ON CONFLICT (subject) DO UPDATE SET as_of = excluded.as_of, rules = excluded.rules, "
           "watch = excluded.watch"};
constexpr RowShape kDues{
    .table = "subject_dues",
    .columns = "subject, study, rules, due_ms",
    .keys = 1,
    .sql = "INSERT INTO subject_dues (subject, study, rules, due_ms) VALUES ($1, $2, $3, $4) "
           "ON CONFLICT (subject) DO UPDATE SET rules = excluded.rules, due_ms = excluded.due_ms"};

}  // namespace

Result<std::optional<SubjectRow>> find_subject(Connection& connection, std::int64_t study,
                                               std::string_view subject) {
  static const std::string kSql = std::string(kSelect) + "= $2";
  auto rows = connection.query(kSql, {study, subject});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<SubjectRow>();
  return std::optional<SubjectRow>(row_in(*rows));
}

Result<std::vector<std::pair<std::string, SubjectRow>>> find_subjects(
    Connection& connection, std::int64_t study, std::span<const std::string_view> subjects) {
  static const std::string kSql = std::string(kSelect) + "= ANY($2::text[])";
  auto rows = connection.query(kSql, {study, Texts(subjects)});
  if (!rows) return rows.error();
  std::vector<std::pair<std::string, SubjectRow>> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    all.emplace_back(std::string(rows->text(9)), row_in(*rows));
  }
}

Result<std::vector<SubjectPlace>> read_subjects_after(Connection& connection, std::int64_t study,
                                                      std::int64_t after, std::string_view site,
                                                      std::size_t limit) {
  // "+ 0" keeps the planner on the primary key: the page is read in its order, without a sort.
  auto rows = connection.query(
      "SELECT s.id, s.subject, s.site, t.last_record FROM subjects s "
      "LEFT JOIN subject_states t ON t.subject = s.id WHERE s.study + 0 = $1 AND s.id > $2 "
      "AND ($3 = '' OR s.site = $3) ORDER BY s.id LIMIT $4",
      {study, after, site, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<SubjectPlace> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back({rows->integer(0), std::string(rows->text(1)), std::string(rows->text(2)),
                   rows->integer(3)});
  }
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
  return connection.put(kStates, {row.id, row.last_record});
}

Status put_watch(Connection& connection, const SubjectRow& row) {
  return connection.put(
      kWatches, {row.id, row.as_of, std::string_view(row.rules), Blob{row.watch}});
}

Status append_pass(Writer& writer, const NewPass& pass, const Act& act) {
  const std::array<SqlValue, 3> values = {writer.next_id(Table::subject_passes), pass.subject,
                                          pass.utc_ms};
  return writer.append(Table::subject_passes, pass.shard, act, values);
}

Result<std::vector<SubjectPass>> read_passes_after(Connection& connection, std::int64_t id,
                                                   std::int64_t limit) {
  auto rows = connection.query(
      "SELECT s.study, s.subject, p.utc_ms FROM subject_passes p "
      "JOIN subjects s ON s.id = p.subject WHERE p.id > $1 ORDER BY p.id LIMIT $2",
      {id, limit});
  if (!rows) return rows.error();
  std::vector<SubjectPass> passes;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return passes;
    passes.push_back({.study = rows->integer(0),
                      .subject = std::string(rows->text(1)),
                      .utc_ms = rows->integer(2)});
  }
}

Status put_due(Connection& connection, std::int64_t study, const SubjectRow& row) {
  return connection.put(kDues, {row.id, study, std::string_view(row.due.rules),
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
