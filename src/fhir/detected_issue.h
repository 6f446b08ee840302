// Alerts → FHIR R4 DetectedIssue as JSON, for readers. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/alert.h"

namespace trialward::fhir {

// `implicated` are references to the resources that the alert's records are ("Observation/17").
// Status: preliminary while nobody has acknowledged it, then final; of one whose rule holds no
// longer cancelled. Severity: high for a critical alert, moderate for a warning, else low. Who has
// acknowledged it, when and with which words is its mitigation.
std::string to_detected_issue(const model::Alert& alert,
                              const std::vector<std::string>& implicated);

}  // namespace trialward::fhir
