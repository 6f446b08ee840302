// The outbox: for each alert event and each target that is to be told of it, a row, made in the
// transaction that makes the event (promise P1). A row stays `pending` until its target has taken
// it, or refused it for good; nothing else takes it away but a person, with a reason.
//
//   pending ──→ delivered           the target has taken it
//      │  ↑
//      ↓  │ resent by a person
//     dead ──→ discarded            by a person; also from pending
//
// Every change but an attempt that failed is history as well, and so is that there is a row
// (`queued`): an audited row of delivery_outcomes, which stays when the outbox is cleaned up. By
// these verify knows what the outbox must have. Of attempts the newest kAttemptsKept are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/alert.h"
#include "store/writer.h"

namespace trialward::store {

inline constexpr std::int64_t kAttemptsKept = 20;

enum class DeliveryState : std::uint8_t { pending, delivered, dead, discarded };
std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);

struct NewDelivery {
  std::int64_t study = 0;  // rows of the study, the alert event, its alert and subject
  std::int64_t event = 0;
  std::int64_t alert = 0;
  std::int64_t subject = 0;
  std::string_view target;
  std::int64_t at_ms = 0;
  int shard = 0;
};
// "Deliver this event to that target": inside a transaction. Asked again for the same event and
// target it does nothing.
base::Status append_delivery(Writer& writer, const NewDelivery& delivery);
// The same for the event of a study with this number, for each target.
base::Status append_deliveries(Writer& writer, std::int64_t study, std::int64_t event_number,
                               std::span<const std::string> targets, std::int64_t at_ms);

// What one attempt came to.
struct DeliveryAttempt {
  std::int64_t delivery = 0;                     // its row
  DeliveryState next = DeliveryState::pending;   // pending: it is tried again; delivered or dead
  std::int64_t at_ms = 0;
  std::string outcome;                           // "delivered", "refused", "failed"
  int status = 0;                                // of HTTP or SMTP; 0: none
  std::int64_t duration_ms = 0;
  std::string error;                             // for people
};
// An event that its target has taken.
struct Delivered {
  std::int64_t study = 0, event = 0, alert = 0, delivery = 0;
  std::string target;
};
// Records attempts, in order, inside a transaction; gives those that were delivered by it. One of a
// row that somebody discarded meanwhile is recorded and changes no state, unless it was taken.
base::Result<std::vector<Delivered>> record_attempts(Writer& writer,
                                                     std::span<const DeliveryAttempt> attempts,
                                                     std::string_view actor, std::int64_t now_ms);

enum class DeliveryChange : std::uint8_t { resend, discard };
// By a person, inside a transaction; act.reason says why. Errors: not_found (no such row in the
// study, or of a subject of another `site`), conflict (its state does not allow it; the message
// says what it is and what can be done).
base::Status change_delivery(Writer& writer, std::int64_t study, std::string_view site,
                             std::int64_t delivery, DeliveryChange change, const Act& act);

// Takes up to `limit` rows away that were delivered or discarded before a time; how many.
base::Result<std::int64_t> prune_deliveries(Connection& connection, std::int64_t before_ms,
                                            std::int64_t limit);

// What whoever delivers needs to know of a pending row.
struct PendingDelivery {
  std::int64_t id = 0, subject = 0, attempts = 0, created_ms = 0;
};
// Pending rows of a target above `after`, in order.
base::Result<std::vector<PendingDelivery>> read_pending(Connection& connection,
                                                        std::string_view target,
                                                        std::int64_t after, std::size_t limit);
// A row that is pending, by its id.
struct FoundPending {
  PendingDelivery row;
  std::string target;
};
base::Result<std::optional<FoundPending>> find_pending(Connection& connection,
                                                       std::int64_t delivery);
// A subject's first one.
base::Result<std::optional<PendingDelivery>> first_pending(Connection& connection,
                                                           std::string_view target,
                                                           std::int64_t subject);
// What a pending row is about; nothing when it is not pending any more.
struct DeliveryContent {
  std::int64_t event = 0;  // its row
  std::string study;
  model::AlertEvent alert_event;
};
base::Result<std::optional<DeliveryContent>> read_delivery_content(Connection& connection,
                                                                   std::int64_t delivery);
// The largest id that a row of the outbox has ever had; 0 when there was none.
base::Result<std::int64_t> last_delivery(Connection& connection);
// What tells this store's events from those of all others.
base::Result<std::string> read_store_id(Connection& connection);

// By target: what waits and what is dead. O(targets), however much waits: they are counted as they
// change, in outbox_counts.
struct DeliveryCounts {
  std::string target;
  std::int64_t pending = 0, dead = 0;
  std::int64_t oldest_pending_ms = 0;  // when it was made; 0: none is pending
};
base::Result<std::vector<DeliveryCounts>> count_deliveries(Connection& connection);

// For people: a page of a study's rows, with their attempts.
struct DeliveryPage {
  std::int64_t study = 0;
  std::int64_t after = 0;
  std::string site, target;             // empty: of all
  std::optional<DeliveryState> state;
  std::int64_t alert = 0;               // 0: of all
  std::size_t limit = 100;
};
struct DeliveryRow {
  std::int64_t id = 0, alert = 0, event_number = 0;
  std::string event_type, subject, site, target;
  DeliveryState state = DeliveryState::pending;
  std::int64_t created_ms = 0, attempts = 0;
  std::optional<std::int64_t> settled_ms;
  std::vector<DeliveryAttempt> newest;  // attempts, oldest first; their `delivery` is not set
  std::int64_t first_number = 1;        // of newest.front()
};
base::Result<std::vector<DeliveryRow>> read_deliveries(Connection& connection,
                                                       const DeliveryPage& page);
std::string to_json(const DeliveryRow& row);

}  // namespace trialward::store
