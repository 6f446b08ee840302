#include "store/alert_rows.h"

#include <array>
#include <limits>

#include "base/json_writer.h"
#include "store/alert_states.h"
#include "store/cause_list.h"
#include "store/read_back.h"
#include "store/storm_rows.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using model::AlertEventType;

namespace {

constexpr RowShape kOpenAlerts{
    .table = "open_alerts",
    .columns = "subject, rule, join_group, historical, alert",
    .sql = "INSERT INTO open_alerts (subject, rule, join_group, historical, alert) "
           "VALUES ($1, $2, $3, $4, $5)"};
constexpr RowShape kCauses{.table = "alert_causes",
                           .columns = "alert, record",
                           .sql = "INSERT INTO alert_causes (alert, record) VALUES ($1, $2)"};

Status append_detail(Writer& writer, const AlertPlace& place, std::int64_t event,
                     const model::AlertDetail& detail, const Act& act) {
  const std::string json = model::to_json(detail);
  if (json.empty()) return {};
  const std::array<SqlValue, 3> values = {writer.next_id(Table::alert_details), event,
                                          std::string_view(json)};
  Act detailing = act;
  detailing.action = "alert.detailed";
  detailing.reason = {};
  return writer.append(Table::alert_details, place.shard, detailing, values);
}

Result<std::int64_t> append_alert(Writer& writer, const AlertPlace& place,
                                  const model::RuleInfo& rule, std::string_view group,
                                  const Act& act) {
  const std::int64_t id = writer.next_id(Table::alerts);
  const std::array<SqlValue, 11> values = {id,
                                           place.study,
                                           place.subject,
                                           place.site,
                                           std::string_view(rule.id),
                                           std::int64_t{rule.version},
                                           std::string_view(rule.title),
                                           group,
                                           model::to_string(rule.severity),
                                           place.definition,
                                           act.at_ms};
  Act raising = act;
  raising.action = "alert.opened";
  if (auto done = writer.append(Table::alerts, place.shard, raising, values); !done) {
    return done.error();
  }
  auto opened = writer.connection().put(
      kOpenAlerts,
      {place.subject, std::string_view(rule.id), group, std::int64_t{place.historical}, id});
  if (!opened) return opened.error();
  return id;
}

// The records named in an event's "[1,2]", by the names that their senders know.
Result<std::vector<model::RecordName>> names_of(Connection& connection, std::string_view causes) {
  std::vector<model::RecordName> names;
  for (const std::int64_t id : causes_in(causes)) {
    auto rows = connection.query("SELECT source, source_id FROM records WHERE id = $1", {id});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return Error{Errc::corrupt, "record " + std::to_string(id) + " is not there"};
    names.push_back({id, std::string(rows->text(0)), std::string(rows->text(1))});
  }
  return names;
}

// By names: the study and subject of an alert, and its site.
struct NamedPlace {
  std::string study, subject, site;
};

Result<NamedPlace> place_of(Connection& connection, std::int64_t study, std::int64_t alert) {
  auto rows = connection.query(
      "SELECT t.study, s.subject, a.site FROM alerts a JOIN subjects s ON s.id = a.subject "
      "JOIN studies t ON t.id = a.study WHERE a.id = $1 AND a.study = $2",
      {alert, study});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return Error{Errc::not_found, "there is no alert " + std::to_string(alert)};
  return NamedPlace{std::string(rows->text(0)), std::string(rows->text(1)),
                    std::string(rows->text(2))};
}

// What the events of an alert say of it, beside what alert_states does.
Status add_history(Connection& connection, model::Alert& alert) {
  auto rows = connection.query(
      "SELECT e.type, e.at_ms, e.actor, e.note, e.causes, d.detail FROM alert_events e "
      "LEFT JOIN alert_details d ON d.event = e.id WHERE e.alert = $1 ORDER BY e.number",
      {alert.id});
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) break;
    auto names = names_of(connection, rows->text(4));
    if (!names) return names.error();
    alert.records.insert(alert.records.end(), names->begin(), names->end());
    const auto type = model::parse_alert_event_type(rows->text(0));
    if (type == AlertEventType::acknowledged) {
      alert.acknowledged_ms = rows->integer(1);
      alert.acknowledged_by = std::string(rows->text(2));
      alert.note = std::string(rows->text(3));
    } else if (type == AlertEventType::raised || type == AlertEventType::joined) {
      if (!rows->text(3).empty()) alert.finding = std::string(rows->text(3));
    } else if (type == AlertEventType::reopened) {
      alert.acknowledged_ms.reset();
    } else if (type == AlertEventType::assessed) {
      auto detail = model::parse_alert_detail(rows->text(5));
      if (!detail) return detail.error();
      alert.assessment = std::move(detail->assessment);
    } else if (type == AlertEventType::revised) {
      auto detail = model::parse_alert_detail(rows->text(5));
      if (!detail) return detail.error();
      alert.ended.insert(detail->ended.begin(), detail->ended.end());
      for (const std::int64_t record : detail->again) alert.ended.erase(record);
    }
  }
  auto duplicates = connection.integer(
      "SELECT count(*) FROM alert_states WHERE duplicate_of = $1 AND duplicate_of <> 0",
      {alert.id});
  if (!duplicates) return duplicates.error();
  alert.duplicates = *duplicates;
  return {};
}

Status add_life(Connection& connection, model::Alert& alert) {
  auto life = read_alert_life(connection, alert.id);
  if (!life) return life.error();
  if (!*life) {
    return Error{Errc::corrupt, "alert " + std::to_string(alert.id) + " has no state"};
  }
  alert.life = **life;
  return {};
}

// `life` is the alert's before, and after.
Result<std::int64_t> append_event(Writer& writer, const AlertPlace& place, std::int64_t alert,
                                  const AlertStep& step, const Act& act,
                                  std::optional<model::AlertLife>& life) {
  if (auto taken = model::take_event(life, step.type, step.detail, act.at_ms); !taken) {
    return Error{taken.error().code,
                 "alert " + std::to_string(alert) + ": " + taken.error().message};
  }
  auto number = writer.take_event_number(place.study);
  if (!number) return number.error();
  base::JsonWriter json;
  json.begin_array();
  for (const std::int64_t cause : step.causes) json.value(cause);
  json.end_array();
  const std::int64_t id = writer.next_id(Table::alert_events);
  const std::array<SqlValue, 9> values = {id,
                                          place.study,
                                          *number,
                                          alert,
                                          model::to_string(step.type),
                                          act.at_ms,
                                          act.actor,
                                          text_or_null(act.reason),
                                          std::string_view(json.text())};
  const std::string action = "alert." + std::string(model::to_string(step.type));
  Act event = act;
  event.action = action;
  if (auto done = writer.append(Table::alert_events, place.shard, event, values); !done) {
    return done.error();
  }
  if (auto done = append_detail(writer, place, id, step.detail, act); !done) return done.error();
  for (const std::int64_t cause : step.causes) {
    if (auto done = writer.connection().put(kCauses, {alert, cause}); !done) return done.error();
  }
  return *number;
}

// The event by which an alert begins.
Result<std::int64_t> append_raised(Writer& writer, const AlertPlace& place, std::int64_t alert,
                                   model::AlertSeverity severity, const AlertStep& step,
                                   const Act& act) {
  std::optional<model::AlertLife> life;
  auto number = append_event(writer, place, alert, step, act, life);
  if (!number) return number;
  const NewAlert raised{.id = alert, .study = place.study, .severity = severity};
  if (auto put = put_new_life(writer, raised, *life, act.at_ms); !put) return put.error();
  return number;
}

}  // namespace

Result<std::int64_t> append_alert_event(Writer& writer, const AlertPlace& place,
                                        std::int64_t alert, const AlertStep& step,
                                        const Act& act) {
  TW_CHECK(step.type != AlertEventType::raised);
  auto life = read_alert_life(writer.connection(), alert);
  if (!life) return life.error();
  const std::optional<model::AlertLife> before = *life;
  auto number = append_event(writer, place, alert, step, act, *life);
  if (!number) return number;
  const bool of_storm = step.type == model::AlertEventType::escalated && step.detail.storm != 0;
  auto put = put_alert_life(writer, alert, *before, **life, {step.type, act.at_ms, of_storm});
  if (!put) return put.error();
  return number;
}

namespace {

// Whom the first tier is.
model::AlertDetail first_tier(const AlertPlace& place, model::AlertSeverity severity) {
  if (place.escalation == nullptr) return {};
  const model::EscalationTier* tier = place.escalation->tier(severity, 1);
  if (tier == nullptr) return {};
  return {.targets = tier->targets, .tier = 1};
}

// The alert that was just raised has made a storm: all that wait become part of it.
Status begin_storm(Writer& writer, const AlertPlace& place, const model::RuleInfo& rule,
                   const std::vector<std::int64_t>& others, const Act& act, AlertChange& change) {
  const std::int64_t lead = change.alert;
  AlertStep step{.type = AlertEventType::stormed, .detail = first_tier(place, rule.severity)};
  step.detail.storm = lead;
  step.detail.count = std::ssize(others) + 1;
  auto number = append_alert_event(writer, place, lead, step, act);
  if (!number) return number.error();
  change.events.push_back(*number);
  if (auto told = storm_told(writer, lead, step.detail.tier, act.at_ms); !told) return told;
  step.detail = {.storm = lead};
  for (const std::int64_t alert : others) {
    number = step_alert(writer, place.study, alert, step, act);
    if (!number) return number.error();
    change.events.push_back(*number);
  }
  return {};
}

// Of a storm that doubles whoever is on call is told again, with the new count.
Status grow_storm(Writer& writer, const AlertPlace& place, const model::RuleInfo& rule,
                  const StormRow& storm, const Act& act, AlertChange& change) {
  const std::int64_t count = storm.count + 1;
  const std::int64_t first = place.escalation->storm->subjects;
  bool told = false;
  for (std::int64_t mark = 2 * first; mark <= count; mark *= 2) told = told || mark == count;
  if (!told) return {};
  AlertStep step{.type = AlertEventType::stormed, .detail = first_tier(place, rule.severity)};
  step.detail.storm = storm.lead;
  step.detail.count = count;
  auto number = step_alert(writer, place.study, storm.lead, step, act);
  if (!number) return number.error();
  change.events.push_back(*number);
  return {};
}

// What read_alert_events() would give of the event that was just appended.
model::AlertEvent told_of(const AlertPlace& place, const model::RuleInfo& rule,
                          const AlertChange& change, const AlertStep& step, const Act& act) {
  model::AlertEvent event{.number = change.events.back(),
                          .type = step.type,
                          .at_ms = act.at_ms,
                          .actor = std::string(act.actor),
                          .note = std::string(act.reason),
                          .detail = step.detail,
                          .alert = change.alert,
                          .site = std::string(place.site),
                          .rule = rule.id,
                          .title = rule.title,
                          .severity = std::string(model::to_string(rule.severity)),
                          .historical = place.historical};
  for (const std::int64_t cause : step.causes) event.causes.push_back({.id = cause});
  return event;
}

Result<AlertChange> raise(Writer& writer, const AlertPlace& place, const model::RuleInfo& rule,
                          const model::Match& match, const Act& act) {
  Connection& connection = writer.connection();
  const bool gathers =
      place.escalation != nullptr && place.escalation->storm && !place.historical;
  std::optional<StormRow> storm;
  if (gathers) {
    auto current =
        current_storm(connection, place.study, rule.id, *place.escalation->storm, act.at_ms);
    if (!current) return current.error();
    storm = *current;
  }
  auto raised = append_alert(writer, place, rule, match.group, act);
  if (!raised) return raised.error();
  AlertChange change{.alert = *raised, .raised = true};
  AlertStep step{.causes = match.causes};
  if (place.historical) {
    step.detail.historical = true;
  } else if (storm) {
    step.detail.storm = storm->lead;
  } else {
    step.detail = first_tier(place, rule.severity);
  }
  std::optional<std::vector<std::int64_t>> gathered;
  if (gathers && !storm) {
    const Gathering of{place.study, rule.id, place.subject, act.at_ms};
    auto found = gathering_storm(connection, of, *place.escalation->storm);
    if (!found) return found.error();
    gathered = std::move(*found);
    // The storm's event tells of the alert that makes it one: one page, not two.
    if (gathered) step.detail.targets.clear();
  }
  auto number = append_raised(writer, place, *raised, rule.severity, step, act);
  if (!number) return number.error();
  change.events.push_back(*number);
  change.told = told_of(place, rule, change, step, act);
  Status done;
  if (storm) done = grow_storm(writer, place, rule, *storm, act, change);
  if (gathered) done = begin_storm(writer, place, rule, *gathered, act, change);
  if (!done) return done.error();
  if (change.events.size() > 1) change.told.reset();
  return change;
}

}  // namespace

Result<AlertChange> raise_or_join(Writer& writer, const AlertPlace& place,
                                  const model::RuleInfo& rule, const model::Match& match,
                                  const Act& act) {
  Connection& connection = writer.connection();
  auto open = connection.integer(
      "SELECT alert FROM open_alerts WHERE subject = $1 AND rule = $2 AND join_group = $3 AND "
      "historical = $4",
      {place.subject, std::string_view(rule.id), std::string_view(match.group),
       std::int64_t{place.historical}});
  if (!open && open.error().code != Errc::not_found) return open.error();
  if (!open) return raise(writer, place, rule, match, act);
  AlertChange change{.alert = *open};
  AlertStep step{.type = AlertEventType::joined};
  for (const std::int64_t cause : match.causes) {
    auto known = connection.integer("SELECT 1 FROM alert_causes WHERE alert = $1 AND record = $2",
                                    {*open, cause});
    if (!known && known.error().code != Errc::not_found) return known.error();
    if (!known) step.causes.push_back(cause);
  }
  if (step.causes.empty()) return change;
  auto life = read_alert_life(connection, *open);
  if (!life) return life.error();
  // It begins to wait for somebody, so somebody is told.
  const bool wakes = *life && !place.historical && !(*life)->holds;
  if (wakes) step.detail = first_tier(place, rule.severity);
  auto number = append_alert_event(writer, place, *open, step, act);
  if (!number) return number.error();
  change.events.push_back(*number);
  return change;
}

Result<std::int64_t> step_alert(Writer& writer, std::int64_t study, std::int64_t alert,
                                const AlertStep& step, const Act& act) {
  auto of = place_of(writer.connection(), study, alert);
  if (!of) return of.error();
  const AlertPlace place{.study = study, .shard = model::shard_of(of->study, of->subject)};
  return append_alert_event(writer, place, alert, step, act);
}

Result<std::optional<std::int64_t>> revise_alert(Writer& writer, std::int64_t study,
                                                 std::int64_t alert, const Revision& revision,
                                                 const Act& act) {
  auto life = read_alert_life(writer.connection(), alert);
  if (!life) return life.error();
  if (*life && (*life)->holds == revision.holds) return std::optional<std::int64_t>();
  const AlertStep step{.type = AlertEventType::revised,
                       .detail = {.holds = revision.holds, .because = revision.because}};
  Act revising = act;
  revising.reason = revision.reason;
  auto number = step_alert(writer, study, alert, step, revising);
  if (!number) return number.error();
  return std::optional<std::int64_t>(*number);
}

Result<bool> first_arrival(Connection& connection, std::int64_t alert, std::int64_t event) {
  auto first = connection.integer(
      "SELECT NOT EXISTS (SELECT 1 FROM alert_events WHERE alert = $1 AND id > $2 AND "
      "type = 'reopened') FROM alert_states WHERE alert = $1 AND state = 'raised'",
      {alert, event});
  if (!first && first.error().code == Errc::not_found) return false;
  if (!first) return first.error();
  return *first != 0;
}

Result<std::string> alert_site(Connection& connection, std::int64_t study, std::int64_t alert) {
  auto place = place_of(connection, study, alert);
  if (!place) return place.error();
  return std::move(place->site);
}

Result<model::AlertSeverity> alert_severity(Connection& connection, std::int64_t alert) {
  auto rows = connection.query("SELECT severity FROM alerts WHERE id = $1", {alert});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  const auto severity = *row ? model::parse_severity(rows->text(0)) : std::nullopt;
  if (!severity) return Error{Errc::not_found, "there is no alert " + std::to_string(alert)};
  return *severity;
}

Result<std::vector<model::Alert>> read_alerts(Connection& connection, const AlertPage& page) {
  std::vector<model::Alert> alerts;
  const std::int64_t until =
      page.until != 0 ? page.until : std::numeric_limits<std::int64_t>::max();
  {
    auto rows = connection.query(
        "SELECT a.id, s.subject, a.site, a.rule, a.rule_version, a.title, a.severity, "
        "a.raised_ms, a.definition FROM alerts a JOIN subjects s ON s.id = a.subject "
        "JOIN alert_states t ON t.alert = a.id "
        "WHERE a.study = $1 AND a.id > $2 AND a.id <= $3 AND ($4 = '' OR a.site = $4) AND "
        "($5 = '' OR ($5 = 'open') = (t.state IN ('raised', 'delivered'))) AND "
        "($6 = '' OR t.state = $6) AND ($7 = 0 OR t.storm = $7) AND "
        "($8 < 0 OR t.historical = $8) ORDER BY a.id LIMIT $9",
        {page.study, page.after, until, std::string_view(page.site),
         std::string_view(page.status), std::string_view(page.state), page.storm,
         page.historical ? std::int64_t{*page.historical} : std::int64_t{-1},
         static_cast<std::int64_t>(page.limit)});
    if (!rows) return rows.error();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      model::Alert alert;
      alert.id = rows->integer(0);
      alert.subject = std::string(rows->text(1));
      alert.site = std::string(rows->text(2));
      alert.rule = std::string(rows->text(3));
      alert.rule_version = static_cast<int>(rows->integer(4));
      alert.title = std::string(rows->text(5));
      alert.severity = std::string(rows->text(6));
      alert.raised_ms = rows->integer(7);
      alert.definition = rows->integer(8);
      alerts.push_back(std::move(alert));
    }
  }
  for (model::Alert& alert : alerts) {
    if (auto added = add_life(connection, alert); !added) return added.error();
    if (auto added = add_history(connection, alert); !added) return added.error();
    auto values = read_back_of(connection, alert.id);
    if (!values) return values.error();
    alert.values = std::move(*values);
  }
  return alerts;
}

namespace {

constexpr std::string_view kEventColumns =
    "SELECT e.number, e.type, e.at_ms, e.actor, e.note, e.causes, a.id, s.subject, a.site, "
    "a.rule, a.title, a.severity, d.detail, t.historical FROM alert_events e "
    "JOIN alerts a ON a.id = e.alert JOIN subjects s ON s.id = a.subject "
    "LEFT JOIN alert_states t ON t.alert = a.id LEFT JOIN alert_details d ON d.event = e.id ";

Result<std::vector<model::AlertEvent>> events_in(Connection& connection, base::Result<Query> rows) {
  if (!rows) return rows.error();
  std::vector<model::AlertEvent> events;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return events;
    model::AlertEvent event;
    event.number = rows->integer(0);
    const auto type = model::parse_alert_event_type(rows->text(1));
    if (!type) {
      return Error{Errc::corrupt,
                   "the type of alert event " + std::to_string(event.number) + " is unknown"};
    }
    event.type = *type;
    event.at_ms = rows->integer(2);
    event.actor = std::string(rows->text(3));
    event.note = std::string(rows->text(4));
    auto names = names_of(connection, rows->text(5));
    if (!names) return names.error();
    event.causes = std::move(*names);
    event.alert = rows->integer(6);
    event.subject = std::string(rows->text(7));
    event.site = std::string(rows->text(8));
    event.rule = std::string(rows->text(9));
    event.title = std::string(rows->text(10));
    event.severity = std::string(rows->text(11));
    auto detail = model::parse_alert_detail(rows->text(12));
    if (!detail) return detail.error();
    event.detail = std::move(*detail);
    event.historical = rows->integer(13) != 0;
    events.push_back(std::move(event));
  }
}

}  // namespace

Result<std::vector<model::AlertEvent>> read_alert_events(Connection& connection,
                                                         std::int64_t study, std::int64_t after,
                                                         std::size_t limit) {
  static const std::string kSql =
      std::string(kEventColumns) +
      "WHERE e.study = $1 AND e.number > $2 ORDER BY e.number LIMIT $3";
  return events_in(connection, connection.query(
                                   kSql, {study, after, static_cast<std::int64_t>(limit)}));
}

Result<std::vector<model::AlertEvent>> read_alert_history(Connection& connection,
                                                          std::int64_t study, std::int64_t alert,
                                                          std::int64_t after, std::size_t limit) {
  // The unary plus keeps SQLite to the index of the alert's own events.
  static const std::string kSql =
      std::string(kEventColumns) +
      "WHERE e.alert = $1 AND +e.study = $2 AND +e.number > $3 ORDER BY e.number LIMIT $4";
  return events_in(connection,
                   connection.query(kSql, {alert, study, after, static_cast<std::int64_t>(limit)}));
}

Result<std::vector<std::int64_t>> alerts_of_record(Connection& connection, std::int64_t record) {
  auto rows =
      connection.query("SELECT alert FROM alert_causes WHERE record = $1 ORDER BY alert", {record});
  if (!rows) return rows.error();
  std::vector<std::int64_t> alerts;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return alerts;
    alerts.push_back(rows->integer(0));
  }
}

Result<std::int64_t> last_alert_event(Connection& connection, std::int64_t study) {
  return connection.integer(
      "SELECT coalesce((SELECT number FROM alert_heads WHERE study = $1), 0)", {study});
}

}  // namespace trialward::store
