#include "store/alert_waits.h"

#include "model/escalation.h"

namespace trialward::store {

using base::Result;

namespace {

Wait wait_in(const Query& row, bool storm) {
  return {.alert = row.integer(0),
          .storm = storm,
          .severity = model::parse_severity(row.text(1)).value_or(model::AlertSeverity::critical),
          .tier = static_cast<int>(row.integer(2)),
          .since_ms = row.integer(3),
          .count = row.integer(4)};
}

base::Status add_waits(base::Result<Query> rows, bool storm, std::vector<Wait>& all) {
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return {};
    all.push_back(wait_in(*rows, storm));
  }
}

}  // namespace

Result<std::optional<Wait>> read_wait(Connection& connection, std::int64_t alert, bool storm) {
  auto rows = connection.query(
      storm ? "SELECT alert, severity, tier, since_ms, count FROM alert_storms "
              "WHERE alert = $1 AND waits = 1"
            : "SELECT alert, severity, tier, since_ms, 1 FROM alert_states "
              "WHERE alert = $1 AND waits = 1",
      {alert});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<Wait>();
  return std::optional<Wait>(wait_in(*rows, storm));
}

Result<std::vector<Wait>> read_waits(Connection& connection, const WaitClass& of,
                                     std::size_t limit) {
  std::vector<Wait> all;
  const std::string_view severity = model::to_string(of.severity);
  const auto rows = static_cast<std::int64_t>(limit);
  auto alone = add_waits(
      connection.query("SELECT alert, severity, tier, since_ms, 1 FROM alert_states "
                       "WHERE waits = 1 AND study = $1 AND severity = $2 AND tier = $3 "
                       "ORDER BY since_ms LIMIT $4",
                       {of.study, severity, std::int64_t{of.tier}, rows}),
      false, all);
  if (!alone) return alone.error();
  auto storms = add_waits(
      connection.query("SELECT alert, severity, tier, since_ms, count FROM alert_storms "
                       "WHERE waits = 1 AND study = $1 AND severity = $2 AND tier = $3 "
                       "ORDER BY since_ms LIMIT $4",
                       {of.study, severity, std::int64_t{of.tier}, rows}),
      true, all);
  if (!storms) return storms.error();
  return all;
}

}  // namespace trialward::store
