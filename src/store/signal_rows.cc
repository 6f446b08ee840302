#include "store/signal_rows.h"

#include <optional>

namespace trialward::store {

using base::Result;

namespace {

// Its place among the kinds; nothing when there is no such kind.
std::optional<std::size_t> kind_of(const Query& rows, int column) {
  const std::int64_t kind = rows.integer(column);
  if (kind < 0 || kind >= static_cast<std::int64_t>(model::kKinds)) return std::nullopt;
  return static_cast<std::size_t>(kind);
}

// Above all texts that begin so: they are compared by their bytes.
std::string end_of(std::string_view begin) {
  std::string end(begin);
  ++end.back();
  return end;
}

}  // namespace

Result<std::vector<SubjectAlert>> alerts_of_subject(Connection& connection, std::int64_t subject,
                                                    std::string_view rule_begin) {
  const std::string end = end_of(rule_begin);
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

Result<std::vector<std::int64_t>> subjects_with_alerts(Connection& connection,
                                                       std::int64_t study,
                                                       std::string_view rule_begin,
                                                       std::int64_t after, std::size_t limit) {
  const std::string end = end_of(rule_begin);
  auto rows = connection.query(
      "SELECT DISTINCT a.subject FROM alerts a JOIN alert_states t ON t.alert = a.id "
      "WHERE a.study = $1 AND a.rule >= $2 AND a.rule < $3 AND a.subject > $4 AND t.holds = 1 "
      "ORDER BY a.subject LIMIT $5",
      {study, rule_begin, std::string_view(end), after, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<std::int64_t> subjects;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return subjects;
    subjects.push_back(rows->integer(0));
  }
}

Result<bool> records_since(Connection& connection, std::int64_t newest, std::int64_t known,
                           const std::array<bool, model::kKinds>& kinds) {
  for (int i = 0; newest > known; ++i) {
    if (i == kNewerMax) return true;
    auto rows = connection.query("SELECT kind, previous FROM records WHERE id = $1", {newest});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return base::Error{base::Errc::corrupt, "a subject's record is gone"};
    if (const auto kind = kind_of(*rows, 0); !kind || kinds[*kind]) return true;
    newest = rows->integer(1);  // of the first none: 0
  }
  return false;
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
    if (const auto kind = kind_of(*rows, 2)) {
      subjects.push_back({.study = rows->integer(0),
                          .subject = rows->integer(1),
                          .kind = static_cast<model::Kind>(*kind)});
    }
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
