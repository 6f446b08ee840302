// Two studies for the tests of resources: one that lists what it knows, one that takes any code.
#pragma once

#include <string>

#include "base/check.h"
#include "model/study.h"

namespace trialward::fhir {

inline model::Study loaded(const std::string& text) {
  auto study = model::load_study({{"study.toml", text}});
  TW_CHECK(study.ok());
  return std::move(study).value();
}

inline const model::Study& strict_study() {
  static const model::Study study = loaded(R"toml(
[study]
id = "strict"
title = "A strict one"
[[sites]]
id = "1"
time_zone = "Europe/Berlin"
[[arms]]
id = "A"
name = "Active"
[[codes]]
kind = "lab"
code = "ALT"
name = "Alanine aminotransferase"
unit = "U/L"
codings = [{ system = "http://loinc.org", code = "1742-6" }]
[[codes]]
kind = "lab"
code = "HCG"
system = "urn:labs"
type = "text"
values = ["POS", "NEG"]
[[codes]]
kind = "vital"
code = "SYSBP"
unit = "mmHg"
codings = [{ system = "http://loinc.org", code = "8480-6" }]
[[codes]]
kind = "vital"
code = "DIABP"
unit = "mmHg"
codings = [{ system = "http://loinc.org", code = "8462-4" }]
[[codes]]
kind = "vital"
code = "BP"
type = "any"
codings = [{ system = "http://loinc.org", code = "85354-9" }]
[[codes]]
kind = "questionnaire"
code = "GCS"
codings = [{ system = "http://loinc.org", code = "9269-2" }]
[[codes]]
kind = "questionnaire"
code = "SMOKES"
type = "text"
values = ["Y", "N"]
[[codes]]
kind = "exposure"
code = "XAN"
unit = "mg"
codings = [{ system = "urn:drugs", code = "xanomeline" }]
[kinds]
adverse_event.open = true
medication.open = true
)toml");
  return study;
}

inline const model::Study& open_study() {
  static const model::Study study = loaded(R"toml(
[study]
id = "open"
enrol = "first-record"
default_site = "1"
[[sites]]
id = "1"
time_zone = "UTC"
[kinds]
lab.open = true
vital.open = true
questionnaire.open = true
adverse_event.open = true
medication.open = true
exposure.open = true
[fhir]
identifying = true
)toml");
  return study;
}

}  // namespace trialward::fhir
