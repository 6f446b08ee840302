// Whether one answer is one that its question allows. Pure.
#pragma once

#include <string>

#include "model/issue.h"
#include "model/questionnaire.h"

namespace trialward::epro {

// Where value sets that are not contained in the questionnaire are looked up.
struct Terminology {
  const model::ValueSets* sets = nullptr;  // by their url, without a version; must outlive its use
  // Of an answer that cannot be checked, because its value set is not known: a warning, no fault.
  bool unknown_passes = false;
};

// The issues of the answer at `path` go to `issues`:
//   invalidAnswerType (fatal) · invalidNewLine (fatal) · minLength · maxLength · regex · minValue ·
//   maxValue · minValueIncompatUnits · maxValueIncompatUnits · maxDecimalPlaces (warning) ·
//   invalidCoding · invalidAnswerOption · displayMismatch (warning) · tsError · invalidUnit ·
//   invalidUnitValueSet · invalidUrlValue · invalidRefValue · invalidRefResourceType ·
//   attachmentSizeInconsistent (fatal) · maxAttachmentSize · invalidAttachmentType
void check_answer(const model::Questionnaire& questionnaire, const model::QuestionnaireItem& item,
                  const model::FormValue& value, const Terminology& terminology,
                  const std::string& path, model::Issues& issues);

}  // namespace trialward::epro
