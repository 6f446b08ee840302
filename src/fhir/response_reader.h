// FHIR R4 QuestionnaireResponse as JSON → model::QuestionnaireResponse. What cannot be told without
// the questionnaire is left to epro/. Pure; a ResponseReader keeps buffers and belongs to one
// thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "fhir/json.h"
#include "model/issue.h"
#include "model/questionnaire_response.h"

namespace trialward::fhir {

inline constexpr std::size_t kAnswersMax = 10000;  // items and answers together

// With what is wrong in it by itself, such as a date that does not exist: the rest can still be
// held against its questionnaire, so that all faults are told at once.
struct ResponseRead {
  model::QuestionnaireResponse response;
  model::Issues issues;
};

class ResponseReader {
 public:
  // The error: it is no QuestionnaireResponse at all.
  base::Result<ResponseRead, model::Issues> read(std::string_view json);

  // What was read last, as it came; it lives until the next is read.
  Json root() const { return root_; }

 private:
  Json root_;
  JsonTree tree_;
};

}  // namespace trialward::fhir
