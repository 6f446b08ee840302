// FhirSubscriptions: the search, and the operations $status and $events.
#include <algorithm>
#include <set>

#include "api/fhir_answers.h"
#include "api/fhir_subscriptions.h"
#include "api/lists.h"
#include "api/searchset.h"

namespace trialward::api {

using base::Result;
using store::Subscription;

namespace {

// Which of the study's subscriptions are asked for. There are never more than kSubscriptionsMax.
struct Chosen {
  std::int64_t study = 0;
  std::string site;
  std::set<std::int64_t> ids;  // empty: all
  std::set<std::string, std::less<>> statuses;
  std::string url;

  bool has(const Subscription& one) const {
    return (site.empty() || one.site == site) && (ids.empty() || ids.contains(one.id)) &&
           (statuses.empty() || statuses.contains(store::to_string(one.status)));
  }
  Result<std::vector<Subscription>> read(store::Connection& connection) const {
    auto all = store::read_subscriptions(connection, study, 0,
                                         static_cast<std::size_t>(store::kSubscriptionsMax));
    if (!all) return all;
    std::erase_if(*all, [this](const Subscription& one) { return !has(one); });
    return all;
  }
};

// The values of a query's member, which may be repeated and have commas: "a,b".
std::vector<std::string> values_of(const QueryMembers& query, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, text] : query.all()) {
    if (key != name) continue;
    std::string_view rest = text;
    while (true) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      values.emplace_back(rest.substr(0, end));
      if (end == rest.size()) break;
      rest.remove_prefix(end + 1);
    }
  }
  return values;
}

// Errors: what is wrong with the query.
Result<Chosen, std::string> chosen_by(const Call& call, std::string_view id_member) {
  Chosen chosen{.study = call.study->row, .site = call.principal->site};
  for (std::string& id : values_of(call.query, id_member)) {
    constexpr std::string_view kPlace = "Subscription/";
    if (id.starts_with(kPlace)) id.erase(0, kPlace.size());
    chosen.ids.insert(id_in(id));  // 0, of none
  }
  for (const std::string& status : values_of(call.query, "status")) {
    if (!store::parse_subscription_status(status)) {
      return "status is requested, active, error or off, not '" + status + "'";
    }
    chosen.statuses.insert(status);
  }
  chosen.url = call.query.get("url");
  return chosen;
}

// The subscription's status as the answer to a question, with its true number of events.
Result<fhir::Notice> asked_notice(store::Connection& connection, const Subscription& one,
                                  fhir::NoticeType type, std::int64_t now_ms) {
  auto content = content_of(one);
  if (!content) return content.error();
  fhir::Notice notice = notice_of(one, type, now_ms);
  auto total = store::count_subscription_events(connection, one, events_of(one, *content));
  if (!total) return total.error();
  notice.total = *total;
  notice.content = content->content;
  return notice;
}

struct Range {
  std::int64_t since = 1, until = 0;  // of the subscription's events; 0: up to the last
  std::optional<fhir::PayloadContent> content;
};

Result<Range, std::string> range_of(const QueryMembers& query) {
  Range range;
  // Some count from 0: that is all of them, too.
  if (query.get("eventsSinceNumber") != "0") {
    range.since = number_in(query, "eventsSinceNumber", 1, kIdMax);
  }
  if (range.since <= 0) return std::string("eventsSinceNumber is not a number from 0");
  if (!query.get("eventsUntilNumber").empty()) {
    range.until = number_in(query, "eventsUntilNumber", 0, kIdMax);
    if (range.until < range.since) {
      return std::string("eventsUntilNumber is not a number from eventsSinceNumber");
    }
  }
  if (const std::string_view text = query.get("content"); !text.empty()) {
    range.content.emplace();
    if (!fhir::parse_payload_content(text, *range.content)) {
      return std::string("content is empty, id-only or full-resource");
    }
  }
  return range;
}

Result<http::Response> events_in(store::Connection& connection, const Subscription& one,
                                 const Range& range, std::int64_t now_ms) {
  auto notice = asked_notice(connection, one, fhir::NoticeType::query_event, now_ms);
  if (!notice) return notice.error();
  if (range.content) notice->content = *range.content;
  auto content = content_of(one);
  if (!content) return content.error();
  std::int64_t count = notice->total - range.since + 1;
  if (range.until != 0) count = std::min(count, range.until - range.since + 1);
  count = std::clamp<std::int64_t>(count, 0, fhir::kEventsPerNoticeMax);
  std::vector<store::TopicEvent> events;
  if (count > 0) {
    auto read = store::read_subscription_events(connection, one, events_of(one, *content),
                                                range.since, static_cast<std::size_t>(count));
    if (!read) return read.error();
    events = std::move(*read);
  }
  if (auto added = add_events(connection, one, range.since, events, *notice); !added) {
    return added.error();
  }
  return fhir_response(200, fhir::notification_bundle(*notice));
}

}  // namespace

http::Decision FhirSubscriptions::search(const Call& call) {
  auto chosen = chosen_by(call, "_id");
  if (!chosen) return outcome_response(400, chosen.error());
  const std::int64_t limit = number_in(call.query, "_count", kPageDefault, kPageMax);
  if (limit <= 0) return outcome_response(400, "_count is not a number from 1 to 500");
  std::int64_t after = 0;
  if (!call.query.get("_cursor").empty()) {
    after = number_in(call.query, "_cursor", 0, kIdMax);
    if (after <= 0) return outcome_response(400, "_cursor comes from a next link");
  }
  std::string query;
  for (const auto& [name, value] : call.query.all()) {
    if (name != "_cursor") query += (query.empty() ? "" : "&") + name + "=" + percent_encode(value);
  }
  return answer_read(
      parts_.reads, "fhir.subscriptions",
      [chosen = *chosen, limit, after, query,
       base = fhir_base(call.head)](store::Connection& connection) -> Result<http::Response> {
        auto all = chosen.read(connection);
        if (!all) return all.error();
        std::vector<std::pair<std::int64_t, std::string>> found;
        bool more = false;
        for (const Subscription& one : *all) {
          auto content = content_of(one);
          if (!content) return content.error();
          if (one.id <= after || (!chosen.url.empty() && content->endpoint != chosen.url)) continue;
          more = static_cast<std::int64_t>(found.size()) == limit;
          if (more) break;
          found.emplace_back(one.id, subscription_resource(one, *content));
        }
        Searchset bundle("searchset", base);
        bundle.link_pages("Subscription", query,
                          more ? std::to_string(found.back().first) : std::string());
        bundle.begin();
        for (const auto& [id, text] : found) {
          bundle.entry("Subscription/" + std::to_string(id), text, "match").end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirSubscriptions::statuses(const Call& call) {
  auto chosen = chosen_by(call, "id");
  if (!chosen) return outcome_response(400, chosen.error());
  return answer_read(
      parts_.reads, "fhir.subscriptions.status",
      [chosen = *chosen, base = fhir_base(call.head),
       now_ms = parts_.clock.utc_ms()](store::Connection& connection) -> Result<http::Response> {
        auto all = chosen.read(connection);
        if (!all) return all.error();
        Searchset bundle("searchset", base);
        bundle.begin();
        for (const Subscription& one : *all) {
          auto notice = asked_notice(connection, one, fhir::NoticeType::query_status, now_ms);
          if (!notice) return notice.error();
          bundle
              .entry("Subscription/" + std::to_string(one.id) + "/$status",
                     fhir::subscription_status(*notice), "match")
              .end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirSubscriptions::status(const Call& call) {
  Chosen chosen{.study = call.study->row, .site = call.principal->site};
  const std::string id = call.parameters[0];
  return answer_read(
      parts_.reads, "fhir.subscription.status",
      [chosen, id, base = fhir_base(call.head),
       now_ms = parts_.clock.utc_ms()](store::Connection& connection) -> Result<http::Response> {
        auto found = visible_subscription(connection, chosen.study, chosen.site, id_in(id));
        if (!found) return found.error();
        if (!*found) return outcome_response(404, "there is no Subscription/" + id);
        auto notice = asked_notice(connection, **found, fhir::NoticeType::query_status, now_ms);
        if (!notice) return notice.error();
        Searchset bundle("searchset", base);
        bundle.begin();
        bundle.entry("Subscription/" + id + "/$status", fhir::subscription_status(*notice), "match")
            .end_object();
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirSubscriptions::events(const Call& call) {
  auto range = range_of(call.query);
  if (!range) return outcome_response(400, range.error());
  const std::string id = call.parameters[0];
  return answer_read(
      parts_.reads, "fhir.subscription.events",
      [study = call.study->row, site = call.principal->site, id, range = *range,
       now_ms = parts_.clock.utc_ms()](store::Connection& connection) -> Result<http::Response> {
        auto found = visible_subscription(connection, study, site, id_in(id));
        if (!found) return found.error();
        if (!*found) return outcome_response(404, "there is no Subscription/" + id);
        return events_in(connection, **found, range, now_ms);
      });
}

}  // namespace trialward::api
