// The way of what became of subscriptions to the store's one writer: as deliveries' outcomes
// (api/delivery_ledger.h). Any thread.
#pragma once

#include "delivery/subscriptions.h"
#include "intake/intake.h"

namespace trialward::api {

class SubscriptionLedger final : public delivery::SubscriptionLedger {
 public:
  SubscriptionLedger(intake::Intake& intake, const base::Clock& clock)
      : intake_(intake), clock_(clock) {}

  bool move(const std::vector<store::SubscriptionMove>& moves,
            std::function<void(bool stored)> done) override;

 private:
  intake::Intake& intake_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
