// Reading FHIR resources: one, one of its versions, all of them, and searches.
#pragma once

#include "api/exports.h"
#include "api/fhir_search.h"
#include "api/fhir_study.h"
#include "api/read_pool.h"
#include "api/route.h"

namespace trialward::api {

class FhirReads {
 public:
  FhirReads(ReadPool& reads, const FhirStudies& studies) : reads_(reads), studies_(studies) {}

  // GET /fhir/{type}/{id}, with If-None-Match
  http::Decision read(const Call& call);
  // GET /fhir/{type}/{id}/_history/{version}
  http::Decision version(const Call& call);
  // GET /fhir/{type}/{id}/_history
  http::Decision history(const Call& call);
  // GET /fhir/{type}?…
  http::Decision search(const Call& call);

 private:
  http::Decision one(const Call& call, int version);
  http::Decision questionnaire(const Call& call);
  http::Decision search_forms(const Call& call);

  ReadPool& reads_;
  const FhirStudies& studies_;
};

}  // namespace trialward::api
