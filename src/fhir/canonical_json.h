// A resource's JSON in one spelling: members by their names, no blanks, numbers by their value; so
// that the same content has the same text however it was written. What a server assigns (id and
// meta.versionId, meta.lastUpdated) is left out. Pure.
#pragma once

#include <string>

#include "fhir/json.h"

namespace trialward::fhir {

std::string canonical_json(Json resource);

}  // namespace trialward::fhir
