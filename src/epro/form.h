// A questionnaire as a study uses it: questionnaires/NAME.toml in the study's folder,
//
//   [questionnaire]
//   file = "phq-9.json"           the FHIR Questionnaire, beside it
//   url = "urn:example:phq-9"     optional: what responses call it, if the Questionnaire has no url
//   code = "PHQ-9"                of the records that responses become
//   scores = "phq-9-scores.toml"  optional: rules of scores (epro/score.h), beside it
//   [[records]]                   what of a response becomes a record of its own beside it, for the
//                                 monitor's rules and for reports
//   score = "phq-9"               a score, by its rule; or
//   item = "/44260-8"             the answer to an item, by its linkId: its points and its words
//   code = "PHQ0109"              of that record
//
// The codes are of the kind questionnaire, and each is used once. Pure; immutable once read.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "epro/score.h"
#include "model/fault.h"
#include "model/questionnaire.h"
#include "model/questionnaire_response.h"
#include "model/record.h"
#include "model/study.h"

namespace trialward::epro {

struct FormSettings {
  struct Told {
    std::string score, item;  // one of them
    std::string code;
    int line = 0;
  };
  std::string name;          // "questionnaires/phq-9.toml"
  std::string file, scores;  // within the study's folder; `scores` may be empty
  std::string url;           // may be empty
  std::string code;
  std::vector<Told> records;
};

base::Result<FormSettings, model::DefinitionFaults> read_form_settings(
    const model::DefinitionFile& file);

struct Form {
  FormSettings settings;
  model::Questionnaire questionnaire;
  std::vector<ScoreRule> rules;
};

// What of the settings does not fit the questionnaire, the rules of scores or the study.
model::DefinitionFaults form_faults(const Form& form, const model::Study& study);

// The records of their own that a response becomes, by the code of each: kind, code and value, and
// for a score its rule, the rule's version and how many items it had as attributes. Of a score that
// cannot be had: not done, and why. Of an item that is not answered there is none,
// and words that are longer than a record's text may be are in the response alone.
std::vector<model::Record> told_by(const Form& form, const model::QuestionnaireResponse& response);

}  // namespace trialward::epro
