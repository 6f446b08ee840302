// What is sent to a target for an alert event, and what an answer means. Pure. The form of the
// webhook's body is a contract: docs/delivery.md says it, tests/delivery/message_test.cc holds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/outbound.h"
#include "delivery/targets.h"
#include "store/outbox_rows.h"

namespace trialward::delivery {

inline constexpr std::string_view kContract = "trialward.alert-event/1";

// The same for every attempt to deliver this event to this target, and for no other: 32
// hexadecimal digits of SHA-256 over the store's id, the event's row and the target's name.
// Of a store that was restored from a copy later events have the ids of lost ones, but not their
// times too.
std::string idempotency_key(std::string_view store_id, std::int64_t event, std::int64_t at_ms,
                            std::string_view target);

// {"contract":…,"id":KEY,"target":…,"study":…,"event":{…}}; the event as the stream has it.
std::string webhook_body(std::string_view key, std::string_view target,
                         const store::DeliveryContent& content);

// "t=UNIX SECONDS,v1=HEX[,v1=HEX]": HMAC-SHA256 over "UNIX SECONDS.BODY", by each secret.
std::string signature(const std::vector<std::string>& secrets, std::int64_t utc_ms,
                      std::string_view body);

base::OutboundRequest webhook(const Target& target, std::string_view key,
                              const store::DeliveryContent& content, std::int64_t attempt,
                              std::int64_t utc_ms);
base::OutboundMail email(const Target& target, std::string_view key,
                         const store::DeliveryContent& content);

// What an answer means for the delivery.
enum class Verdict : std::uint8_t {
  delivered,
  refused,  // for good: sent again it would be refused again
  failed,   // to be tried again
};
struct Reading {
  Verdict verdict = Verdict::failed;
  // Whether the remote is well; a refusal says that it is. Nothing when it was ended by us.
  enum class Health : std::uint8_t { well, ill, unknown } health = Health::ill;
  base::Duration retry_after{};  // as the remote asked; zero: it did not
  std::string error;             // for people; empty when delivered
};
// A webhook: 2xx delivers; other 4xx than 408, 425 and 429 refuse; all else fails, a redirect too.
// A whole head of 2xx delivers whatever becomes of the body: who sent it has taken the event. Else
// an answer whose body is too large counts by its head.
// Email: a 5xx reply to the mail itself refuses; a login that is denied, or a server that greets
// with one, fails.
Reading read_answer(TargetKind kind, const base::OutboundAnswer& answer);

}  // namespace trialward::delivery
