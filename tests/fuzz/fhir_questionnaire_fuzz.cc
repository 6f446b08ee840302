// Any bytes as a Questionnaire and, behind the first zero byte (or else from the middle on), a
// response to it: each is refused with issues that have a code and words, or is read; and what was
// read is validated, with every issue's place in the response.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "epro/validate_response.h"
#include "fhir/known_value_sets.h"
#include "fhir/operation_outcome.h"
#include "fhir/questionnaire_reader.h"
#include "fhir/response_reader.h"
#include "fhir/value_set_reader.h"

namespace {

using namespace trialward;

void check_issues(const model::Issues& issues, std::string_view root) {
  TW_CHECK(issues.size() <= model::kIssuesMax + 1);
  for (const model::Issue& issue : issues) {
    TW_CHECK(!issue.code.empty() && !issue.words.empty());
    TW_CHECK(issue.path.empty() || issue.path.starts_with(root));
  }
  fhir::JsonTree tree;
  TW_CHECK(tree.parse(fhir::operation_outcome(issues)).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = text.find('\0');
  const std::size_t middle = zero == std::string_view::npos ? size / 2 : zero;
  const std::string_view rest = zero == std::string_view::npos ? text.substr(middle)
                                                               : text.substr(middle + 1);
  static fhir::QuestionnaireReader questionnaires;
  static fhir::ResponseReader responses;
  fhir::ValueSetCollection collection;
  check_issues(collection.add(text.substr(0, middle)), "");

  const auto read = questionnaires.read(text.substr(0, middle),
                                        {.ignore_calculated = size % 2 == 0});
  const auto response = responses.read(rest);
  check_issues(read ? read->notes : read.error(), "Questionnaire");
  check_issues(response ? response->issues : response.error(), "QuestionnaireResponse");
  TW_CHECK(read.ok() ? !model::has_fault(read->notes) : model::has_fault(read.error()));
  if (!read || !response) return 0;
  const model::ValueSets& known = fhir::known_value_sets();
  const epro::Terminology terminology{.sets = &known};
  check_issues(epro::validate_response(read->questionnaire, response->response, terminology),
               "QuestionnaireResponse");
  check_issues(read->calculations.check(questionnaires.root(), responses.root()),
               "QuestionnaireResponse");
  return 0;
}
