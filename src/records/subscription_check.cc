#include "records/subscription_check.h"

#include <string>

#include "records/row_name.h"
#include "store/subscription_rows.h"

namespace trialward::records {

using base::Status;

namespace {

std::string place_of(std::int64_t subscription) {
  return "subscription_states, subscription " + std::to_string(subscription);
}

// Every subscription by its newest version, with its place and its study's last event; and places
// that have none.
constexpr const char* kPlaces =
    "SELECT v.subscription, v.id, v.study, v.status, v.after_event, s.subscription, s.entry, "
    "s.study, s.status, s.event, s.count, s.greeted, "
    "(SELECT coalesce(max(e.number), 0) FROM alert_events e WHERE e.study = v.study) "
    "FROM subscriptions v LEFT JOIN subscription_states s ON s.subscription = v.subscription "
    "WHERE v.version = (SELECT max(n.version) FROM subscriptions n "
    "WHERE n.subscription = v.subscription) ORDER BY v.subscription";

Status check_places(store::Connection& reader) {
  auto rows = reader.query(kPlaces);
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return {};
    const std::string place = place_of(rows->integer(0));
    const bool deleted = rows->text(3) == "deleted", there = !rows->null(5);
    if (deleted && there) return bad(place, "it was deleted");
    if (deleted) continue;
    if (!there) return bad(place, "it is missing");
    if (rows->integer(6) != rows->integer(1)) return bad(place, "it is not of the newest version");
    if (rows->integer(7) != rows->integer(2)) return bad(place, "it is of another study");
    const auto status = store::parse_subscription_status(rows->text(8));
    if (!status) return bad(place, "there is no status " + quoted(rows->text(8)));
    // Only its client turns it on again.
    if (rows->text(3) == "off" && *status != store::SubscriptionStatus::off) {
      return bad(place, "its client has ended it");
    }
    const std::int64_t after = rows->integer(4), event = rows->integer(9);
    const std::int64_t count = rows->integer(10);
    if (event < after || event > rows->integer(12)) {
      return bad(place, "its study has no such event after it began: " + std::to_string(event));
    }
    if (count < 0 || count > event - after) {
      return bad(place, "so many events were not there: " + std::to_string(count));
    }
    const bool greeted = rows->integer(11) == 1;
    if (!greeted && (rows->integer(11) != 0 || *status == store::SubscriptionStatus::active)) {
      return bad(place, "it is active, and its endpoint has never answered");
    }
  }
}

Status find_strays(store::Connection& reader) {
  auto place = reader.integer(
      "SELECT s.subscription FROM subscription_states s WHERE NOT EXISTS (SELECT 1 FROM "
      "subscriptions v WHERE v.subscription = s.subscription) ORDER BY s.subscription LIMIT 1");
  if (place) return bad(place_of(*place), "there is no such subscription");
  if (place.error().code != base::Errc::not_found) return place.error();
  auto mark = reader.integer(
      "SELECT m.subscription FROM subscription_marks m LEFT JOIN subscription_states s "
      "ON s.subscription = m.subscription LEFT JOIN subscriptions v ON v.id = s.entry "
      "WHERE v.id IS NULL OR m.event <= v.after_event OR m.event > s.event OR m.count < 0 OR "
      "m.count > s.count OR m.count > m.event - v.after_event "
      "ORDER BY m.subscription, m.event LIMIT 1");
  if (mark) {
    return bad("subscription_marks, subscription " + std::to_string(*mark),
               "it has never been at such a place");
  }
  return mark.error().code == base::Errc::not_found ? Status() : Status(mark.error());
}

}  // namespace

Status check_subscriptions(store::Connection& reader) {
  if (auto begun = reader.execute("BEGIN"); !begun) return begun;
  Status done = check_places(reader);
  if (done) done = find_strays(reader);
  if (auto ended = reader.execute("COMMIT"); !ended && done) done = ended;
  return done;
}

}  // namespace trialward::records
