// What a submission's command does to the subscriptions, inside the open transaction.
#pragma once

#include "intake/submission.h"
#include "store/writer.h"

namespace trialward::intake {

// `command` is a WriteSubscription or a MoveSubscriptions. Errors: of the store.
base::Result<SubmissionResult> apply_to_subscriptions(store::Writer& writer,
                                                      const Submission& submission,
                                                      const Command& command);

}  // namespace trialward::intake
