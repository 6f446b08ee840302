// Who wrote a resource, when and why: a Provenance for each of its versions, read from the records'
// own columns.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"

namespace trialward::api {

class FhirProvenance {
 public:
  explicit FhirProvenance(ReadPool& reads) : reads_(reads) {}

  // GET /fhir/Provenance?target=Observation/17
  http::Decision search(const Call& call);
  // GET /fhir/Provenance/Observation-17-2: of the second version
  http::Decision one(const Call& call);

 private:
  ReadPool& reads_;
};

}  // namespace trialward::api
