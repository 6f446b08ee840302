#include "store/outbox_rows.h"

#include <array>

#include "base/json_writer.h"
#include "model/effective_time.h"
#include "model/record.h"
#include "store/alert_rows.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr std::array<std::string_view, 4> kStates = {"pending", "delivered", "dead", "discarded"};
constexpr std::size_t kErrorBytesMax = 300;

// A row with what its audit entry needs.
struct Place {
  std::int64_t study = 0, event = 0, alert = 0, attempts = 0;
  DeliveryState state = DeliveryState::pending;
  std::string target, study_id, subject, site;
};

Result<std::optional<Place>> place_of(Connection& connection, std::int64_t delivery) {
  auto rows = connection.query(
      "SELECT o.study, o.event, o.alert, o.attempts, o.state, o.target, t.study, s.subject, "
      "a.site FROM outbox o JOIN studies t ON t.id = o.study JOIN subjects s ON s.id = o.subject "
      "JOIN alerts a ON a.id = o.alert WHERE o.id = $1",
      {delivery});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<Place>();
  return std::optional<Place>(Place{.study = rows->integer(0),
                                    .event = rows->integer(1),
                                    .alert = rows->integer(2),
                                    .attempts = rows->integer(3),
                                    .state = static_cast<DeliveryState>(rows->integer(4)),
                                    .target = std::string(rows->text(5)),
                                    .study_id = std::string(rows->text(6)),
                                    .subject = std::string(rows->text(7)),
                                    .site = std::string(rows->text(8))});
}

// The audited row that says what became of a delivery.
Status append_outcome(Writer& writer, const Place& place, int shard, std::string_view outcome,
                      const Act& act) {
  const std::array<SqlValue, 8> values = {writer.next_id(Table::delivery_outcomes),
                                          place.study,
                                          place.event,
                                          place.alert,
                                          std::string_view(place.target),
                                          outcome,
                                          place.attempts,
                                          act.at_ms};
  const std::string action = "delivery." + std::string(outcome);
  Act named = act;
  named.action = action;
  return writer.append(Table::delivery_outcomes, shard, named, values);
}

Status append_outcome(Writer& writer, const Place& place, std::string_view outcome,
                      const Act& act) {
  return append_outcome(writer, place, model::shard_of(place.study_id, place.subject), outcome,
                        act);
}

// There is so much more, or less, of a target that is pending or dead.
Status count(Connection& connection, std::string_view target, std::int64_t pending,
             std::int64_t dead) {
  return connection.execute(
      "INSERT INTO outbox_counts (target, pending, dead) VALUES ($1, $2, $3) "
      "ON CONFLICT (target) DO UPDATE SET pending = outbox_counts.pending + excluded.pending, "
      "dead = outbox_counts.dead + excluded.dead",
      {target, pending, dead});
}

Status set_state(Connection& connection, std::int64_t delivery, const Place& place,
                 DeliveryState state, std::int64_t at_ms) {
  auto set = connection.execute(
      "UPDATE outbox SET state = $1, settled_ms = $2 WHERE id = $3",
      {static_cast<std::int64_t>(state),
       state == DeliveryState::pending ? SqlValue{} : SqlValue{at_ms}, delivery});
  if (!set) return set;
  const auto more = [&](DeliveryState of) {
    return std::int64_t{state == of} - std::int64_t{place.state == of};
  };
  return count(connection, place.target, more(DeliveryState::pending), more(DeliveryState::dead));
}

Status write_attempt(Connection& connection, const DeliveryAttempt& attempt,
                     std::int64_t number) {
  auto counted = connection.execute("UPDATE outbox SET attempts = $1 WHERE id = $2",
                                    {number, attempt.delivery});
  if (!counted) return counted;
  auto written = connection.execute(
      "INSERT INTO outbox_attempts (delivery, number, at_ms, outcome, status, duration_ms, error) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {attempt.delivery, number, attempt.at_ms, std::string_view(attempt.outcome),
       std::int64_t{attempt.status}, attempt.duration_ms,
       text_or_null(std::string_view(attempt.error).substr(0, kErrorBytesMax))});
  if (!written || number <= kAttemptsKept) return written;
  return connection.execute("DELETE FROM outbox_attempts WHERE delivery = $1 AND number <= $2",
                            {attempt.delivery, number - kAttemptsKept});
}

PendingDelivery pending_in(const Query& rows) {
  return {.id = rows.integer(0),
          .subject = rows.integer(1),
          .attempts = rows.integer(2),
          .created_ms = rows.integer(3)};
}

Status read_attempts(Connection& connection, DeliveryRow& delivery) {
  auto rows = connection.query(
      "SELECT number, at_ms, outcome, status, duration_ms, error FROM outbox_attempts "
      "WHERE delivery = $1 ORDER BY number",
      {delivery.id});
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return {};
    if (delivery.newest.empty()) delivery.first_number = rows->integer(0);
    delivery.newest.push_back({.at_ms = rows->integer(1),
                               .outcome = std::string(rows->text(2)),
                               .status = static_cast<int>(rows->integer(3)),
                               .duration_ms = rows->integer(4),
                               .error = std::string(rows->text(5))});
  }
}

}  // namespace

std::string_view to_string(DeliveryState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<DeliveryState>(i);
  }
  return std::nullopt;
}

Status append_delivery(Writer& writer, const NewDelivery& delivery) {
  TW_CHECK(writer.in_transaction());
  auto there = writer.connection().integer(
      "SELECT count(*) FROM outbox WHERE event = $1 AND target = $2",
      {delivery.event, delivery.target});
  if (!there) return there.error();
  if (*there != 0) return {};
  auto done = writer.connection().execute(
      "INSERT INTO outbox (study, event, alert, subject, target, state, created_ms, attempts) "
      "VALUES ($1, $2, $3, $4, $5, 0, $6, 0)",
      {delivery.study, delivery.event, delivery.alert, delivery.subject, delivery.target,
       delivery.at_ms});
  if (done) done = count(writer.connection(), delivery.target, 1, 0);
  if (!done) return done;
  const Place place{.study = delivery.study,
                    .event = delivery.event,
                    .alert = delivery.alert,
                    .target = std::string(delivery.target)};
  return append_outcome(writer, place, delivery.shard, "queued",
                        {.actor = "delivery", .at_ms = delivery.at_ms});
}

Status append_deliveries(Writer& writer, std::int64_t study, std::int64_t event_number,
                         std::span<const std::string> targets, std::int64_t at_ms) {
  if (targets.empty()) return {};
  NewDelivery delivery{.study = study, .at_ms = at_ms};
  {
    auto rows = writer.connection().query(
        "SELECT e.id, e.alert, a.subject, t.study, s.subject FROM alert_events e "
        "JOIN alerts a ON a.id = e.alert JOIN subjects s ON s.id = a.subject "
        "JOIN studies t ON t.id = e.study WHERE e.study = $1 AND e.number = $2",
        {study, event_number});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    TW_CHECK(*row);
    delivery.event = rows->integer(0);
    delivery.alert = rows->integer(1);
    delivery.subject = rows->integer(2);
    delivery.shard = model::shard_of(rows->text(3), rows->text(4));
  }
  for (const std::string& target : targets) {
    delivery.target = target;
    if (auto done = append_delivery(writer, delivery); !done) return done;
  }
  return {};
}

Result<std::vector<Delivered>> record_attempts(Writer& writer,
                                               std::span<const DeliveryAttempt> attempts,
                                               std::string_view actor, std::int64_t now_ms) {
  std::vector<Delivered> delivered;
  for (const DeliveryAttempt& attempt : attempts) {
    auto found = place_of(writer.connection(), attempt.delivery);
    if (!found) return found.error();
    if (!*found) continue;  // settled and cleaned up long ago
    Place& place = **found;
    ++place.attempts;
    if (auto done = write_attempt(writer.connection(), attempt, place.attempts); !done) {
      return done.error();
    }
    // What was taken is taken, whatever a person did meanwhile; else only what waits changes.
    const bool taken = attempt.next == DeliveryState::delivered;
    if (attempt.next == DeliveryState::pending || place.state == DeliveryState::delivered ||
        (!taken && place.state != DeliveryState::pending)) {
      continue;
    }
    auto set = set_state(writer.connection(), attempt.delivery, place, attempt.next, now_ms);
    if (!set) return set.error();
    const Act act{.actor = actor, .reason = attempt.error, .at_ms = now_ms};
    auto noted = append_outcome(writer, place, to_string(attempt.next), act);
    if (!noted) return noted.error();
    if (taken) {
      delivered.push_back({.study = place.study,
                           .event = place.event,
                           .alert = place.alert,
                           .delivery = attempt.delivery,
                           .target = std::move(place.target)});
    }
  }
  return delivered;
}

Status change_delivery(Writer& writer, std::int64_t study, std::string_view site,
                       std::int64_t delivery, DeliveryChange change, const Act& act) {
  auto found = place_of(writer.connection(), delivery);
  if (!found) return found.error();
  const std::string name = "delivery " + std::to_string(delivery);
  if (!*found || (*found)->study != study || (!site.empty() && (*found)->site != site)) {
    return Error{Errc::not_found, "there is no " + name};
  }
  const Place& place = **found;
  const bool resend = change == DeliveryChange::resend;
  const bool dead = place.state == DeliveryState::dead;
  if (!dead && !(place.state == DeliveryState::pending && !resend) &&
      !(place.state == DeliveryState::discarded && resend)) {
    return Error{Errc::conflict, name + " is " + std::string(to_string(place.state)) +
                                     "; one that is dead can be resent or discarded, a pending "
                                     "one discarded, a discarded one resent"};
  }
  auto set = set_state(writer.connection(), delivery, place,
                       resend ? DeliveryState::pending : DeliveryState::discarded, act.at_ms);
  if (!set) return set;
  return append_outcome(writer, place, resend ? "resent" : "discarded", act);
}

Result<std::int64_t> prune_deliveries(Connection& connection, std::int64_t before_ms,
                                      std::int64_t limit) {
  std::vector<std::int64_t> ids;
  {
    auto rows = connection.query(
        "SELECT id FROM outbox WHERE state IN (1, 3) AND settled_ms < $1 "
        "ORDER BY settled_ms LIMIT $2",
        {before_ms, limit});
    if (!rows) return rows.error();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      ids.push_back(rows->integer(0));
    }
  }
  for (const std::int64_t id : ids) {
    auto gone = connection.execute("DELETE FROM outbox_attempts WHERE delivery = $1", {id});
    if (gone) gone = connection.execute("DELETE FROM outbox WHERE id = $1", {id});
    if (!gone) return gone.error();
  }
  return static_cast<std::int64_t>(ids.size());
}

Result<std::vector<PendingDelivery>> read_pending(Connection& connection, std::string_view target,
                                                  std::int64_t after, std::size_t limit) {
  auto rows = connection.query(
      "SELECT id, subject, attempts, created_ms FROM outbox "
      "WHERE state = 0 AND target = $1 AND id > $2 ORDER BY id LIMIT $3",
      {target, after, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<PendingDelivery> pending;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return pending;
    pending.push_back(pending_in(*rows));
  }
}

Result<std::optional<FoundPending>> find_pending(Connection& connection, std::int64_t delivery) {
  auto rows = connection.query(
      "SELECT id, subject, attempts, created_ms, target FROM outbox WHERE state = 0 AND id = $1",
      {delivery});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<FoundPending>();
  return std::optional(
      FoundPending{.row = pending_in(*rows), .target = std::string(rows->text(4))});
}

Result<std::optional<PendingDelivery>> first_pending(Connection& connection,
                                                     std::string_view target,
                                                     std::int64_t subject) {
  auto rows = connection.query(
      "SELECT id, subject, attempts, created_ms FROM outbox "
      "WHERE state = 0 AND target = $1 AND subject = $2 ORDER BY id LIMIT 1",
      {target, subject});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return std::optional<PendingDelivery>();
  return std::optional<PendingDelivery>(pending_in(*rows));
}

Result<std::optional<DeliveryContent>> read_delivery_content(Connection& connection,
                                                             std::int64_t delivery) {
  DeliveryContent content;
  std::int64_t study = 0, number = 0;
  {
    auto rows = connection.query(
        "SELECT o.event, e.study, e.number, t.study FROM outbox o "
        "JOIN alert_events e ON e.id = o.event JOIN studies t ON t.id = e.study "
        "WHERE o.id = $1 AND o.state = 0",
        {delivery});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional<DeliveryContent>();
    content.event = rows->integer(0);
    study = rows->integer(1);
    number = rows->integer(2);
    content.study = std::string(rows->text(3));
  }
  auto events = read_alert_events(connection, study, number - 1, 1);
  if (!events) return events.error();
  if (events->empty()) return Error{Errc::corrupt, "an alert event of the outbox is missing"};
  content.alert_event = std::move(events->front());
  return std::optional<DeliveryContent>(std::move(content));
}

Result<std::string> read_store_id(Connection& connection) {
  auto rows = connection.query("SELECT value FROM meta WHERE key = 'store_id'");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return Error{Errc::corrupt, "the store has no id"};
  return std::string(rows->text(0));
}

Result<std::int64_t> last_delivery(Connection& connection) {
  if (connection.is_postgres()) {
    return connection.integer(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_id_seq");
  }
  return connection.integer(
      "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)");
}

Result<std::vector<DeliveryCounts>> count_deliveries(Connection& connection) {
  // The oldest pending one of a target is the first in its index.
  auto rows = connection.query(
      "SELECT c.target, c.pending, c.dead, coalesce((SELECT o.created_ms FROM outbox o "
      "WHERE o.state = 0 AND o.target = c.target ORDER BY o.id LIMIT 1), 0) "
      "FROM outbox_counts c WHERE c.pending <> 0 OR c.dead <> 0 ORDER BY c.target");
  if (!rows) return rows.error();
  std::vector<DeliveryCounts> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back({.target = std::string(rows->text(0)),
                   .pending = rows->integer(1),
                   .dead = rows->integer(2),
                   .oldest_pending_ms = rows->integer(3)});
  }
}

Result<std::vector<DeliveryRow>> read_deliveries(Connection& connection,
                                                 const DeliveryPage& page) {
  std::vector<DeliveryRow> all;
  {
    const std::int64_t state = page.state ? static_cast<std::int64_t>(*page.state) : -1;
    auto rows = connection.query(
        "SELECT o.id, o.alert, e.number, e.type, s.subject, a.site, o.target, o.state, "
        "o.created_ms, o.attempts, o.settled_ms FROM outbox o "
        "JOIN alert_events e ON e.id = o.event JOIN alerts a ON a.id = o.alert "
        "JOIN subjects s ON s.id = o.subject "
        "WHERE o.study = $1 AND o.id > $2 AND ($3 = '' OR a.site = $3) AND "
        "($4 = '' OR o.target = $4) AND ($5 < 0 OR o.state = $5) AND ($6 = 0 OR o.alert = $6) "
        "ORDER BY o.id LIMIT $7",
        {page.study, page.after, std::string_view(page.site), std::string_view(page.target), state,
         page.alert, static_cast<std::int64_t>(page.limit)});
    if (!rows) return rows.error();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      DeliveryRow one{.id = rows->integer(0),
                      .alert = rows->integer(1),
                      .event_number = rows->integer(2),
                      .event_type = std::string(rows->text(3)),
                      .subject = std::string(rows->text(4)),
                      .site = std::string(rows->text(5)),
                      .target = std::string(rows->text(6)),
                      .state = static_cast<DeliveryState>(rows->integer(7)),
                      .created_ms = rows->integer(8),
                      .attempts = rows->integer(9)};
      if (!rows->null(10)) one.settled_ms = rows->integer(10);
      all.push_back(std::move(one));
    }
  }
  for (DeliveryRow& one : all) {
    if (auto done = read_attempts(connection, one); !done) return done.error();
  }
  return all;
}

std::string to_json(const DeliveryRow& row) {
  base::JsonWriter json;
  json.begin_object()
      .member("id", row.id)
      .member("target", row.target)
      .member("status", to_string(row.state))
      .member("alert", row.alert)
      .member("event", row.event_number)
      .member("event_type", row.event_type)
      .member("subject", row.subject)
      .member("site", row.site)
      .member("created", model::format_utc(row.created_ms));
  if (row.settled_ms) json.member("settled", model::format_utc(*row.settled_ms));
  json.member("attempts", row.attempts).key("newest_attempts").begin_array();
  std::int64_t number = row.first_number;
  for (const DeliveryAttempt& attempt : row.newest) {
    json.begin_object()
        .member("number", number++)
        .member("at", model::format_utc(attempt.at_ms))
        .member("outcome", attempt.outcome);
    if (attempt.status != 0) json.member("code", attempt.status);
    json.member("duration_ms", attempt.duration_ms)
        .member_if("error", attempt.error)
        .end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace trialward::store
