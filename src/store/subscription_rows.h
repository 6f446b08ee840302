// Subscriptions of other systems to a study's alerts (FHIR's Subscription; docs/decisions/030):
// what their clients want, each version an audited row, and how far each is, which is one row that
// changes as its events are taken.
//
//   requested ──→ active ⇄ error        active: its endpoint has answered the greeting
//       │            │        │
//       └────────────┴────────┴──→ off  by its client, or as its token is valid no more
//
// Its events are counted from 1, in the order of their numbers in the study: the n-th is the n-th
// that read_topic_events() finds after `after_event`, so none needs a row. `event` and `count` say
// up to where they have been taken. Every kMarkEvents of the study a mark is kept, from which an
// event is found by its number without walking from the first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/topic_events.h"
#include "store/writer.h"

namespace trialward::store {

inline constexpr std::int64_t kSubscriptionsMax = 64;  // of a study
inline constexpr std::int64_t kMarkEvents = 1000;

enum class SubscriptionStatus : std::uint8_t { requested, active, error, off };
inline constexpr std::size_t kSubscriptionStatuses = 4;
std::string_view to_string(SubscriptionStatus status);
std::optional<SubscriptionStatus> parse_subscription_status(std::string_view text);

struct Subscription {
  std::int64_t id = 0, study = 0;
  // Its newest version.
  std::int64_t entry = 0;  // the row
  std::int64_t version = 1;
  std::int64_t token = 0;        // of whoever wrote it; 0: the server's own machine
  std::string site;              // the only one whose events it gets; of all its versions
  std::string base;              // of the server's URLs, as that client calls it
  std::int64_t after_event = 0;  // the study's last event when it was made
  std::string resource;          // JSON, without the values of headers
  std::int64_t at_ms = 0;
  // How far it is.
  SubscriptionStatus status = SubscriptionStatus::requested;
  bool greeted = false;              // the endpoint has answered the greeting of this version
  std::int64_t event = 0;            // of the study, up to which all that it gets was taken
  std::int64_t count = 0;            // of those
  std::vector<std::string> headers;  // "Name: value"
  std::string error;
  std::int64_t changed_ms = 0;
};

// Inside a transaction; sets what it gets (id, entry, after_event …). Errors: conflict when the
// study has kSubscriptionsMax.
base::Status append_subscription(Writer& writer, Subscription& subscription, const Act& act);
// Another version of the one with this id, of which `token`, `base`, `resource`, `headers` and
// `status` are taken; its place in its stream stays. Status is requested, off, or active where one
// that was greeted need not be again, as it is sent as before. `before`: the version that it
// follows; 0: any. Errors: not_found, conflict.
base::Status amend_subscription(Writer& writer, Subscription& subscription, std::int64_t before,
                                const Act& act);
// Its versions stay. Errors: not_found.
base::Status delete_subscription(Writer& writer, std::int64_t study, std::int64_t id,
                                 std::int64_t token, const Act& act);

// What became of it; of an older version, or one that is off, nothing changes.
struct SubscriptionMove {
  std::int64_t subscription = 0, entry = 0;
  std::int64_t event = 0, count = 0;
  SubscriptionStatus status = SubscriptionStatus::active;
  bool greeted = false;
  std::string error;
  std::int64_t at_ms = 0;
};
// Inside a transaction. Never goes back: what a node that is off duty says late, of a place or a
// greeting that another has passed, changes nothing.
base::Status move_subscriptions(Writer& writer, std::span<const SubscriptionMove> moves);

// Those of a study (0: of all) with an id above `after`, in order.
base::Result<std::vector<Subscription>> read_subscriptions(Connection& connection,
                                                           std::int64_t study, std::int64_t after,
                                                           std::size_t limit);
base::Result<std::optional<Subscription>> read_subscription(Connection& connection,
                                                            std::int64_t study, std::int64_t id);
// Whether there was one, of a site if one is said, that is deleted now.
base::Result<bool> subscription_gone(Connection& connection, std::int64_t study,
                                     const std::string& site, std::int64_t id);

// Its events from the n-th on, at most `limit`: the n-th stands first.
base::Result<std::vector<TopicEvent>> read_subscription_events(Connection& connection,
                                                               const Subscription& subscription,
                                                               const TopicWish& wish,
                                                               std::int64_t n, std::size_t limit);
// How many it has had so far, those included that wait for its endpoint.
base::Result<std::int64_t> count_subscription_events(Connection& connection,
                                                     const Subscription& subscription,
                                                     const TopicWish& wish);

}  // namespace trialward::store
