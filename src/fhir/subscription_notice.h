// What a Subscription's endpoint is sent, and what asks for it are answered (Subscriptions R5
// Backport, STU 1.1): a SubscriptionStatus, which is a Parameters in R4, by itself or first in a
// Bundle of type history that has the events behind it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/subscription.h"

namespace trialward::fhir {

enum class NoticeType : std::uint8_t {
  handshake,
  heartbeat,
  event_notification,
  query_status,
  query_event,
};
std::string_view to_string(NoticeType type);  // "event-notification"

struct NoticeEvent {
  std::int64_t number = 0;  // in the subscription
  std::int64_t at_ms = 0;
  std::int64_t alert = 0;  // its DetectedIssue
  bool raised = false;     // else it has changed
  std::string resource;    // the DetectedIssue; with full-resource alone
};

struct Notice {
  NoticeType type = NoticeType::handshake;
  std::string base;  // of the server's URLs
  std::int64_t subscription = 0;
  std::string_view status;  // of the subscription
  std::string error;        // for people; empty: none
  std::int64_t total = 0;   // events since it began
  PayloadContent content = PayloadContent::empty;
  std::vector<NoticeEvent> events;
  std::int64_t at_ms = 0;  // now
};

std::string subscription_status(const Notice& notice);
std::string notification_bundle(const Notice& notice);

}  // namespace trialward::fhir
