#include "records/storm_check.h"

#include <map>
#include <optional>
#include <set>
#include <string>

#include "model/alert_life.h"
#include "records/row_name.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using model::AlertEventType;
using model::AlertLife;
using model::AlertWait;

namespace {

// A storm as its alerts' events make it, one after the other; what store/storm_rows.cc does.
class Replay {
 public:
  explicit Replay(std::int64_t lead) : lead_(lead) {}

  Status take(std::int64_t alert, AlertEventType type, const model::AlertDetail& detail,
              std::int64_t at_ms) {
    std::optional<AlertLife>& life = lives_[alert];
    const std::optional<AlertLife> before = life;
    if (auto done = model::take_event(life, type, detail, at_ms); !done) return done;
    const bool waits_now = life->storm == lead_ && life->waits == AlertWait::in_storm;
    waits_now ? (void)waiting_.insert(alert) : (void)waiting_.erase(alert);
    if (life->storm == lead_) change(before, waits_now, at_ms);
    const bool told = alert == lead_ && detail.storm == lead_ &&
                      (type == AlertEventType::escalated ||
                       (type == AlertEventType::stormed && !(before && before->storm == lead_)));
    if (told) {
      tier = detail.tier;
      since_ms = at_ms;
    }
    return {};
  }

  std::int64_t count = 0, tier = 0, since_ms = 0, last_ms = 0;
  bool waits = false;

 private:
  void change(const std::optional<AlertLife>& before, bool waits_now, std::int64_t at_ms) {
    if (!before || before->storm != lead_) {
      if (count++ == 0) since_ms = at_ms;
      last_ms = at_ms;
      if (!waits_now || waits) return;
      waits = true;
      since_ms = at_ms;
    } else if (before->waits == AlertWait::in_storm && !waits_now) {
      waits = !waiting_.empty();
      since_ms = at_ms;
    }
  }

  const std::int64_t lead_;
  std::map<std::int64_t, std::optional<AlertLife>> lives_;
  std::set<std::int64_t> waiting_;
};

Status replay(store::Connection& reader, std::int64_t lead, Replay& storm) {
  auto events = reader.query(
      "SELECT e.alert, e.type, e.at_ms, d.detail FROM alert_states t "
      "JOIN alert_events e ON e.alert = t.alert LEFT JOIN alert_details d ON d.event = e.id "
      "WHERE t.storm = $1 AND t.storm <> 0 ORDER BY e.number",
      {lead});
  if (!events) return events.error();
  while (true) {
    auto event = events->next();
    if (!event) return event.error();
    if (!*event) return {};
    const auto type = model::parse_alert_event_type(events->text(1));
    const auto detail = model::parse_alert_detail(events->text(3));
    if (!type) return Error{Errc::corrupt, "an event of it has no type"};
    if (!detail) return detail.error();
    auto done = storm.take(events->integer(0), *type, *detail, events->integer(2));
    if (!done) return done;
  }
}

Status check_storm(store::Connection& reader, std::int64_t lead) {
  auto row = reader.query(
      "SELECT s.count, s.waits, s.tier, s.since_utc_ms, s.last_utc_ms, a.id IS NOT NULL AND "
      "t.alert IS NOT NULL FROM alert_storms s LEFT JOIN alerts a ON a.id = s.alert AND "
      "a.study = s.study AND a.rule = s.rule AND a.severity = s.severity "
      "LEFT JOIN alert_states t ON t.alert = s.alert AND t.storm = s.alert WHERE s.alert = $1",
      {lead});
  if (!row) return row.error();
  auto there = row->next();
  if (!there) return there.error();
  if (!*there) return {};
  const auto wrong = [](const char* what) { return Error{Errc::corrupt, what}; };
  if (row->integer(5) == 0) return wrong("there is no such alert, or it leads no storm");
  Replay storm(lead);
  if (auto done = replay(reader, lead, storm); !done) return done;
  if (row->integer(0) != storm.count) return wrong("it does not count the alerts of the storm");
  if (row->integer(1) != (storm.waits ? 1 : 0)) {
    return wrong("it does not say whether an alert of the storm waits");
  }
  if (row->integer(2) != storm.tier) return wrong("it does not say which tier was told");
  if (row->integer(3) != storm.since_ms) return wrong("it does not say since when it waits");
  if (row->integer(4) != storm.last_ms) return wrong("it does not say when its last alert came");
  return {};
}

// Each alert of a storm has one: alert_states names its lead.
Status check_all(store::Connection& reader) {
  auto alien = reader.integer(
      "SELECT t.alert FROM alert_states t LEFT JOIN alert_storms s ON s.alert = t.storm "
      "WHERE t.storm <> 0 AND s.alert IS NULL LIMIT 1");
  if (alien)
    return bad("alert_storms", "the storm of alert " + std::to_string(*alien) + " is missing");
  if (alien.error().code != Errc::not_found) return alien.error();
  for (std::int64_t lead = 0;;) {
    auto next = reader.integer(
        "SELECT alert FROM alert_storms WHERE alert > $1 ORDER BY alert LIMIT 1", {lead});
    if (!next && next.error().code == Errc::not_found) break;
    if (!next) return next.error();
    lead = *next;
    if (auto done = check_storm(reader, lead); !done) {
      return in_place("alert_storms, alert " + std::to_string(lead), done.error());
    }
  }
  auto stray = reader.integer("SELECT alert FROM alert_storms WHERE alert < 1 LIMIT 1");
  if (stray) return bad("alert_storms, alert " + std::to_string(*stray), "there is no such alert");
  return stray.error().code == Errc::not_found ? Status() : Status(stray.error());
}

}  // namespace

Status check_storms(store::Connection& reader) {
  if (auto begun = reader.execute("BEGIN"); !begun) return begun;
  Status done = check_all(reader);
  if (auto ended = reader.execute("COMMIT"); !ended && done) done = ended;
  return done;
}

}  // namespace trialward::records
