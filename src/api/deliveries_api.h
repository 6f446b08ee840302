// The routes of deliveries: what is to be told to those outside, and what became of it.
#pragma once

#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "intake/intake.h"

namespace trialward::api {

class DeliveriesApi {
 public:
  // A delivery has become pending again, by a person.
  using Resent = std::function<void(std::int64_t delivery)>;

  DeliveriesApi(intake::Intake& intake, ReadPool& reads, Exports& exports, const base::Clock& clock,
                Resent resent)
      : intake_(intake),
        reads_(reads),
        exports_(exports),
        clock_(clock),
        resent_(std::move(resent)) {}

  // GET /v1/studies/{study}/deliveries: ?status=, ?target=, ?alert=, ?after=, ?limit=; lines or a
  // page
  http::Decision list(const Call& call);
  // POST /v1/studies/{study}/deliveries/{delivery}/resend and …/discard: {"reason":"…"}
  http::Decision change(const Call& call, store::DeliveryChange change);

 private:
  intake::Intake& intake_;
  ReadPool& reads_;
  Exports& exports_;
  const base::Clock& clock_;
  const Resent resent_;
};

}  // namespace trialward::api
