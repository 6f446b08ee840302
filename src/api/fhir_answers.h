// Failures and resources as FHIR's REST API answers them: an OperationOutcome whose issues have a
// code and a place in the resource. The one place in which this is done; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/read_pool.h"
#include "fhir/resource.h"
#include "http/server.h"
#include "intake/submission.h"
#include "model/issue.h"

namespace trialward::api {

inline constexpr std::string_view kFhirJson = "application/fhir+json";

http::Response fhir_response(int status, std::string body);
http::Response outcome_response(int status, const model::Issues& issues);
// With the code that belongs to the status.
http::Response outcome_response(int status, std::string_view words,
                                std::string_view expression = {});

// A refusal in the house's form ({"faults":[…]}), whoever made it, as an OperationOutcome. Anything
// else is passed through.
http::Response as_outcome(http::Response refusal);

// The faults of a record, of a command of several perhaps, as issues of a resource of the type.
model::Issues issues_of(const model::Faults& faults, fhir::ResourceType type);
// Their places when the resource stands in something else: "Observation.code" at
// "Bundle.entry[2].resource" is "Bundle.entry[2].resource.code".
model::Issues placed_at(const std::string& place, model::Issues issues);

// Answers with what is read from the store, in the class view.
using ReadAnswer = std::function<base::Result<http::Response>(store::Connection&)>;
http::Decision answer_read(ReadPool& reads, std::string name, ReadAnswer answer);

// A resource's answer headers: ETag (its version), Last-Modified, and where it is.
struct ResourceVersion {
  std::string type, id;
  int version = 1;
  std::int64_t updated_ms = 0;
};
std::string location_of(const ResourceVersion& version);  // "Observation/17/_history/1"
std::string etag_of(int version);                         // W/"1"
http::Response with_version(http::Response response, const ResourceVersion& version);

}  // namespace trialward::api
