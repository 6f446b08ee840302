// What somebody answered to a questionnaire; FHIR R4's QuestionnaireResponse as far as it is
// validated. Items and answers stand as they came, so that their indexes are those of the sender.
// Pure values.
#pragma once

#include <string>
#include <vector>

#include "model/form_value.h"

namespace trialward::model {

struct ResponseAnswer;

struct ResponseItem {
  std::string link_id;
  std::vector<ResponseAnswer> answers;
  std::vector<ResponseItem> items;  // of a group
};

struct ResponseAnswer {
  FormValue value;
  bool explained = false;  // without a value, but an extension may say why
  std::vector<ResponseItem> items;  // below a question
};

struct QuestionnaireResponse {
  std::string id;
  std::string questionnaire;  // canonical url, with |version or not
  std::string status;         // in-progress, completed, amended, entered-in-error, stopped
  std::string authored;
  std::vector<ResponseItem> items;
};

}  // namespace trialward::model
