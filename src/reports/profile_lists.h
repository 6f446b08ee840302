// The lists of a subject's profile: each record of each domain, with its id.
#pragma once

#include "base/result.h"
#include "reports/document.h"
#include "reports/profile.h"

namespace trialward::reports {

// A domain without records has no list. Errors: those of the sink; cancelled.
base::Status write_profile_lists(const Profile& profile, Sink& sink);

}  // namespace trialward::reports
