#include "api/fhir_api.h"

#include "api/fhir_answers.h"
#include "api/fhir_metadata.h"
#include "api/searchset.h"

namespace trialward::api {

FhirApi::FhirApi(const Studies& studies, FhirStudies forms, Parts parts, FhirWritesOptions options)
    : studies_(studies),
      forms_(std::move(forms)),
      reads_(parts.reads, forms_),
      writes_({.intake = parts.intake,
               .admission = parts.admission,
               .reads = parts.reads,
               .studies = forms_,
               .random = parts.random,
               .clock = parts.clock},
              options),
      export_(parts.reads, parts.exports, parts.clock),
      alerts_(parts.reads),
      provenance_(parts.reads),
      audit_(parts.reads),
      subscriptions_({.intake = parts.intake,
                      .reads = parts.reads,
                      .clock = parts.clock,
                      .endpoints = parts.endpoints,
                      .changed = std::move(parts.subscriptions_changed)}) {}

http::Decision FhirApi::with_study(const Call& call, const Route::Handle& handle) const {
  Call own{.head = call.head,
           .principal = call.principal,
           .parameters = call.parameters,
           .query = call.query};
  for (const auto& [id, study] : studies_) {
    const bool only = call.principal->study == 0 && studies_.size() == 1;
    if (only || study->row == call.principal->study) own.study = study;
  }
  if (own.study == nullptr) {
    return outcome_response(400, "of which study is not said: use a token of one");
  }
  return handle(own);
}

void FhirApi::add_subscriptions(std::vector<Route>& routes) {
  using Members = Route::Members;
  const std::string all = "/fhir/Subscription", one = all + "/{id}";
  const struct {
    const char* method;
    std::string path;
    http::Decision (FhirSubscriptions::*handle)(const Call&);
    Members query;
  } kRoutes[] = {
      {"POST", all, &FhirSubscriptions::create, {}},
      {"GET", all, &FhirSubscriptions::search, {"_id", "status", "url", "_count", "_cursor"}},
      {"GET", all + "/$status", &FhirSubscriptions::statuses, {"id", "status"}},
      {"GET", one, &FhirSubscriptions::one, {}},
      {"PUT", one, &FhirSubscriptions::update, {}},
      {"DELETE", one, &FhirSubscriptions::remove, {}},
      {"GET", one + "/$status", &FhirSubscriptions::status, {}},
      {"GET", one + "/$events", &FhirSubscriptions::events,
       {"eventsSinceNumber", "eventsUntilNumber", "content"}}};
  for (const auto& route : kRoutes) {
    routes.emplace_back(route.method, route.path, Permission::manage_deliveries,
                        of_study(subscriptions_, route.handle), route.query);
  }
}

std::vector<Route> FhirApi::routes() {
  using enum Permission;
  const std::string type = "/fhir/{type}", one = type + "/{id}";
  std::vector<Route> routes;
  routes.emplace_back("GET", "/fhir/metadata", anyone, [](const Call& call) {
    return answer_now(
        [base = fhir_base(call.head)] { return fhir_response(200, capability_statement(base)); });
  });
  routes.emplace_back("GET", "/fhir/$export", read_records, of_study(export_, &FhirExport::begin),
                      Route::Members{"_type", "_since", "_outputFormat"});
  routes.emplace_back("GET", "/fhir/$export-status", read_records,
                      of_study(export_, &FhirExport::status));
  routes.emplace_back("DELETE", "/fhir/$export-status", read_records,
                      of_study(export_, &FhirExport::cancel));
  routes.emplace_back("GET", "/fhir/$export-file", read_records,
                      of_study(export_, &FhirExport::file));
  routes.emplace_back("GET", "/fhir/DetectedIssue", read_alerts,
                      of_study(alerts_, &FhirAlerts::search),
                      Route::Members{"patient", "status", "code", "_count", "_cursor"});
  routes.emplace_back("GET", "/fhir/DetectedIssue/{id}", read_alerts,
                      of_study(alerts_, &FhirAlerts::one));
  routes.emplace_back("GET", "/fhir/Provenance", read_records,
                      of_study(provenance_, &FhirProvenance::search), Route::Members{"target"});
  routes.emplace_back("GET", "/fhir/Provenance/{id}", read_records,
                      of_study(provenance_, &FhirProvenance::one));
  add_subscriptions(routes);
  routes.emplace_back("GET", "/fhir/AuditEvent", read_audit, of_study(audit_, &FhirAudit::search),
                      FhirAudit::members());
  routes.back().query_repeats = true;
  routes.emplace_back("GET", "/fhir/AuditEvent/{id}", read_audit,
                      of_study(audit_, &FhirAudit::one));
  routes.emplace_back("POST", "/fhir", write_records, of_study(writes_, &FhirWrites::bundle));
  routes.emplace_back("POST", type, write_records, of_study(writes_, &FhirWrites::create));
  routes.emplace_back("POST", type + "/$validate", write_records,
                      of_study(writes_, &FhirWrites::validate));
  routes.emplace_back("PUT", one, write_records, of_study(writes_, &FhirWrites::update));
  routes.emplace_back("GET", type, read_records, of_study(reads_, &FhirReads::search));
  routes.back().query_repeats = true;
  routes.emplace_back("GET", one, read_records, of_study(reads_, &FhirReads::read));
  routes.emplace_back("GET", one + "/_history", read_records,
                      of_study(reads_, &FhirReads::history));
  routes.emplace_back("GET", one + "/_history/{version}", read_records,
                      of_study(reads_, &FhirReads::version));
  return routes;
}

base::Result<FhirStudies> read_forms(const Studies& studies) {
  FhirStudies all;
  for (const auto& [id, study] : studies) {
    auto forms = Forms::read(*study->study);
    if (!forms) {
      return base::Error{base::Errc::invalid, "the questionnaires of '" + id +
                                                  "': " + model::to_string(forms.error().front())};
    }
    all.emplace(study->row, std::move(*forms));
  }
  return all;
}

http::Decision as_fhir(const http::Request& head, http::Decision decision) {
  auto* refusal = std::get_if<http::Response>(&decision);
  if (refusal == nullptr || !head.path.starts_with("/fhir")) return decision;
  return as_outcome(std::move(*refusal));
}

}  // namespace trialward::api
