#include "fhir/operation_outcome.h"

#include <gtest/gtest.h>

namespace trialward::fhir {
namespace {

TEST(OperationOutcome, HasEachIssueWithItsPlace) {
  EXPECT_EQ(
      operation_outcome({{model::IssueSeverity::error, "required", "QuestionnaireResponse.item[0]",
                          "is \"missing\""},
                         {model::IssueSeverity::fatal, "invalidJson", "", "is not JSON"}}),
      R"({"resourceType":"OperationOutcome","issue":[)"
      R"({"severity":"error","code":"required","details":{"coding":[{"system":)"
      R"("urn:trialward:issue","code":"required"}],"text":"is \"missing\""},)"
      R"("expression":["QuestionnaireResponse.item[0]"]},)"
      R"({"severity":"fatal","code":"structure","details":{"coding":[{"system":)"
      R"("urn:trialward:issue","code":"invalidJson"}],"text":"is not JSON"}}]})");
}

TEST(OperationOutcome, IsNeverEmpty) {
  EXPECT_EQ(operation_outcome({}),
            R"({"resourceType":"OperationOutcome","issue":[{"severity":"information",)"
            R"("code":"informational","details":{"text":"All OK"}}]})");
}

}  // namespace
}  // namespace trialward::fhir
