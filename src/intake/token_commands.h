// What a submission's command does to the tokens, inside the open transaction.
#pragma once

#include "intake/submission.h"
#include "store/writer.h"

namespace trialward::intake {

// `command` is a CreateToken or a RevokeToken. Errors: of the store.
base::Result<SubmissionResult> apply_to_tokens(store::Writer& writer, const Submission& submission,
                                               const Command& command);

}  // namespace trialward::intake
