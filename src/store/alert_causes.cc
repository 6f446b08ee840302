#include "store/alert_causes.h"

#include <algorithm>

namespace trialward::store {

using base::Result;
using base::Status;

namespace {

Result<std::vector<std::int64_t>> integers(Result<Query> rows) {
  if (!rows) return rows.error();
  std::vector<std::int64_t> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back(rows->integer(0));
  }
}

Status mark(Connection& connection, std::int64_t alert, const std::vector<std::int64_t>& records,
            bool ended) {
  for (const std::int64_t record : records) {
    auto done = connection.execute(
        "UPDATE alert_causes SET ended = $1 WHERE alert = $2 AND record = $3",
        {std::int64_t{ended}, alert, record});
    if (!done) return done;
  }
  return {};
}

}  // namespace

Status find_alerts_of_cause(Connection& connection, const CauseQuery& query, std::int64_t record,
                            AlertsOfCauses& alerts) {
  auto rows = connection.query(
      "SELECT a.id, a.rule, a.join_group FROM alert_causes c JOIN alerts a ON a.id = c.alert "
      "WHERE c.record = $1 AND c.ended = 0 AND a.subject = $2 AND "
      "($3 = '' OR (a.rule = $3 AND a.join_group = $4))",
      {record, query.subject, query.rule, query.group});
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return {};
    AlertOfCauses& alert = alerts[rows->integer(0)];
    alert.rule = std::string(rows->text(1));
    alert.group = std::string(rows->text(2));
    const auto place = std::lower_bound(alert.causes.begin(), alert.causes.end(), record);
    if (place == alert.causes.end() || *place != record) alert.causes.insert(place, record);
  }
}

Result<std::vector<std::int64_t>> causes_left(Connection& connection, std::int64_t alert,
                                              const std::vector<std::int64_t>& without) {
  auto left = integers(connection.query(
      "SELECT record FROM alert_causes WHERE alert = $1 AND ended = 0 ORDER BY record", {alert}));
  if (!left) return left;
  std::erase_if(*left, [&](std::int64_t record) {
    return std::binary_search(without.begin(), without.end(), record);
  });
  return left;
}

Result<std::vector<std::int64_t>> ended_causes(Connection& connection, std::int64_t alert,
                                               const std::vector<std::int64_t>& among) {
  auto ended = integers(connection.query(
      "SELECT record FROM alert_causes WHERE alert = $1 AND ended <> 0 ORDER BY record", {alert}));
  if (!ended) return ended;
  std::erase_if(*ended, [&](std::int64_t record) {
    return std::find(among.begin(), among.end(), record) == among.end();
  });
  return ended;
}

Result<std::int64_t> revise_causes(Writer& writer, const AlertPlace& place, std::int64_t alert,
                                   const CauseChange& change, const Act& act) {
  AlertStep step{.type = model::AlertEventType::revised};
  step.detail.holds = change.holds;
  if (change.because != 0) step.detail.because = {change.because};
  step.detail.ended = change.ended;
  step.detail.again = change.again;
  auto number = append_alert_event(writer, place, alert, step, act);
  if (!number) return number;
  Connection& connection = writer.connection();
  if (auto done = mark(connection, alert, change.ended, true); !done) return done.error();
  if (auto done = mark(connection, alert, change.again, false); !done) return done.error();
  return number;
}

}  // namespace trialward::store
