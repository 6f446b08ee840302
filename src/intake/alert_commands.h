// What a submission's command does to an alert, inside the open transaction.
#pragma once

#include <cstdint>
#include <vector>

#include "intake/submission.h"
#include "store/writer.h"

namespace trialward::intake {

struct AlertOutcome {
  SubmissionResult result;
  std::vector<std::int64_t> events;  // alert events that it made, by their numbers in the study
};

// `command` is an AcknowledgeAlert, a ChangeAlert or an EscalateAlert. Errors: not_found, conflict:
// to be told to the sender; all others are of the store.
base::Result<AlertOutcome> apply_to_alert(store::Writer& writer, const Submission& submission,
                                          const Command& command);

}  // namespace trialward::intake
