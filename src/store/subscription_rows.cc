#include "store/subscription_rows.h"

#include <array>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr int kSubscriptionShard = 0;  // they belong to no subject's chain
constexpr std::size_t kWalk = 1000;    // events looked at in one reading
constexpr std::array<std::string_view, kSubscriptionStatuses> kStatusNames = {"requested", "active",
                                                                              "error", "off"};
constexpr std::string_view kDeleted = "deleted";

constexpr std::string_view kColumns =
    "SELECT v.subscription, v.study, v.id, v.version, v.token, v.site, v.base, v.after_event, "
    "v.resource, v.at_ms, s.status, s.greeted, s.event, s.count, s.headers, s.error, s.changed_ms "
    "FROM subscription_states s JOIN subscriptions v ON v.id = s.entry ";

Error missing(std::int64_t id) {
  return {Errc::not_found, "there is no subscription " + std::to_string(id)};
}

// Headers have no line ends.
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Result<std::vector<Subscription>> read_all(Result<Query> rows) {
  if (!rows) return rows.error();
  std::vector<Subscription> all;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return all;
    Subscription one{.id = rows->integer(0),
                     .study = rows->integer(1),
                     .entry = rows->integer(2),
                     .version = rows->integer(3),
                     .token = rows->integer(4)};
    one.site = rows->text(5);
    one.base = rows->text(6);
    one.after_event = rows->integer(7);
    one.resource = rows->text(8);
    one.at_ms = rows->integer(9);
    const auto status = parse_subscription_status(rows->text(10));
    if (!status) {
      return Error{Errc::corrupt,
                   "subscription " + std::to_string(one.id) + " has no status that is known"};
    }
    one.status = *status;
    one.greeted = rows->integer(11) != 0;
    one.event = rows->integer(12);
    one.count = rows->integer(13);
    one.headers = split(rows->text(14));
    one.error = rows->text(15);
    one.changed_ms = rows->integer(16);
    all.push_back(std::move(one));
  }
}

Status append_version(Writer& writer, Subscription& one, std::string_view status, const Act& act) {
  one.entry = writer.next_id(Table::subscriptions);
  if (one.id == 0) one.id = one.entry;
  one.at_ms = act.at_ms;
  const std::array<SqlValue, 11> values = {one.entry,
                                           one.study,
                                           one.id,
                                           one.version,
                                           status,
                                           one.token,
                                           text_or_null(one.site),
                                           std::string_view(one.base),
                                           one.after_event,
                                           std::string_view(one.resource),
                                           one.at_ms};
  return writer.append(Table::subscriptions, kSubscriptionShard, act, values);
}

// The place from which the n-th event is to be walked to: that of the events taken, or a mark.
struct Place {
  std::int64_t event = 0, count = 0;
};
Result<Place> place_before(Connection& connection, const Subscription& one, std::int64_t n) {
  if (one.count < n) return Place{one.event, one.count};
  auto rows = connection.query(
      "SELECT event, count FROM subscription_marks WHERE subscription = $1 AND count < $2 "
      "ORDER BY event DESC LIMIT 1",
      {one.id, n});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return Place{one.after_event, 0};
  return Place{rows->integer(0), rows->integer(1)};
}

}  // namespace

std::string_view to_string(SubscriptionStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<SubscriptionStatus> parse_subscription_status(std::string_view text) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == text) return static_cast<SubscriptionStatus>(i);
  }
  return std::nullopt;
}

Status append_subscription(Writer& writer, Subscription& one, const Act& act) {
  Connection& connection = writer.connection();
  auto others =
      connection.integer("SELECT count(*) FROM subscription_states WHERE study = $1", {one.study});
  if (!others) return others.error();
  if (*others >= kSubscriptionsMax) {
    return Error{Errc::conflict, "the study has " + std::to_string(kSubscriptionsMax) +
                                     " subscriptions already, as many as it may; delete one"};
  }
  // Those of this transaction among them: the numbers go on behind it.
  auto last = connection.integer(
      "SELECT coalesce(max(number), 0) FROM alert_events WHERE study = $1", {one.study});
  if (!last) return last.error();
  one.after_event = one.event = *last;
  one.version = 1;
  one.id = one.count = 0;
  if (auto done = append_version(writer, one, to_string(one.status), act); !done) return done;
  return connection.execute(
      "INSERT INTO subscription_states (subscription, study, entry, status, greeted, event, count, "
      "headers, error, changed_ms) VALUES ($1, $2, $3, $4, 0, $5, 0, $6, NULL, $7)",
      {one.id, one.study, one.entry, to_string(one.status), one.event,
       std::string_view(joined(one.headers)), act.at_ms});
}

Status amend_subscription(Writer& writer, Subscription& one, std::int64_t before, const Act& act) {
  auto old = read_subscription(writer.connection(), one.study, one.id);
  if (!old) return old.error();
  if (!*old) return missing(one.id);
  if (before != 0 && before != (*old)->version) {
    return Error{Errc::conflict, "subscription " + std::to_string(one.id) + " has version " +
                                     std::to_string((*old)->version)};
  }
  one.version = (*old)->version + 1;
  one.site = (*old)->site;
  const bool greeted = one.status == SubscriptionStatus::active && (*old)->greeted;
  if (!greeted && one.status != SubscriptionStatus::off) one.status = SubscriptionStatus::requested;
  one.after_event = (*old)->after_event;
  if (auto done = append_version(writer, one, to_string(one.status), act); !done) return done;
  const std::string headers = joined(one.headers);
  return writer.connection().execute(
      "UPDATE subscription_states SET entry = $1, status = $2, greeted = $3, headers = $4, "
      "error = NULL, changed_ms = $5 WHERE subscription = $6",
      {one.entry, to_string(one.status), std::int64_t{greeted}, std::string_view(headers),
       act.at_ms, one.id});
}

Status delete_subscription(Writer& writer, std::int64_t study, std::int64_t id, std::int64_t token,
                           const Act& act) {
  auto old = read_subscription(writer.connection(), study, id);
  if (!old) return old.error();
  if (!*old) return missing(id);
  Subscription& one = **old;
  one.token = token;
  ++one.version;
  if (auto done = append_version(writer, one, kDeleted, act); !done) return done;
  for (const char* sql : {"DELETE FROM subscription_marks WHERE subscription = $1",
                          "DELETE FROM subscription_states WHERE subscription = $1"}) {
    if (auto done = writer.connection().execute(sql, {id}); !done) return done;
  }
  return {};
}

Status move_subscriptions(Writer& writer, std::span<const SubscriptionMove> moves) {
  Connection& connection = writer.connection();
  for (const SubscriptionMove& move : moves) {
    auto done = connection.execute(
        "UPDATE subscription_states SET status = $1, greeted = $2, event = $3, count = $4, "
        "error = $5, changed_ms = $6 "
        "WHERE subscription = $7 AND entry = $8 AND status <> 'off' AND event <= $9 AND "
        "count <= $10 AND greeted <= $11",
        {to_string(move.status), std::int64_t{move.greeted}, move.event, move.count,
         text_or_null(move.error), move.at_ms, move.subscription, move.entry, move.event,
         move.count, std::int64_t{move.greeted}});
    if (!done) return done;
    // Only of one that is where the move has put it, and not too near to the last one.
    done = connection.execute(
        "INSERT INTO subscription_marks (subscription, event, count) "
        "SELECT s.subscription, s.event, s.count FROM subscription_states s "
        "WHERE s.subscription = $1 AND s.event = $2 AND s.event >= $3 + coalesce((SELECT "
        "max(m.event) FROM subscription_marks m WHERE m.subscription = s.subscription), "
        "(SELECT v.after_event FROM subscriptions v WHERE v.id = s.entry))",
        {move.subscription, move.event, kMarkEvents});
    if (!done) return done;
  }
  return {};
}

Result<std::vector<Subscription>> read_subscriptions(Connection& connection, std::int64_t study,
                                                     std::int64_t after, std::size_t limit) {
  static const std::string kSql =
      std::string(kColumns) +
      "WHERE ($1 = 0 OR s.study = $2) AND s.subscription > $3 ORDER BY s.subscription LIMIT $4";
  return read_all(connection.query(kSql, {study, study, after, static_cast<std::int64_t>(limit)}));
}

Result<std::optional<Subscription>> read_subscription(Connection& connection, std::int64_t study,
                                                      std::int64_t id) {
  static const std::string kSql =
      std::string(kColumns) + "WHERE s.subscription = $1 AND s.study = $2";
  auto found = read_all(connection.query(kSql, {id, study}));
  if (!found) return found.error();
  if (found->empty()) return std::optional<Subscription>();
  return std::optional(std::move(found->front()));
}

Result<bool> subscription_gone(Connection& connection, std::int64_t study, const std::string& site,
                               std::int64_t id) {
  auto count = connection.integer(
      "SELECT count(*) FROM subscriptions WHERE subscription = $1 AND study = $2 AND "
      "status = 'deleted' AND ($3 = '' OR site = $4)",
      {id, study, std::string_view(site), std::string_view(site)});
  if (!count) return count.error();
  return *count > 0;
}

Result<std::vector<TopicEvent>> read_subscription_events(Connection& connection,
                                                         const Subscription& one,
                                                         const TopicWish& wish, std::int64_t n,
                                                         std::size_t limit) {
  auto place = place_before(connection, one, n);
  if (!place) return place.error();
  std::vector<TopicEvent> events;
  while (events.size() < limit) {
    auto page = read_topic_events(connection, one.study, wish, place->event, kWalk, kWalk);
    if (!page) return page.error();
    for (TopicEvent& event : page->events) {
      if (++place->count >= n && events.size() < limit) events.push_back(std::move(event));
    }
    place->event = page->seen;
    if (page->at_end) break;
  }
  return events;
}

Result<std::int64_t> count_subscription_events(Connection& connection, const Subscription& one,
                                               const TopicWish& wish) {
  std::int64_t count = one.count, after = one.event;
  while (true) {
    auto page = read_topic_events(connection, one.study, wish, after, kWalk, kWalk);
    if (!page) return page.error();
    count += static_cast<std::int64_t>(page->events.size());
    if (page->at_end) return count;
    after = page->seen;
  }
}

}  // namespace trialward::store
