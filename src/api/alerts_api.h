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

  // GET /v1/studies/{study}/alerts: ?status=open|acknowledged, ?state=, ?storm=, ?after=, ?limit=;
  // lines or a page
  http::Decision list(const Call& call);
  // GET …/alerts/{alert}
  http::Decision one(const Call& call);
  // GET …/alerts/{alert}/events: what happened to it, oldest first; ?after=, ?limit=
  http::Decision history(const Call& call);
  // POST …/alerts/{alert}/acknowledge; the bodies are those of api/alert_body.h
  http::Decision acknowledge(const Call& call);
  // POST …/alerts/{alert}/assess, close, reopen, merge
  http::Decision change(const Call& call, model::AlertEventType type);
  // GET /v1/studies/{study}/alerts/stream: server-sent events; Last-Event-ID or ?after=; without
  // either only what happens from now on
  http::Decision stream(const Call& call);

 private:
  using Parse = base::Result<intake::Command, model::Faults> (*)(std::string_view body,
                                                                 std::int64_t alert,
                                                                 model::AlertEventType type);
  // Submits what the body says; answers with the alert's new state.
  http::Decision submit(const Call& call, model::AlertEventType type, Parse parse);

  intake::Intake& intake_;
  ReadPool& reads_;
  Exports& exports_;
  AlertStreams& streams_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
