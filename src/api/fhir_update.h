// How a resource that is to take another's place becomes records that correct its own: the
// resource's, and those of its parts. Reads the store; nothing is written.
#pragma once

#include "api/fhir_content.h"
#include "api/resource_rows.h"

namespace trialward::api {

struct FhirChange {
  std::string if_match;  // W/"2": the version that its sender saw
  std::string reason;
  std::int64_t now_ms = 0;
};

// Which version of a resource is written.
struct Correction {
  int version = 1;  // that it becomes; 1: it is created
  int newest = 0;   // that was there when it was prepared; 0: none
};

struct PreparedUpdate {
  Prepared prepared;
  std::string id;
  Correction correction;
};

// Errors, as FhirRefusal has them: 404 there is no such resource, 412 (or 428, without If-Match) it
// has changed since, 422 no reason. A Patient that is not there is made.
base::Result<PreparedUpdate, FhirRefusal> prepare_update(store::Connection& connection,
                                                         const FhirSender& sender,
                                                         FhirContent content,
                                                         const ResourceKey& key,
                                                         const FhirChange& change);

}  // namespace trialward::api
