// Issues → FHIR R4 OperationOutcome as JSON. Pure.
#pragma once

#include <string>

#include "model/issue.h"

namespace trialward::fhir {

// Each issue with its severity, FHIR's code for its kind, its own stable code in details.coding
// (system kIssueSystem), its words in details.text, and its place in expression. Without issues
// there is one of severity information: an OperationOutcome has at least one.
std::string operation_outcome(const model::Issues& issues);

inline constexpr const char* kIssueSystem = "urn:trialward:issue";

}  // namespace trialward::fhir
