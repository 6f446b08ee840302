#include "api/subscription_form.h"

#include <map>

#include "api/fhir_alerts.h"
#include "store/alert_rows.h"

namespace trialward::api {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr base::Duration kNoticeTimeout = std::chrono::seconds(30);  // unless it says another

Result<std::string> issue_of_event(store::Connection& reader, std::int64_t study,
                                   std::int64_t alert) {
  auto alerts =
      store::read_alerts(reader, {.study = study, .after = alert - 1, .until = alert, .limit = 1});
  if (!alerts) return alerts.error();
  if (alerts->empty()) {
    return Error{Errc::corrupt, "alert " + std::to_string(alert) + " is not there"};
  }
  return issue_of(reader, alerts->front());
}

}  // namespace

Result<fhir::SubscriptionContent> content_of(const store::Subscription& subscription) {
  fhir::SubscriptionReader reader;
  auto content = reader.read(subscription.resource, {}, subscription.base);
  if (!content) {
    return Error{Errc::corrupt,
                 "subscription " + std::to_string(subscription.id) + " cannot be read"};
  }
  content->headers.clear();
  for (const std::string& header : subscription.headers) {
    const std::size_t colon = std::min(header.find(": "), header.size());
    content->headers.emplace_back(header.substr(0, colon),
                                  header.substr(std::min(colon + 2, header.size())));
  }
  return std::move(*content);
}

Result<std::optional<store::Subscription>> visible_subscription(store::Connection& connection,
                                                                std::int64_t study,
                                                                const std::string& site,
                                                                std::int64_t id) {
  auto found = store::read_subscription(connection, study, id);
  if (!found) return found;
  if (*found && !site.empty() && (*found)->site != site) {
    return std::optional<store::Subscription>();
  }
  return found;
}

std::string subscription_resource(const store::Subscription& subscription,
                                  const fhir::SubscriptionContent& content) {
  return fhir::write_subscription(content,
                                  {.id = std::to_string(subscription.id),
                                   .status = std::string(store::to_string(subscription.status)),
                                   .error = subscription.error,
                                   .version = subscription.version,
                                   .updated_ms = subscription.at_ms});
}

store::TopicWish events_of(const store::Subscription& subscription,
                           const fhir::SubscriptionContent& content) {
  return {.site = subscription.site,
          .subjects = content.subjects,
          .rules = content.rules,
          .severities = content.severities};
}

fhir::Notice notice_of(const store::Subscription& subscription, fhir::NoticeType type,
                       std::int64_t now_ms) {
  return {.type = type,
          .base = subscription.base,
          .subscription = subscription.id,
          .status = store::to_string(subscription.status),
          .error = subscription.error,
          .total = subscription.count,
          .at_ms = now_ms};
}

Status add_events(store::Connection& reader, const store::Subscription& subscription,
                  std::int64_t first, std::vector<store::TopicEvent>& events,
                  fhir::Notice& notice) {
  std::map<std::int64_t, std::string> issues;  // by alert
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const store::TopicEvent& event = events[i];
    fhir::NoticeEvent told{.number = first + static_cast<std::int64_t>(i),
                           .at_ms = event.at_ms,
                           .alert = event.alert,
                           .raised = event.type == model::AlertEventType::raised};
    if (notice.content == fhir::PayloadContent::full_resource) {
      const auto [issue, added] = issues.emplace(event.alert, "");
      if (added) {
        auto read = issue_of_event(reader, subscription.study, event.alert);
        if (!read) return read.error();
        issue->second = std::move(*read);
      }
      told.resource = issue->second;
    }
    bytes += told.resource.size();
    if (bytes > kNoticeBytes && i > 0) {
      events.resize(i);
      return {};
    }
    notice.events.push_back(std::move(told));
  }
  return {};
}

Result<delivery::SubscriptionWish> SubscriptionForm::read(const store::Subscription& subscription) {
  auto content = content_of(subscription);
  if (!content) return content.error();
  delivery::SubscriptionWish wish{.events = events_of(subscription, *content),
                                  .endpoint = std::move(content->endpoint),
                                  .media_type = std::move(content->media_type),
                                  .headers = std::move(content->headers),
                                  .end_ms = content->end_ms,
                                  .heartbeat = std::chrono::seconds(content->heartbeat_s),
                                  .timeout = std::chrono::seconds(content->timeout_s),
                                  .events_max = content->events_max};
  if (content->timeout_s == 0) wish.timeout = kNoticeTimeout;
  if (content->events_max == 0) wish.events_max = kEventsPerNotice;
  return wish;
}

Result<std::string> SubscriptionForm::write(store::Connection& reader,
                                            const store::Subscription& subscription,
                                            delivery::NoticeKind kind,
                                            std::vector<store::TopicEvent>& events) {
  auto content = content_of(subscription);
  if (!content) return content.error();
  const auto type = kind == delivery::NoticeKind::greeting ? fhir::NoticeType::handshake
                    : kind == delivery::NoticeKind::heartbeat
                        ? fhir::NoticeType::heartbeat
                        : fhir::NoticeType::event_notification;
  fhir::Notice notice = notice_of(subscription, type, clock_.utc_ms());
  notice.content = content->content;
  if (auto done = add_events(reader, subscription, subscription.count + 1, events, notice); !done) {
    return done.error();
  }
  notice.total += static_cast<std::int64_t>(events.size());
  return fhir::notification_bundle(notice);
}

}  // namespace trialward::api
