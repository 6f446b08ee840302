// The extensions of FHIR R4 and SDC that decide about a questionnaire's answers. Others are passed
// over: they are about how it is shown, or where answers come from.
#pragma once

#include <string>

#include "fhir/json.h"
#include "fhir/read_value.h"
#include "model/questionnaire.h"

namespace trialward::fhir {

void read_item_extensions(Json item_json, const std::string& path,
                          model::QuestionnaireItem& item, IssueList& list);

// Its weight (ordinalValue, itemWeight), and whether it excludes others.
void read_option_extensions(Json option_json, const std::string& path,
                            model::AnswerOption& option, IssueList& list);

// Says what is not checked of the questionnaire as a whole.
void note_extensions_of_root(Json root, const std::string& path, IssueList& list);

}  // namespace trialward::fhir
