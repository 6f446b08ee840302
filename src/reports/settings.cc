#include "reports/settings.h"

#include <algorithm>
#include <cmath>

#include "model/table_reader.h"
#include "reports/dataset.h"

namespace trialward::reports {
namespace {

using model::TableReader;

constexpr const char* kFile = "reports.toml";
constexpr double kLateDaysMax = 3650;
// SDTM's terms in place of an arm (ARMNRS, and ARMCD before it); compared without case.
constexpr std::string_view kNoTreatment[] = {"scrnfail", "screen failure", "notassgn",
                                             "not assigned", "nottrt", "unplan"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_treatment(const model::Arm& arm) {
  const std::string id = lower_case(arm.id), name = lower_case(arm.name);
  return std::none_of(std::begin(kNoTreatment), std::end(kNoTreatment),
                      [&](std::string_view none) { return id == none || name == none; });
}

// Reads reports.toml; each part notes its faults and goes on.
class SettingsReader {
 public:
  SettingsReader(const model::Study& study, model::DefinitionFaults& faults)
      : study_(study), faults_(faults) {}

  Settings read() && {
    for (const model::Arm& arm : study_.arms) {
      if (is_treatment(arm)) settings_.arms.push_back(arm);
    }
    if (const model::DefinitionFile* file = study_.file(kFile)) {
      if (const auto table = model::parse_toml(*file, faults_)) {
        read_root(TableReader(*table, kFile, kFile, faults_));
      }
    }
    if (settings_.characteristics.empty()) {
      settings_.characteristics = default_characteristics();
    }
    if (settings_.control.empty() && !settings_.arms.empty()) {
      settings_.control = settings_.arms.front().id;
    }
    return std::move(settings_);
  }

 private:
  void read_root(TableReader root) {
    if (auto arms = root.table("arms")) read_arms(*arms);
    if (auto dispositions = root.table("dispositions")) read_dispositions(*dispositions);
    for (TableReader& table : root.tables("populations")) read_population(table);
    for (TableReader& table : root.tables("visits")) read_visit(table);
    read_characteristics(root);
    read_questionnaires(root);
    if (auto indicators = root.table("indicators")) read_indicators(*indicators);
    if (auto events = root.table("adverse_events")) {
      if (events->has("body_system")) settings_.body_system = events->texts("body_system");
      events->finish();
    }
    if (auto labs = root.table("labs")) read_labs(*labs);
    if (auto exposure = root.table("exposure")) {
      settings_.exposure = read_exposure_settings(*exposure);
    }
    if (auto liver = root.table("liver")) settings_.liver = read_liver_settings(*liver);
    if (auto profile = root.table("profile")) {
      settings_.profile = read_profile_settings(*profile);
    }
    if (auto numbers = root.table("numbers")) read_numbers(*numbers);
    root.finish();
  }

  void read_arms(TableReader& table) {
    if (table.has("treatments")) {
      settings_.arms.clear();
      for (const std::string& id : table.texts("treatments")) {
        if (const model::Arm* arm = study_.arm(id)) {
          settings_.arms.push_back(*arm);
        } else {
          table.fault("treatments", "no [[arms]] of study.toml has the id \"" + id + "\"");
        }
      }
    }
    settings_.control = table.text("control");
    const auto is_control = [&](const model::Arm& arm) { return arm.id == settings_.control; };
    if (table.has("control") &&
        std::none_of(settings_.arms.begin(), settings_.arms.end(), is_control)) {
      table.fault("control", "\"" + settings_.control + "\" is none of the treatments");
    }
    table.finish();
  }

  void read_population(TableReader& table) {
    Population population;
    population.id = table.id("id");
    population.title = table.text("title");
    population.dispositions = table.texts("dispositions");
    population.visit = table.text("visit");
    for (TableReader& code : table.tables("after_baseline")) {
      population.after_baseline.push_back(read_code_name(code));
      code.finish();
    }
    const auto& all = settings_.populations;
    if (population.id == "itt" || population.id == "safety" ||
        std::any_of(all.begin(), all.end(), [&](auto& p) { return p.id == population.id; })) {
      table.fault("id", "population \"" + population.id + "\" is given twice");
    }
    if (population.dispositions.empty() && population.visit.empty() &&
        population.after_baseline.empty()) {
      table.fault("id", "a population needs dispositions, a visit or after_baseline");
    }
    table.finish();
    settings_.populations.push_back(std::move(population));
  }

  void read_visit(TableReader& table) {
    Settings::Visit visit{table.id("name"), table.text("label"), table.number("day")};
    if (visit.label.empty()) visit.label = visit.name;
    const auto& all = settings_.visits;
    if (std::any_of(all.begin(), all.end(), [&](auto& one) { return one.name == visit.name; })) {
      table.fault("name", "visit \"" + visit.name + "\" is given twice");
    }
    table.finish();
    settings_.visits.push_back(std::move(visit));
  }

  void read_characteristics(TableReader& root) {
    for (TableReader& table : root.tables("characteristics")) {
      settings_.characteristics.push_back(
          read_characteristic(table, settings_.characteristics));
    }
  }

  void read_dispositions(TableReader& table) {
    settings_.disposition_category = table.text("category");
    if (table.has("completed")) settings_.completed = table.texts("completed");
    table.finish();
  }

  void read_questionnaires(TableReader& root) {
    std::vector<std::string> populations = {"itt", "safety"};
    for (const Population& one : settings_.populations) populations.push_back(one.id);
    for (TableReader& table : root.tables("questionnaires")) {
      settings_.questionnaires.push_back(
          read_questionnaire(table, populations, settings_.questionnaires));
    }
  }

  void read_indicators(TableReader& table) {
    const double days = table.number("late_days").value_or(settings_.late_days);
    if (days >= 0 && days <= kLateDaysMax && days == std::floor(days)) {
      settings_.late_days = static_cast<int>(days);
    } else {
      table.fault("late_days", "late_days must be a whole number from 0 to 3650");
    }
    table.finish();
  }

  void read_labs(TableReader& table) {
    settings_.lab_categories = table.texts("categories");
    settings_.shift_low = table.number("shift_low").value_or(1);
    settings_.shift_high = table.number("shift_high").value_or(1);
    if (!(settings_.shift_low > 0)) table.fault("shift_low", "shift_low must be above 0");
    if (!(settings_.shift_high > 0)) table.fault("shift_high", "shift_high must be above 0");
    table.finish();
  }

  void read_numbers(TableReader& table) {
    const std::string rounding = table.text("rounding");
    if (rounding == "R") {
      settings_.rounding = Rounding::r;
    } else if (table.has("rounding") && rounding != "SAS") {
      table.fault("rounding", "rounding must be \"SAS\" or \"R\"");
    }
    table.finish();
  }

  const model::Study& study_;
  model::DefinitionFaults& faults_;
  Settings settings_;
};

}  // namespace

std::uint16_t Settings::population_domains() const {
  Domains domains = 0;
  for (const Population& population : populations) {
    for (const CodeName& name : population.after_baseline) domains |= domain(name.kind);
  }
  return domains;
}

std::uint16_t Settings::characteristic_domains() const {
  Domains domains = 0;
  for (const Characteristic& one : characteristics) {
    for (const CodeName& name : one.codes) domains |= domain(name.kind);
    if (one.from == Characteristic::From::months) domains |= domain(model::Kind::medical_history);
  }
  return domains;
}

base::Result<Settings, model::DefinitionFaults> read_settings(const model::Study& study) {
  model::DefinitionFaults faults;
  Settings settings = SettingsReader(study, faults).read();
  if (!faults.empty()) return faults;
  return settings;
}

}  // namespace trialward::reports
