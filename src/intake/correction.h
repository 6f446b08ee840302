// A correction's place behind what it amends. On the committing thread.
#pragma once

#include "intake/submission.h"
#include "model/record.h"
#include "store/connection.h"

namespace trialward::intake {

// Checks that the sender may correct the record that `stored` amends, of this subject (its row),
// and gives `stored` its version; else says in `refusal` why not. Who is blinded leaves what tells
// the treatment as it is: he was not shown it.
base::Status place_correction(store::Connection& connection, const Submission& submission,
                              std::int64_t subject, model::StoredRecord& stored,
                              SubmissionResult& refusal);

}  // namespace trialward::intake
