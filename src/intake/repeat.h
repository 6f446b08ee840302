// What becomes of a record whose source and source_id are known already (P2). On the committing
// thread, within its transaction; nothing is written. Errors: those of the store.
#pragma once

#include <optional>

#include "base/result.h"
#include "intake/submission.h"
#include "store/known_records.h"

namespace trialward::intake {

// The same answer again, or why not; nothing when no record has its source and source_id.
base::Result<std::optional<SubmissionResult>> repeat_if_known(store::Connection& connection,
                                                              store::KnownRecords& records,
                                                              const Submission& submission,
                                                              const AppendRecord& command);

// Of what would not be taken today.
base::Result<SubmissionResult> repeat_or_refuse(store::Connection& connection,
                                                store::KnownRecords& records,
                                                const Submission& submission,
                                                const AppendRecord& command);

}  // namespace trialward::intake
