// A QuestionnaireResponse held against its Questionnaire: every fault, each with its FHIRPath
// place, a stable code and words. Pure; any thread.
//
// Of a response that is completed (or amended) all that is required must be there. One that is in
// progress (or stopped, or entered in error) may lack it: then that is information, and too many
// answers are a warning. What an answer is, is checked always. Skip logic decides first: what is
// not enabled is not required, and must not be answered (notEnabled).
//
// Codes, beside those of epro/check_answer.h; all are errors unless said otherwise:
//   invalidStatus · questionnaireMismatch · questionnaireDraft, questionnaireRetired,
//   questionnaireInactive,
//   questionnaireUnnamed (warnings) · invalidLinkId (fatal) · invalidType (fatal) ·
//   invalidOrder · invalidNesting · notEnabled · duplicateLinkId · required · minCount · maxCount ·
//   repeats · groupAnswer · displayAnswer · emptyAnswer · exclusiveOption
#pragma once

#include "epro/check_answer.h"
#include "model/issue.h"
#include "model/questionnaire.h"
#include "model/questionnaire_response.h"

namespace trialward::epro {

model::Issues validate_response(const model::Questionnaire& questionnaire,
                                const model::QuestionnaireResponse& response,
                                const Terminology& terminology);

}  // namespace trialward::epro
