// What a study says to its patients beside its questionnaires: patient.toml in its folder.
//
//   languages = ["en", "de"]     that the study has texts in (default: ["en"])
//   [contact]                    whom to ask
//   text = { en = "…", de = "…" }   each text is one for all, or by language
//   phones = [{ label = { en = "…" }, number = "+49 30 555 0100" }]
//   [[help]]                     what is shown at once on a worrying answer
//   questionnaire = "urn:…"      its url, with |version or not (absent: any)
//   when = [{ item = "/44260-8", answers = ["LA6569-3"] }, { item = "pain", min = 8 }]
//                                any of them: one of these answers (codes, or texts), or one that
//                                counts at least so much
//   title, text, phones          as above; a title and a phone are required
//
// A text by language has each of the languages: otherwise a patient is shown it in another one.
// Help is shown by the patient's page; alerts are raised by rules (rules.toml). Pure; immutable
// once read.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/fault.h"
#include "model/questionnaire.h"
#include "model/study.h"

namespace trialward::base {
class JsonWriter;
}

namespace trialward::epro {

// A text in languages ("en"), or one for all under "".
using Words = std::vector<std::pair<std::string, std::string>>;

struct Phone {
  Words label;
  std::string number;
};

struct HelpText {
  struct When {
    std::string item;
    std::vector<std::string> answers;
    std::optional<double> min;
    int item_line = 0, answers_line = 0;
  };
  std::string questionnaire;
  int line = 0;
  std::vector<When> when;
  Words title, text;
  std::vector<Phone> phones;
};

struct PatientSettings {
  std::vector<std::string> languages = {"en"};
  Words contact;
  std::vector<Phone> phones;
  std::vector<HelpText> help;
};

inline constexpr const char* kPatientFile = "patient.toml";

// The defaults where the study has no such file.
base::Result<PatientSettings, model::DefinitionFaults> read_patient_settings(
    const model::Study& study);

// What its help refers to that none of these questionnaires, all that the study has, asks or
// offers: it would never be shown.
model::DefinitionFaults patient_faults(const PatientSettings& settings,
                                       const std::vector<const model::Questionnaire*>& all);

// A text, or an object of texts by language; and a list of {"label","number"}.
void write_words(base::JsonWriter& json, const Words& words);
void write_phones(base::JsonWriter& json, const std::vector<Phone>& phones);
// {"questionnaire","when":[{"linkId","answers","min"}],"title","text","phones"}
void write_help(base::JsonWriter& json, const HelpText& help);

}  // namespace trialward::epro
