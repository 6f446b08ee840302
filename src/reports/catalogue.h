// The content of each report, in a file of its own; report.cc lists them.
#pragma once

#include "base/result.h"
#include "reports/context.h"
#include "reports/document.h"

namespace trialward::reports {

base::Status write_disposition(const Context& context, Sink& sink);
base::Status write_demographics(const Context& context, Sink& sink);
base::Status write_adverse_events(const Context& context, Sink& sink);
base::Status write_serious_adverse_events(const Context& context, Sink& sink);
base::Status write_adverse_event_listing(const Context& context, Sink& sink);
base::Status write_lab_summary(const Context& context, Sink& sink);
base::Status write_lab_shifts(const Context& context, Sink& sink);
base::Status write_lab_grades(const Context& context, Sink& sink);
base::Status write_exposure(const Context& context, Sink& sink);
base::Status write_edish(const Context& context, Sink& sink);
base::Status write_vital_signs(const Context& context, Sink& sink);
base::Status write_subject_profile(const Context& context, Sink& sink);
base::Status write_questionnaire_compliance(const Context& context, Sink& sink);
base::Status write_key_risk_indicators(const Context& context, Sink& sink);

}  // namespace trialward::reports
