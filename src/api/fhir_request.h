// A request that writes FHIR resources, on its way: for fhir_writes.cc and fhir_bundle_writes.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/fhir_update.h"
#include "api/fhir_writes.h"

namespace trialward::api {

enum class Returned { nothing, resource, outcome };  // what the sender would have answered

struct FhirWrites::Request {
  std::optional<Admission::Place> place;  // until it is stored
  std::shared_ptr<const Principal> principal;
  StudyPointer study;
  std::shared_ptr<http::Exchange> exchange;
  fhir::ResourceType type = fhir::ResourceType::observation;
  ResourceKey key;  // of what is corrected
  std::string if_none_exist;
  FhirChange change;
  Returned returned = Returned::nothing;
  Correction correction;
  model::Issues notes;
};

// What is wrong with a condition for creating a resource; it can be about its own identifier alone.
std::optional<FhirRefusal> condition_fault(const std::string& condition,
                                           const FhirContent& content);

http::Response refuse(const FhirRefusal& refusal);
// The refusal of a submission; a correction that came too late failed its precondition. `place`:
// where the resource stands, if in something else.
http::Response refuse(const intake::SubmissionResult& result, fhir::ResourceType type,
                      const Correction& correction, const std::string& place = {});
// What was wrong with a submission. Of a correction that came too late: which version is newer.
model::Faults faults_of(const intake::SubmissionResult& result, const Correction& correction);

}  // namespace trialward::api
