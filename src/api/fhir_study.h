// What FHIR's API knows of each study beside its definition: the questionnaires. Immutable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "api/forms.h"

namespace trialward::api {

using FhirStudies = std::map<std::int64_t, std::shared_ptr<const Forms>>;  // by the study's row

}  // namespace trialward::api
