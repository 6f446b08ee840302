// Records → FHIR R4 resources as JSON, for readers. Pure; any thread.
#pragma once

#include <string>

#include "model/record.h"
#include "model/study.h"

namespace trialward::fhir {

// A record that came as a resource is its original, as it was sent but for `id`, meta.versionId and
// meta.lastUpdated; any other is written from its columns (docs/fhir.md). The definition gives a
// native record's codes their names and codings.
//
// `unblinded` false: what would tell the treatment is left out, as model::to_json leaves it out.
// The resource is then written from the columns, never from the original, which may tell it
// anywhere; meta.security says REDACTED, and a data-absent-reason of "masked" stands where FHIR
// requires a value.
std::string to_resource(const model::Study& study, const model::StoredRecord& stored,
                        bool unblinded);

// The Patient that a record of the subject's demographics tells of, whatever it came as: `id`, a
// pseudonymous identifier and the gender.
std::string to_patient(const model::Study& study, const model::StoredRecord& stored);

}  // namespace trialward::fhir
