// The questionnaires of a study: FHIR's texts in questionnaires/ with what the study says of them
// (epro/form.h), and what patients are told beside them; read and checked when the study is loaded.
// Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "epro/form.h"
#include "epro/patient_settings.h"
#include "fhir/calculation.h"
#include "fhir/questionnaire_reader.h"
#include "model/issue.h"
#include "model/study.h"

namespace trialward::api {

struct StudyForm {
  std::string id;  // of the resource here: the file's name without ".json"
  epro::Form form;
  fhir::Calculations calculations;
  fhir::QuestionnaireReader reader;  // holds the resource as a tree
  std::string json;
  model::Issues notes;  // what is not checked of its responses
};

class Forms {
 public:
  // The faults say what in questionnaires/ cannot be used: whatever a FHIR Questionnaire may be
  // refused for, a rule of scores, a code that the study does not list, two questionnaires of the
  // same url and version; and what is wrong with patient.toml, or is none of the questionnaires,
  // items and answers.
  static base::Result<std::shared_ptr<const Forms>, model::DefinitionFaults> read(
      const model::Study& study);

  // The questionnaire that a response says it answers, "url" or "url|version". Null, and why in
  // `reason`, when the study has none, or several versions of which none is named.
  const StudyForm* find(std::string_view canonical, std::string& reason) const;
  const StudyForm* by_id(std::string_view id) const;
  // The one whose responses become records of all these codes; null when there is none.
  const StudyForm* telling(const std::vector<std::string>& codes) const;
  const std::vector<std::unique_ptr<StudyForm>>& all() const { return forms_; }
  const epro::PatientSettings& patient() const { return patient_; }

 private:
  std::vector<std::unique_ptr<StudyForm>> forms_;  // by their settings' names
  epro::PatientSettings patient_;
};

}  // namespace trialward::api
