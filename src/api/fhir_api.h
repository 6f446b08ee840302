// FHIR R4's REST API at /fhir: its routes. The study is that of the token; whoever has none (the
// control socket) works on the only one that the server has.
#pragma once

#include <memory>
#include <vector>

#include "api/fhir_alerts.h"
#include "api/fhir_audit.h"
#include "api/fhir_export.h"
#include "api/fhir_provenance.h"
#include "api/fhir_reads.h"
#include "api/fhir_subscriptions.h"
#include "api/fhir_writes.h"
#include "api/route.h"

namespace trialward::api {

class FhirApi {
 public:
  struct Parts {
    intake::Intake& intake;
    Admission& admission;
    ReadPool& reads;
    Exports& exports;
    base::Random& random;
    const base::Clock& clock;
    const delivery::Endpoints* endpoints = nullptr;    // of subscriptions; null: none
    std::function<void()> subscriptions_changed = [] {};
  };
  // `studies` must outlive it.
  FhirApi(const Studies& studies, FhirStudies forms, Parts parts, FhirWritesOptions options);

  std::vector<Route> routes();
  const FhirStudies& forms() const { return forms_; }

 private:
  // Calls a part's handler with the study.
  template <class Part>
  Route::Handle of_study(Part& part, http::Decision (Part::*handle)(const Call&)) {
    return [this, &part, handle](const Call& call) {
      return with_study(call, [&](const Call& own) { return (part.*handle)(own); });
    };
  }
  void add_subscriptions(std::vector<Route>& routes);
  http::Decision with_study(const Call& call, const Route::Handle& handle) const;

  const Studies& studies_;
  const FhirStudies forms_;
  FhirReads reads_;
  FhirWrites writes_;
  FhirExport export_;
  FhirAlerts alerts_;
  FhirProvenance provenance_;
  FhirAudit audit_;
  FhirSubscriptions subscriptions_;
};

// The questionnaires of all studies. Errors: invalid.
base::Result<FhirStudies> read_forms(const Studies& studies);

// Refusals of a path below /fhir as FHIR has them.
http::Decision as_fhir(const http::Request& head, http::Decision decision);

}  // namespace trialward::api
