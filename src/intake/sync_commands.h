// What a submission of schedule sync does, inside the open transaction: what the partner said of
// appointments is appended with its audit entry, how far each subject is in step is noted, and who
// is out of step for too long gets an operational alert.
#pragma once

#include "intake/alert_commands.h"
#include "store/writer.h"

namespace trialward::intake {

// The rule id of the operational alert that says that a subject is out of step with the partner.
inline constexpr std::string_view kOutOfStep = "trialward-schedule-out-of-step";
// What the audit trail says why an appointment was changed.
inline constexpr std::string_view kSyncReason = "schedule sync";
// Of a subject so many rows of what was refused are kept; the last says that it is the last.
inline constexpr std::int64_t kRefusedOfSubject = 1'000;

// Errors: of the store.
base::Result<AlertOutcome> apply_sync(store::Writer& writer, const Submission& submission,
                                      const SyncSubjects& command);

}  // namespace trialward::intake
