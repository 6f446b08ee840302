// What a submission of the schedule's alerts does, inside the open transaction: an occurrence that
// is late or missed raises an alert, once, whatever has become of that alert since; when it is so
// no longer the alert is taken back, and when it is so again it holds again. What a later record
// may have changed is passed over: its sender looks again.
#pragma once

#include <string_view>

#include "intake/alert_commands.h"
#include "store/writer.h"

namespace trialward::intake {

// How the rule ids of these alerts begin; the activity's id follows.
inline constexpr std::string_view kSignalRules = "trialward-activity-";

// `last_record` is the subject's now. Errors: of the store.
base::Result<AlertOutcome> apply_signals(store::Writer& writer, const Submission& submission,
                                         const SignalSchedule& command, std::int64_t last_record);

}  // namespace trialward::intake
