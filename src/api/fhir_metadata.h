// What the FHIR API can do, as a CapabilityStatement.
#pragma once

#include <string>

namespace trialward::api {

// `base`: "https://host/fhir".
std::string capability_statement(const std::string& base);

}  // namespace trialward::api
