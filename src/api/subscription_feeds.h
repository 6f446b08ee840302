// The running server's part of subscriptions: delivery/subscriptions.h with what it needs, FHIR's
// form and the way to the store's one writer. Without targets it is empty, and what it is asked
// for does nothing. Any thread, but for open(), start() and stop(), which are the App's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/subscription_form.h"
#include "api/token_table.h"
#include "delivery/subscriptions.h"
#include "intake/intake.h"

namespace trialward::api {

// What became of subscriptions goes the way of deliveries' outcomes (api/delivery_ledger.h).
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

class SubscriptionFeeds {
 public:
  SubscriptionFeeds(intake::Intake& intake, const TokenTable& tokens, const base::Clock& clock)
      : tokens_(tokens), clock_(clock), ledger_(intake, clock), form_(clock) {}

  struct Parts {
    const delivery::Targets& targets;
    base::Outbound& outbound;
    std::unique_ptr<store::Connection> reader;
    std::function<bool()> on_duty;
    base::Random& random;
    runtime::TaskList& tasks;
  };
  void open(Parts parts);
  void start();
  void stop(base::Duration grace);

  // There are new alert events; `again`: or something else has changed.
  void wake(bool again = false);
  delivery::SubscriptionsReport report() const;

 private:
  const TokenTable& tokens_;
  const base::Clock& clock_;
  SubscriptionLedger ledger_;
  SubscriptionForm form_;
  std::unique_ptr<delivery::Subscriptions> feeds_;
};

}  // namespace trialward::api
