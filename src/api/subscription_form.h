// FHIR's side of subscriptions: from what is stored of one to what it wants, and to what is sent
// for it (delivery/subscriptions.h) or answered to who asks (fhir_subscriptions.h). Of one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/subscriptions.h"
#include "fhir/subscription_notice.h"
#include "store/subscription_rows.h"

namespace trialward::api {

inline constexpr std::size_t kEventsPerNotice = 20;     // unless the subscription says another
inline constexpr std::size_t kNoticeBytes = 256 << 10;  // about; one event always has room

// The resource, with the values of its headers. Errors: corrupt.
base::Result<fhir::SubscriptionContent> content_of(const store::Subscription& subscription);
// The study's one with this id, if who is of the site (empty: of all) may see it.
base::Result<std::optional<store::Subscription>> visible_subscription(store::Connection& connection,
                                                                      std::int64_t study,
                                                                      const std::string& site,
                                                                      std::int64_t id);
// As it is shown, without the values of its headers.
std::string subscription_resource(const store::Subscription& subscription,
                                  const fhir::SubscriptionContent& content);
// Which events a subscription gets.
store::TopicWish events_of(const store::Subscription& subscription,
                           const fhir::SubscriptionContent& content);

// A notice without events: `total` is as of what was taken.
fhir::Notice notice_of(const store::Subscription& subscription, fhir::NoticeType type,
                       std::int64_t now_ms);
// Adds events, the first of which has the number `first` in the subscription, as far as there is
// room; `events` is cut to that. With full-resource each has its DetectedIssue, as it is now: what
// GET /fhir/DetectedIssue/{id} gives.
base::Status add_events(store::Connection& reader, const store::Subscription& subscription,
                        std::int64_t first, std::vector<store::TopicEvent>& events,
                        fhir::Notice& notice);

class SubscriptionForm final : public delivery::SubscriptionForm {
 public:
  explicit SubscriptionForm(const base::Clock& clock) : clock_(clock) {}

  base::Result<delivery::SubscriptionWish> read(const store::Subscription& subscription) override;
  base::Result<std::string> write(store::Connection& reader,
                                  const store::Subscription& subscription,
                                  delivery::NoticeKind kind,
                                  std::vector<store::TopicEvent>& events) override;

 private:
  const base::Clock& clock_;
};

}  // namespace trialward::api
