// The routes of alerts.
#pragma once

#include "api/alert_streams.h"
#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "intake/intake.h"

namespace trialward::api {

class AlertsApi {
 public:
  AlertsApi(intake::Intake& intake, ReadPool& reads, Exports& exports, AlertStreams& streams,
            const base::Clock& clock)
      : intake_(intake), reads_(reads), exports_(exports), streams_(streams), clock_(clock) {}

  // GET /v1/studies/{study}/alerts: ?status=open|acknowledged, ?after=, ?limit=; lines or a page
  http::Decision list(const Call& call);
  // POST /v1/studies/{study}/alerts/{alert}/acknowledge: {"note":"…"}
  http::Decision acknowledge(const Call& call);
  // GET /v1/studies/{study}/alerts/stream: server-sent events; Last-Event-ID or ?after=; without
  // either only what happens from now on
  http::Decision stream(const Call& call);

 private:
  intake::Intake& intake_;
  ReadPool& reads_;
  Exports& exports_;
  AlertStreams& streams_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
