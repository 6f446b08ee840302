// FHIR R4 Subscription as JSON ↔ SubscriptionContent, after the guide "Subscriptions R5 Backport"
// (STU 1.1): its topic is named by `criteria`, filters and the form of what is sent by extensions.
// There is one topic, the study's alerts. Pure; a SubscriptionReader keeps buffers and belongs to
// one thread.
//
// Refused, all at once and each with its place: what is no R4 Subscription, another topic, filters
// that are not those of kFilters (one that was not applied would be worse), channels other than
// rest-hook, content other than JSON, extensions that are not known, headers that are the server's
// own, and what is above the limits. Whether the endpoint may be called is the server's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "fhir/json.h"
#include "model/issue.h"

namespace trialward::fhir {

inline constexpr std::string_view kAlertTopic = "urn:trialward:topic:alerts";
inline constexpr std::string_view kBackport =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/";

inline constexpr std::size_t kSubscriptionBytesMax = 64 << 10;
inline constexpr std::size_t kChannelHeadersMax = 16;
inline constexpr std::size_t kHeaderBytesMax = 4 << 10;  // of all together
inline constexpr std::size_t kEndpointBytesMax = 2 << 10;
inline constexpr std::size_t kFiltersMax = 16;       // filter criteria
inline constexpr std::size_t kFilterValuesMax = 50;  // of one parameter, after all criteria
inline constexpr std::uint32_t kHeartbeatMinS = 5, kHeartbeatMaxS = 24 * 3600;
inline constexpr std::uint32_t kTimeoutMaxS = 300;
inline constexpr std::uint32_t kEventsPerNoticeMax = 100;

enum class PayloadContent : std::uint8_t { empty, id_only, full_resource };
std::string_view to_string(PayloadContent content);  // "id-only"
bool parse_payload_content(std::string_view text, PayloadContent& out);

// What stands for a header's value where it is not shown; as the value of a header that is known it
// means "as before".
inline constexpr std::string_view kHiddenValue = "********";

struct SubscriptionContent {
  std::string status;  // as the client wants it: "requested" or "off"; or as it was read
  std::string reason;
  std::int64_t end_ms = 0;           // 0: none
  std::vector<std::string> filters;  // the criteria as they came
  // What they choose; of each list one must fit. Severities are those of alerts.
  std::vector<std::string> subjects, rules, severities;
  std::string endpoint;
  std::string media_type;  // of the payload
  std::vector<std::pair<std::string, std::string>> headers;
  PayloadContent content = PayloadContent::id_only;
  std::uint32_t heartbeat_s = 0;  // 0: none
  std::uint32_t timeout_s = 0;    // 0: the server's
  std::uint32_t events_max = 0;   // in one notification; 0: the server's
  std::string contact, text;      // JSON as it came; empty: none
};

class SubscriptionReader {
 public:
  // `id`: what the resource must say as its own, if it says one; empty: any. `base`: of this
  // server's URLs, which a filter's references may begin with.
  base::Result<SubscriptionContent, model::Issues> read(std::string_view json,
                                                        std::string_view id = {},
                                                        std::string_view base = {});

 private:
  JsonTree tree_;
};

// What the server says of it; without an id it is written to be stored.
struct SubscriptionShown {
  std::string id, status, error;
  std::int64_t version = 0, updated_ms = 0;
};
// Values of headers are never shown.
std::string write_subscription(const SubscriptionContent& content, const SubscriptionShown& shown);

}  // namespace trialward::fhir
