// The value sets of FHIR R4 itself that questionnaires draw answers from and that are small enough
// to be known here without a terminology server (HL7 publishes FHIR's own under CC0). Constant; any
// thread.
#pragma once

#include "model/value_set.h"

namespace trialward::fhir {

// By their canonical urls, without a version.
const model::ValueSets& known_value_sets();

}  // namespace trialward::fhir
