// FHIR's Subscription: other systems are told of the study's alerts, at URLs of their own choice
// among those that the server's operator allows (docs/fhir.md, docs/decisions/030). Here they are
// made, changed and asked about; delivery/subscriptions.h sends. Any thread.
//
// Who may: as for deliveries. A token of a site sees the subscriptions of its site alone, and what
// it makes gets the events of that site.
#pragma once

#include <functional>
#include <memory>

#include "api/read_pool.h"
#include "api/route.h"
#include "api/subscription_form.h"
#include "delivery/endpoints.h"
#include "intake/intake.h"

namespace trialward::api {

class FhirSubscriptions {
 public:
  struct Parts {
    intake::Intake& intake;
    ReadPool& reads;
    const base::Clock& clock;
    // Where they may send; null: nowhere.
    const delivery::Endpoints* endpoints = nullptr;
    // Called after one was made or changed.
    std::function<void()> changed;
  };
  explicit FhirSubscriptions(Parts parts) : parts_(std::move(parts)) {}

  http::Decision create(const Call& call);
  http::Decision update(const Call& call);
  http::Decision remove(const Call& call);
  http::Decision one(const Call& call);
  // ?_id=, ?status=, ?url=, ?_count=.
  http::Decision search(const Call& call);
  // $status of one, and of all: ?id=, ?status=.
  http::Decision status(const Call& call);
  http::Decision statuses(const Call& call);
  // $events: ?eventsSinceNumber=, ?eventsUntilNumber=, ?content=; at most kEventsPerNoticeMax.
  http::Decision events(const Call& call);

 private:
  struct Writing;
  using Handle = std::function<void(const std::shared_ptr<Writing>&)>;

  http::Decision accept(const Call& call, Handle handle);
  void take_new(const std::shared_ptr<Writing>& writing);
  void take_update(const std::shared_ptr<Writing>& writing);
  void take_removal(const std::shared_ptr<Writing>& writing);
  // Finds the one that is written about, or answers that there is none.
  void with_stored(const std::shared_ptr<Writing>& writing, Handle handle);
  void submit(const std::shared_ptr<Writing>& writing, intake::WriteSubscription command);
  std::optional<model::Issue> endpoint_fault(const std::string& url) const;

  const Parts parts_;
};

}  // namespace trialward::api
