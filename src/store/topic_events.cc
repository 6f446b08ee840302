#include "store/topic_events.h"

#include <algorithm>
#include <limits>
#include <map>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

namespace {

bool among(const std::vector<std::string>& list, std::string_view text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

bool fits(const TopicWish& wish, const TopicEvent& event) {
  return event.type != model::AlertEventType::delivered &&
         (wish.site.empty() || wish.site == event.site) && among(wish.subjects, event.subject) &&
         among(wish.rules, event.rule) && among(wish.severities, event.severity);
}

// The first event of an alert that is about today: 0 of one that was never historical; of one that
// was raised so, the one that reopened it first.
Result<std::int64_t> of_today_from(Connection& connection, std::int64_t alert) {
  auto raised = connection.query(
      "SELECT d.detail FROM alert_events e JOIN alert_details d ON d.event = e.id "
      "WHERE e.alert = $1 AND e.type = 'raised'",
      {alert});
  if (!raised) return raised.error();
  auto row = raised->next();
  if (!row) return row.error();
  if (!*row) return 0;
  auto detail = model::parse_alert_detail(raised->text(0));
  if (!detail) return detail.error();
  if (!detail->historical) return 0;
  return connection.integer(
      "SELECT coalesce(min(number), $1) FROM alert_events WHERE alert = $2 AND type = 'reopened'",
      {std::numeric_limits<std::int64_t>::max(), alert});
}

Result<std::vector<TopicEvent>> events_after(Connection& connection, std::int64_t study,
                                             std::int64_t after, std::size_t limit) {
  auto rows = connection.query(
      "SELECT e.number, e.alert, e.type, e.at_ms, s.subject, a.site, a.rule, a.severity "
      "FROM alert_events e JOIN alerts a ON a.id = e.alert JOIN subjects s ON s.id = a.subject "
      "WHERE e.study = $1 AND e.number > $2 ORDER BY e.number LIMIT $3",
      {study, after, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.error();
  std::vector<TopicEvent> events;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return events;
    TopicEvent event{.number = rows->integer(0), .alert = rows->integer(1)};
    const auto type = model::parse_alert_event_type(rows->text(2));
    if (!type) {
      return Error{Errc::corrupt, "alert event " + std::to_string(event.number) + " is of no type"};
    }
    event.type = *type;
    event.at_ms = rows->integer(3);
    event.subject = rows->text(4);
    event.site = rows->text(5);
    event.rule = rows->text(6);
    event.severity = rows->text(7);
    events.push_back(std::move(event));
  }
}

}  // namespace

Result<TopicPage> read_topic_events(Connection& connection, std::int64_t study,
                                    const TopicWish& wish, std::int64_t after, std::size_t limit,
                                    std::size_t looked_at) {
  constexpr std::size_t kRowsMin = 20, kRows = 200;  // read at once
  TopicPage page{.seen = after};
  std::map<std::int64_t, std::int64_t> today_from;  // by alert
  for (std::size_t looked = 0; looked < looked_at && page.events.size() < limit;) {
    const std::size_t rows = std::min({kRows, looked_at - looked, std::max(limit, kRowsMin)});
    auto events = events_after(connection, study, page.seen, rows);
    if (!events) return events.error();
    looked += events->size();
    page.at_end = events->size() < rows;
    for (TopicEvent& event : *events) {
      if (page.events.size() == limit) {
        page.at_end = false;
        break;
      }
      page.seen = event.number;
      if (!fits(wish, event)) continue;
      auto known = today_from.find(event.alert);
      if (known == today_from.end()) {
        auto from = of_today_from(connection, event.alert);
        if (!from) return from.error();
        known = today_from.emplace(event.alert, *from).first;
      }
      if (event.number >= known->second) page.events.push_back(std::move(event));
    }
    if (page.at_end) break;
  }
  return page;
}

}  // namespace trialward::store
