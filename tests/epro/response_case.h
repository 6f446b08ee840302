// A questionnaire and a response as short JSON texts, and what validation says of them in one line
// each: "error:required@QuestionnaireResponse.item[0]". For the tests of epro/.
#pragma once

#include <string>
#include <string_view>

#include "epro/validate_response.h"
#include "fhir/known_value_sets.h"
#include "fhir/questionnaire_reader.h"
#include "fhir/response_reader.h"

namespace trialward::epro {

inline std::string in_lines(const model::Issues& issues) {
  std::string text;
  for (const model::Issue& issue : issues) {
    text.append(model::name_of(issue.severity)).append(":" + issue.code + '@' + issue.path + '\n');
  }
  return text;
}

// `questionnaire` and `response` are what stands behind the resourceType, the url and the status.
inline model::Issues issues_of(std::string_view questionnaire, std::string_view response,
                               std::string_view status = "completed", bool unknown_passes = false) {
  const std::string asked =
      R"({"resourceType":"Questionnaire","status":"active","url":"http://q",)" +
      std::string(questionnaire) + "}";
  const std::string answered =
      R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://q","status":")" +
      std::string(status) + "\"," + std::string(response) + "}";
  fhir::QuestionnaireReader questionnaires;
  const auto read = questionnaires.read(asked);
  if (!read) return read.error();
  fhir::ResponseReader responses;
  auto given = responses.read(answered);
  if (!given) return given.error();
  const model::ValueSets& sets = fhir::known_value_sets();
  model::Issues issues = std::move(given->issues);
  const Terminology terminology{.sets = &sets, .unknown_passes = unknown_passes};
  for (const model::Issue& issue :
       validate_response(read->questionnaire, given->response, terminology)) {
    issues.push_back(issue);
  }
  return issues;
}

}  // namespace trialward::epro
