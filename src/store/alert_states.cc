#include "store/alert_states.h"

#include "store/storm_rows.h"

namespace trialward::store {

using base::Result;
using base::Status;
using model::AlertLife;
using model::AlertWait;

namespace {

constexpr RowShape kStates{
    .table = "alert_states",
    .columns = "alert, study, severity, state, waits, tier, since_ms, since_utc_ms, holds, "
               "historical, takes_causes, storm, duplicate_of",
    .sql = "INSERT INTO alert_states (alert, study, severity, state, waits, tier, since_ms, "
           "since_utc_ms, holds, historical, takes_causes, storm, duplicate_of) "
           "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};

Status update_life(Writer& writer, std::int64_t alert, const AlertLife& life, bool waits_anew) {
  auto done = writer.connection().execute(
      "UPDATE alert_states SET state = $1, waits = $2, tier = $3, since_utc_ms = $4, holds = $5, "
      "historical = $6, takes_causes = $7, storm = $8, duplicate_of = $9 WHERE alert = $10",
      {model::to_string(life.state), static_cast<std::int64_t>(life.waits),
       std::int64_t{life.tier}, life.since_utc_ms, std::int64_t{life.holds},
       std::int64_t{life.historical}, std::int64_t{life.takes_causes}, life.storm,
       life.duplicate_of, alert});
  if (!done || !waits_anew) return done;
  return writer.connection().execute("UPDATE alert_states SET since_ms = $1 WHERE alert = $2",
                                     {writer.steady_ms(), alert});
}

}  // namespace

Result<std::optional<AlertLife>> read_alert_life(Connection& connection, std::int64_t alert) {
  auto rows = connection.query(
      "SELECT state, waits, tier, since_utc_ms, holds, historical, takes_causes, storm, "
      "duplicate_of FROM alert_states WHERE alert = $1",
      {alert});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<AlertLife>();
  const auto state = model::parse_alert_state(rows->text(0));
  const std::int64_t waits = rows->integer(1);
  const auto is_flag = [&](int column) {
    return rows->integer(column) == 0 || rows->integer(column) == 1;
  };
  if (!state || waits < 0 || waits > static_cast<std::int64_t>(AlertWait::in_storm) ||
      !is_flag(4) || !is_flag(5) || !is_flag(6)) {
    return base::Error{base::Errc::corrupt,
                       "the state of alert " + std::to_string(alert) + " cannot be read"};
  }
  return std::optional<AlertLife>(AlertLife{.state = *state,
                                            .waits = static_cast<AlertWait>(waits),
                                            .since_utc_ms = rows->integer(3),
                                            .tier = static_cast<int>(rows->integer(2)),
                                            .holds = rows->integer(4) != 0,
                                            .historical = rows->integer(5) != 0,
                                            .takes_causes = rows->integer(6) != 0,
                                            .storm = rows->integer(7),
                                            .duplicate_of = rows->integer(8)});
}

Status put_new_life(Writer& writer, const NewAlert& alert, const AlertLife& life,
                    std::int64_t at_ms) {
  auto done = writer.connection().put(
      kStates,
      {alert.id, alert.study, model::to_string(alert.severity), model::to_string(life.state),
       static_cast<std::int64_t>(life.waits), std::int64_t{life.tier}, writer.steady_ms(),
       life.since_utc_ms, std::int64_t{life.holds}, std::int64_t{life.historical},
       std::int64_t{life.takes_causes}, life.storm, life.duplicate_of});
  return done ? count_in_storm(writer, alert.id, std::nullopt, life, at_ms) : done;
}

Status put_alert_life(Writer& writer, std::int64_t alert, const AlertLife& before,
                      const AlertLife& after, const AlertChangeCause& cause) {
  if (before.takes_causes && !after.takes_causes) {
    auto taken = writer.connection().execute(
        "DELETE FROM open_alerts WHERE alert = $1 AND historical = $2 AND "
        "(subject, rule, join_group) = "
        "(SELECT subject, rule, join_group FROM alerts WHERE id = alert)",
        {alert, std::int64_t{before.historical}});
    if (!taken) return taken;
  }
  const bool told = cause.type == model::AlertEventType::escalated && !cause.of_storm;
  const bool waits_anew =
      after.waits == AlertWait::alone && (before.waits == AlertWait::none || told);
  if (after == before && !waits_anew) return {};
  if (auto done = update_life(writer, alert, after, waits_anew); !done) return done;
  return count_in_storm(writer, alert, before, after, cause.at_ms);
}

}  // namespace trialward::store
