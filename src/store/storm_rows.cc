#include "store/storm_rows.h"

namespace trialward::store {

using base::Result;
using base::Status;
using model::AlertLife;
using model::AlertWait;

namespace {

// Before there is a storm, one subject may still have very many alerts of a rule.
constexpr std::int64_t kRecentMax = 1000;

Result<std::optional<StormRow>> one_row(base::Result<Query> rows) {
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<StormRow>();
  return std::optional<StormRow>(StormRow{.lead = rows->integer(0),
                                          .count = rows->integer(1),
                                          .waits = rows->integer(2) != 0,
                                          .tier = static_cast<int>(rows->integer(3))});
}

// A storm of which nobody waits begins to, or goes on to wait from now: somebody is at work.
Status wait_anew(Writer& writer, std::int64_t lead, bool waits, std::int64_t at_ms) {
  return writer.connection().execute(
      "UPDATE alert_storms SET waits = $1, since_ms = $2, since_utc_ms = $3 WHERE alert = $4",
      {std::int64_t{waits}, writer.steady_ms(), at_ms, lead});
}

Status enter(Writer& writer, std::int64_t alert, std::int64_t lead, bool waits,
             std::int64_t at_ms) {
  Connection& connection = writer.connection();
  Status done;
  if (alert == lead) {
    done = connection.execute(
        "INSERT INTO alert_storms (count, waits, tier, since_ms, since_utc_ms, last_utc_ms, alert, "
        "study, rule, severity) SELECT 1, 0, 0, $1, $2, $3, id, study, rule, severity "
        "FROM alerts WHERE id = $4",
        {writer.steady_ms(), at_ms, at_ms, alert});
  } else {
    done = connection.execute(
        "UPDATE alert_storms SET count = count + 1, last_utc_ms = $1 WHERE alert = $2",
        {at_ms, lead});
  }
  if (!done || !waits) return done;
  auto storm = read_storm(connection, lead);
  if (!storm) return storm.error();
  if (!*storm || (*storm)->waits) return {};
  return wait_anew(writer, lead, true, at_ms);
}

Status leave(Writer& writer, std::int64_t lead, std::int64_t at_ms) {
  auto others = writer.connection().integer(
      "SELECT EXISTS (SELECT 1 FROM alert_states WHERE storm = $1 AND waits = 2 AND storm <> 0)",
      {lead});
  if (!others) return others.error();
  return wait_anew(writer, lead, *others != 0, at_ms);
}

}  // namespace

Result<std::optional<StormRow>> current_storm(Connection& connection, std::int64_t study,
                                              std::string_view rule,
                                              const model::StormLimit& limit,
                                              std::int64_t now_ms) {
  return one_row(connection.query(
      "SELECT alert, count, waits, tier FROM alert_storms WHERE study = $1 AND rule = $2 AND "
      "last_utc_ms >= $3 ORDER BY alert DESC LIMIT 1",
      {study, rule, now_ms - limit.within_ms}));
}

Result<std::optional<StormRow>> read_storm(Connection& connection, std::int64_t lead) {
  return one_row(connection.query(
      "SELECT alert, count, waits, tier FROM alert_storms WHERE alert = $1", {lead}));
}

Result<std::optional<std::vector<std::int64_t>>> gathering_storm(Connection& connection,
                                                                 const Gathering& of,
                                                                 const model::StormLimit& limit) {
  const std::int64_t from_ms = of.now_ms - limit.within_ms;
  auto others = connection.integer(
      "SELECT count(DISTINCT subject) FROM (SELECT a.subject FROM alerts a "
      "JOIN alert_states t ON t.alert = a.id WHERE a.study = $1 AND a.rule = $2 AND "
      "a.raised_ms >= $3 AND a.subject <> $4 AND t.historical = 0 AND t.storm = 0 "
      "ORDER BY a.raised_ms DESC LIMIT $5) recent",
      {of.study, of.rule, from_ms, of.subject, kRecentMax});
  if (!others) return others.error();
  if (*others + 1 < limit.subjects) return std::optional<std::vector<std::int64_t>>();
  auto rows = connection.query(
      "SELECT a.id FROM alerts a JOIN alert_states t ON t.alert = a.id WHERE a.study = $1 AND "
      "a.rule = $2 AND a.raised_ms >= $3 AND t.waits = 1 AND t.storm = 0 ORDER BY a.id LIMIT $4",
      {of.study, of.rule, from_ms, kRecentMax});
  if (!rows) return rows.error();
  std::vector<std::int64_t> waiting;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional(std::move(waiting));
    waiting.push_back(rows->integer(0));
  }
}

Status count_in_storm(Writer& writer, std::int64_t alert, const std::optional<AlertLife>& before,
                      const AlertLife& after, std::int64_t at_ms) {
  if (after.storm == 0) return {};
  const bool waits = after.waits == AlertWait::in_storm;
  if (!before || before->storm != after.storm) {
    return enter(writer, alert, after.storm, waits, at_ms);
  }
  if (before->waits != AlertWait::in_storm || waits) return {};
  return leave(writer, after.storm, at_ms);
}

Status storm_told(Writer& writer, std::int64_t lead, int tier, std::int64_t at_ms) {
  return writer.connection().execute(
      "UPDATE alert_storms SET tier = $1, since_ms = $2, since_utc_ms = $3 WHERE alert = $4",
      {std::int64_t{tier}, writer.steady_ms(), at_ms, lead});
}

}  // namespace trialward::store
