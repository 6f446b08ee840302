// Alerts as FHIR has them: DetectedIssue. They are raised by the monitor and changed by people
// through the alerts' own routes; here they are read.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"
#include "model/alert.h"
#include "store/connection.h"

namespace trialward::api {

// The alert as a DetectedIssue, with references to its records.
base::Result<std::string> issue_of(store::Connection& connection, const model::Alert& alert);

class FhirAlerts {
 public:
  explicit FhirAlerts(ReadPool& reads) : reads_(reads) {}

  // GET /fhir/DetectedIssue/{id}
  http::Decision one(const Call& call);
  // GET /fhir/DetectedIssue: ?patient=, ?status=, ?code=, ?_count=; in the order of their raising.
  // A page ends early when kAlertsScanned were looked at.
  http::Decision search(const Call& call);

 private:
  ReadPool& reads_;
};

}  // namespace trialward::api
