// subscription_states and subscription_marks, compared with the audited versions of subscriptions:
// each that is not deleted has its place, none other has one, and a place is one that its study's
// events allow. Which of these a subscription gets is FHIR's to say, so that `count` is only
// bounded here; nor is it known what a header held.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include "base/result.h"
#include "store/connection.h"

namespace trialward::records {

// In one read transaction: there are few.
base::Status check_subscriptions(store::Connection& reader);

}  // namespace trialward::records
