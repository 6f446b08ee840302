#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "base/json_writer.h"
#include "cli/command.h"
#include "epro/score.h"
#include "epro/validate_response.h"
#include "fhir/operation_outcome.h"
#include "fhir/questionnaire_reader.h"
#include "fhir/response_reader.h"
#include "fhir/value_set_reader.h"

namespace trialward::cli {
namespace {

using model::Issues;

struct QuestionnaireArguments {
  std::string file, response, scores;
  std::vector<std::string> value_sets;
  bool ignore_calculated = false;
  bool allow_unknown_value_sets = false;
};

// The whole file, or as much as a reader needs to refuse it by its size; nothing when it cannot be
// read.
std::optional<std::string> read_resource(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(fhir::kResourceBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.gcount() == 0 && !file.eof())) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string counted(std::size_t count, const char* one) {
  return std::to_string(count) + ' ' + one + (count == 1 ? "" : "s");
}

// Prints the outcome and, for people, one line; gives the exit code.
int answer(const std::string& what, const Issues& issues) {
  std::size_t faults = 0, warnings = 0;
  for (const model::Issue& issue : issues) {
    if (issue.severity >= model::IssueSeverity::error) ++faults;
    if (issue.severity == model::IssueSeverity::warning) ++warnings;
  }
  std::cout << fhir::operation_outcome(issues) << '\n';
  std::cerr << what << ": " << (faults == 0 ? "sound" : counted(faults, "fault"));
  if (warnings > 0) std::cerr << ", " << counted(warnings, "warning");
  std::cerr << '\n';
  return faults == 0 ? kSuccess : kFailure;
}

// Each score, as information; a rule that cannot be read is told on standard error.
bool add_scores(const std::string& path, const model::Questionnaire& questionnaire,
                const model::QuestionnaireResponse& response, Issues& issues) {
  const auto text = read_resource(path);
  const auto rules = epro::read_scores({path, text.value_or("")});
  if (!text) std::cerr << "trialward: --scores: " << path << " cannot be read\n";
  if (!rules) {
    for (const model::DefinitionFault& fault : rules.error()) {
      std::cerr << model::to_string(fault) << '\n';
    }
  }
  if (!text || !rules) return false;
  for (const epro::ScoreRule& rule : *rules) {
    const epro::Score score = epro::score(rule, questionnaire, response);
    base::JsonWriter number;
    if (score.value) number.value(*score.value);
    std::string words = score.rule + " (version " + score.version + "): ";
    words += score.value ? number.text() : "none, because " + score.reason;
    if (score.prorated) words += ", prorated for " + counted(score.missing, "missing item");
    model::add_issue(issues, {model::IssueSeverity::information, "score", "QuestionnaireResponse",
                              std::move(words)});
  }
  return true;
}

int check_questionnaire(const QuestionnaireArguments& given) {
  const auto text = read_resource(given.file);
  if (!text) return fail(kWrongUse, "FILE: " + given.file + " cannot be read");
  fhir::ValueSetCollection collection;
  for (const std::string& path : given.value_sets) {
    const auto set = read_resource(path);
    if (!set) return fail(kWrongUse, "--value-set: " + path + " cannot be read");
    const Issues issues = collection.add(*set);
    if (model::has_fault(issues)) return answer(path, issues);
  }

  fhir::QuestionnaireReader reader;
  auto read = reader.read(*text, {.ignore_calculated = given.ignore_calculated});
  if (!read) return answer(given.file, read.error());
  if (given.response.empty()) {
    const std::size_t items = model::count_items(read->questionnaire.items);
    return answer(given.file + ": " + counted(items, "item"), read->notes);
  }

  const auto answers = read_resource(given.response);
  if (!answers) return fail(kWrongUse, "--response: " + given.response + " cannot be read");
  fhir::ResponseReader response_reader;
  auto response = response_reader.read(*answers);
  if (!response) return answer(given.response, response.error());
  const model::ValueSets sets = collection.sets();
  const epro::Terminology terminology{.sets = &sets,
                                      .unknown_passes = given.allow_unknown_value_sets};
  Issues issues = std::move(read->notes);
  model::add_issues(issues, std::move(response->issues));
  model::add_issues(issues, epro::validate_response(read->questionnaire, response->response,
                                                    terminology));
  model::add_issues(issues, read->calculations.check(reader.root(), response_reader.root()));
  if (!given.scores.empty() &&
      !add_scores(given.scores, read->questionnaire, response->response, issues)) {
    return kWrongUse;
  }
  return answer(given.response, issues);
}

}  // namespace

Run add_questionnaire(CLI::App& app) {
  auto given = std::make_shared<QuestionnaireArguments>();
  app.add_option("FILE", given->file, "A FHIR R4 Questionnaire, as JSON")->required();
  CLI::Option* response = app.add_option("--response", given->response,
                                         "Check this QuestionnaireResponse against it as well");
  app.add_option("--scores", given->scores, "Tell the response's scores by the rules in this file")
      ->needs(response);
  app.add_option("--value-set", given->value_sets,
                 "A ValueSet, CodeSystem or Bundle of them that answers are drawn from; may be "
                 "given several times")
      ->allow_extra_args(false);
  app.add_flag("--ignore-calculated", given->ignore_calculated,
               "Read the questionnaire without the expressions that calculate answers");
  app.add_flag("--allow-unknown-value-sets", given->allow_unknown_value_sets,
               "An answer whose value set is not known is a warning, not a fault");
  app.footer(
      "Prints an OperationOutcome. Exit codes: 0 sound, 1 faults, 2 a wrong use or a file that "
      "cannot be read.");
  return [given] { return check_questionnaire(*given); };
}

}  // namespace trialward::cli
