#include "store/signal_rows.h"

namespace trialward::store {

using base::Result;

Result<std::vector<SubjectAlert>> alerts_of_subject(Connection& connection, std::int64_t subject,
                                                    std::string_view rule_begin) {
  // Above all that begin so: texts are compared by their bytes.
  std::string end(rule_begin);
  ++end.back();
  auto rows = connection.query(
      "SELECT a.id, a.rule, a.join_group, t.holds FROM alerts a "
      "JOIN alert_states t ON t.alert = a.id "
      "WHERE a.subject = $1 AND a.rule >= $2 AND a.rule < $3 ORDER BY a.id",
      {subject, rule_begin, std::string_view(end)});
  if (!rows) return rows.error();
  std::vector<SubjectAlert> alerts;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return alerts;
    alerts.push_back({.alert = rows->integer(0),
                      .rule = std::string(rows->text(1)),
                      .group = std::string(rows->text(2)),
                      .holds = rows->integer(3) != 0});
  }
}

Result<std::int64_t> enrolled_ms(Connection& connection, std::int64_t subject) {
  return connection.integer("SELECT enrolled_ms FROM subjects WHERE id = $1", {subject});
}

Result<std::vector<ChangedSubject>> changed_subjects(Connection& connection, std::int64_t after,
                                                     std::int64_t until) {
  auto rows = connection.query(
      "SELECT DISTINCT study, subject, kind FROM records WHERE id > $1 AND id <= $2",
      {after, until});
  if (!rows) return rows.error();
  std::vector<ChangedSubject> subjects;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return subjects;
    subjects.push_back({.study = rows->integer(0),
                        .subject = rows->integer(1),
                        .kind = static_cast<model::Kind>(rows->integer(2))});
  }
}

Result<std::vector<LoadedDefinition>> definitions_of(Connection& connection, std::int64_t study,
                                                     std::size_t limit) {
  auto rows = connection.query(
      "SELECT id, loaded_ms FROM definitions WHERE study = $1 ORDER BY id LIMIT $2",
      {study, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<LoadedDefinition> definitions;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return definitions;
    definitions.push_back({rows->integer(0), rows->integer(1)});
  }
}

}  // namespace trialward::store
