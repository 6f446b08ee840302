// FHIR R4 Questionnaire as JSON → model::Questionnaire. Strict: what would be asked or accepted
// otherwise than its author meant is refused, with every fault and its place
// ("Questionnaire.item[2].enableWhen[0]"). Pure; a QuestionnaireReader keeps buffers and belongs to
// one thread.
//
// Refused besides what is no R4 Questionnaire: modifier extensions, items that FHIRPath enables
// (enableWhenExpression), and calculated ones beyond fhir/calculation.h. Said as a warning: what is
// not checked of responses (invariants by FHIRPath, options that a server has to look up).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "fhir/calculation.h"
#include "fhir/json.h"
#include "model/issue.h"
#include "model/questionnaire.h"

namespace trialward::fhir {

// Beside those of fhir/json.h.
inline constexpr std::size_t kItemsMax = 2000;
inline constexpr std::size_t kOptionsMax = 20000;    // of all items
inline constexpr std::size_t kConditionsMax = 5000;  // of all items
inline constexpr std::size_t kLinkIdCharsMax = 255;

struct QuestionnaireOptions {
  // Calculated items are read as if anybody could answer them.
  bool ignore_calculated = false;
};

struct QuestionnaireRead {
  model::Questionnaire questionnaire;
  Calculations calculations;
  model::Issues notes;  // warnings
};

class QuestionnaireReader {
 public:
  base::Result<QuestionnaireRead, model::Issues> read(std::string_view json,
                                                      QuestionnaireOptions options = {});

  // What was read last, as it came; it lives until the next is read.
  Json root() const { return root_; }

 private:
  Json root_;
  JsonTree tree_;
};

}  // namespace trialward::fhir
