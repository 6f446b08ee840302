// The way of delivery/ to the store's one writer: outcomes travel as submissions of the lane of
// live records, and of the safety lane when that has no place for them (docs/decisions/018).
// Delivery offers one at a time, of a few dozen rows, so that a batch has one of them at most. Any
// thread.
#pragma once

#include "api/route.h"
#include "delivery/ledger.h"
#include "intake/intake.h"

namespace trialward::api {

class DeliveryLedger final : public delivery::Ledger {
 public:
  // `studies` outlive it.
  DeliveryLedger(intake::Intake& intake, const Studies& studies, const base::Clock& clock)
      : intake_(intake), studies_(studies), clock_(clock) {}

  bool record(const std::vector<store::DeliveryAttempt>& attempts,
              std::function<void(bool stored)> done) override;
  // By the bulk lane: it can wait.
  bool prune(std::int64_t before_ms, std::int64_t limit,
             std::function<void(std::int64_t rows)> done) override;

 private:
  bool submit(intake::Lane lane, std::size_t bytes, intake::Command command,
              intake::Intake::Done done);

  intake::Intake& intake_;
  const Studies& studies_;
  const base::Clock& clock_;
};

// Says in the log what waits for targets that an earlier run had, where this one has none, and how
// many subscriptions nothing is sent for. Errors: of the store.
base::Status warn_of_outbox(store::Connection& connection);

}  // namespace trialward::api
