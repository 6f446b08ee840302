// How a study's reports read its records: reports.toml in the study's folder, else the defaults.
//
//   [arms]          treatments = ["Pbo", "Xan_Lo"]  ids of [[arms]] in study.toml, in the order of
//                     the columns (default: all but those that SDTM has for subjects without
//                     treatment: SCRNFAIL, NOTASSGN, NOTTRT, UNPLAN);
//                   control = "Pbo"  what the others are compared with (default: the first)
//   [[populations]] id, title; and at least one of
//                     dispositions = ["COMPLETED"]  one of these disposition events;
//                     visit = "WEEK 24"             this visit took place;
//                     after_baseline = [{ kind = "questionnaire", code = "ACTOT" }, …]
//                                                   a value of each that is no baseline;
//                     all of which must hold, and the subject must have been treated.
//                   "itt" (an arm is assigned) and "safety" (treated as well) are always there
//   [dispositions]  category = "DISPOSITION EVENT"  the attribute dscat of the records that count
//                     (default: all but SDTM's PROTOCOL MILESTONE and OTHER EVENT);
//                   completed = ["COMPLETED"]  who ended otherwise has dropped out (default: this)
//   [[visits]]      name = "WEEK 2", label = "2": the scheduled visits after the baseline, in their
//                     order (default: those that the records name, by their number);
//                     day = 14: the study day when it is due (default: as the visits' records say,
//                     in the attribute visitdy)
//   [[questionnaires]]  what is asked and scored, see questionnaire.h (default: each category of
//                     answers by itself, the attribute qscat, without a score)
//   [[characteristics]]  rows of the demographic table, see characteristic.h
//                     (default: age, sex, race, ethnicity)
//   [adverse_events]  body_system = ["aebodsys"]  attributes, of which the first that is given
//                     counts (default: aebodsys, aesoc, soc)
//   [labs]          categories = ["CHEMISTRY"]  in this order; others are left out of tables
//                     (default: all); shift_low = 0.5, shift_high = 1.5: the thresholds of shift
//                     tables in multiples of the reference range's ends (default: 1, 1)
//   [exposure]      categories of durations and doses, see exposure_settings.h
//   [liver]         the codes of ALT, AST, bilirubin and ALP, see liver_settings.h
//   [profile]       what the profile of a subject draws, see profile_settings.h
//   [indicators]    late_days = 5: what comes in more days after its effective date is late
//                     (default: this)
//   [numbers]       rounding = "SAS" (the default) | "R"  (reports/decimal.h)
// Unknown keys are faults. Immutable once read, so every thread may use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/fault.h"
#include "model/study.h"
#include "reports/characteristic.h"
#include "reports/decimal.h"
#include "reports/exposure_settings.h"
#include "reports/liver_settings.h"
#include "reports/profile_settings.h"
#include "reports/questionnaire.h"

namespace trialward::reports {

struct Population {
  std::string id, title;
  std::vector<std::string> dispositions;
  std::string visit;
  std::vector<CodeName> after_baseline;
};

struct Settings {
  std::vector<model::Arm> arms;  // the treatments
  std::string control;           // an id of these; empty without arms
  std::vector<Population> populations;
  std::string disposition_category;
  std::vector<std::string> completed = {"COMPLETED"};
  struct Visit {
    std::string name, label;
    std::optional<double> day{};
  };
  std::vector<Visit> visits;
  std::vector<Characteristic> characteristics;
  std::vector<Questionnaire> questionnaires;
  std::vector<std::string> body_system = {"aebodsys", "aesoc", "soc"};
  std::vector<std::string> lab_categories;  // empty: all
  double shift_low = 1, shift_high = 1;
  ExposureSettings exposure = default_exposure_settings();
  LiverSettings liver;
  ProfileSettings profile;
  int late_days = 5;
  Rounding rounding = Rounding::sas;

  // The kinds of records that the populations and the characteristics ask for, as Domains.
  std::uint16_t population_domains() const;
  std::uint16_t characteristic_domains() const;
};

base::Result<Settings, model::DefinitionFaults> read_settings(const model::Study& study);

}  // namespace trialward::reports
