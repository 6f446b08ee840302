#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "api/forms.h"
#include "cli/command.h"
#include "cli/targets_file.h"
#include "ctcae/study_grading.h"
#include "model/schedule.h"
#include "model/study.h"
#include "monitor/rules.h"
#include "reports/settings.h"

namespace trialward::cli {
namespace {

namespace fs = std::filesystem;
using model::DefinitionFaults;

constexpr std::array<const char*, 6> kFiles = {"study.toml",    "rules.toml",   "escalation.toml",
                                               "schedule.toml", "reports.toml", "patient.toml"};

// What is in the folder and looks like a part of the definition, but is none. A misspelt
// "rule.toml" would mean that nobody watches.
void find_strangers(const std::string& folder, DefinitionFaults& faults) {
  std::error_code error;
  std::vector<std::string> strangers;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::string extension = entry->path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (extension != ".toml") continue;
    if (std::find(kFiles.begin(), kFiles.end(), name) == kFiles.end()) {
      strangers.push_back(std::move(name));
    }
  }
  std::sort(strangers.begin(), strangers.end());
  for (std::string& name : strangers) {
    faults.push_back({std::move(name), 0,
                      "is not read: a definition has study.toml, rules.toml, escalation.toml, "
                      "schedule.toml, reports.toml, patient.toml and questionnaires/*.toml"});
  }
}

// The study in spite of its faults, as far as it can be read: to list those of its rules as well.
model::Study read_in_spite(const std::string& folder) {
  std::vector<model::DefinitionFile> files;
  for (const char* name : {"study.toml", "rules.toml", "reports.toml"}) {
    std::ifstream file(fs::path(folder) / name, std::ios::binary);
    std::string text(model::kDefinitionFileBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    // Too large or not to be read: that is among the faults already.
    if (text.empty() || text.size() > model::kDefinitionFileBytesMax) continue;
    files.push_back({name, std::move(text)});
  }
  return model::read_study(std::move(files)).study;
}

// What has a term in CTCAE but no grade, because of its unit; or none by a rule, because the term
// asks for the age or the sex. A rule that lists no codes passes it over, so it is said here.
void tell_what_is_not_graded(const std::string& folder, const model::Study& study) {
  const auto grading = ctcae::StudyGrading::make(study);
  if (!grading) return;  // a fault, told already
  for (const auto kind : {model::Kind::lab, model::Kind::vital}) {
    for (const std::string& code : grading->codes(kind)) {
      for (const ctcae::GradedTerm& one : *grading->terms(kind, code)) {
        const auto asked = one.term->asks_for() & (ctcae::kAge | ctcae::kSex);
        if (!one.unfit.empty()) {
          std::cerr << folder << "/study.toml: " << code << " is not graded: " << one.unfit
                    << '\n';
        } else if (asked != 0) {
          std::cerr << folder << "/study.toml: " << code << " is graded by no rule: "
                    << one.term->name << " asks for "
                    << ctcae::names_of(static_cast<std::uint8_t>(asked))
                    << "; …/subjects/{subject}/grades has it\n";
        }
      }
    }
  }
}

// What of the answers to its questionnaires nobody checks.
void tell_what_is_not_checked(const std::string& folder, const api::Forms& forms) {
  for (const auto& form : forms.all()) {
    for (const model::Issue& note : form->notes) {
      std::cerr << folder << '/' << form->form.settings.file << ": " << note.path << ": "
                << note.words << '\n';
    }
  }
}

// The study, if it is sound.
std::shared_ptr<const model::Study> check(const std::string& folder) {
  DefinitionFaults faults;
  auto loaded = model::load_study(folder);
  if (!loaded) faults = loaded.error();
  const auto study = std::make_shared<const model::Study>(loaded ? std::move(*loaded)
                                                                 : read_in_spite(folder));
  const auto rules = monitor::load_rules(study);
  if (!rules) faults.insert(faults.end(), rules.error().begin(), rules.error().end());
  if (const auto settings = reports::read_settings(*study); !settings) {
    faults.insert(faults.end(), settings.error().begin(), settings.error().end());
  }
  const auto forms = api::Forms::read(*study);
  if (!forms) faults.insert(faults.end(), forms.error().begin(), forms.error().end());
  find_strangers(folder, faults);
  for (const model::DefinitionFault& fault : faults) {
    std::cerr << folder << '/' << model::to_string(fault) << '\n';
  }
  if (!faults.empty()) return nullptr;

  const std::size_t count = (*rules)->rules().size();
  const bool empty_file = count == 0 && study->file("rules.toml") != nullptr;
  if (empty_file) std::cerr << folder << "/rules.toml: has no [[rules]]\n";
  if (study->schedule && study->schedule->activities.empty()) {
    std::cerr << folder << "/schedule.toml: has no [[activities]]\n";
  }
  tell_what_is_not_graded(folder, *study);
  tell_what_is_not_checked(folder, **forms);
  std::cout << folder << ": study '" << study->id << "' is sound: " << study->sites.size()
            << " sites, "
            << (count == 0 ? "no rules: nothing is watched" : std::to_string(count) + " rules")
            << ", definition " << study->hash.substr(0, 12) << '\n';
  return study;
}

// The sound studies by their folders.
using Checked = std::vector<std::pair<std::string, std::shared_ptr<const model::Study>>>;

bool check_targets(const std::string& path, const Checked& studies) {
  std::vector<std::string> ids;
  for (const auto& [folder, study] : studies) ids.push_back(study->id);
  const auto targets = load_targets_file(path, ids);
  if (targets == nullptr) return false;
  bool known = true;
  for (const auto& [folder, study] : studies) {
    known = names_its_targets(folder, *study, *targets) && known;
  }
  if (!known) return false;
  std::cout << path << ": " << targets->all.size() << " targets, sound\n";
  return true;
}

}  // namespace

Run add_check(CLI::App& app) {
  auto folders = std::make_shared<std::vector<std::string>>();
  auto targets = std::make_shared<std::string>();
  app.add_option("STUDY_DIR", *folders, "Folder of a study definition")->required();
  app.add_option("--targets", *targets, "Check this file of targets as well, with its secrets");
  return [folders, targets] {
    int code = kSuccess;
    Checked studies;
    for (const std::string& folder : *folders) {
      if (!fs::is_directory(folder)) {
        return fail(kWrongUse, "STUDY_DIR: there is no folder " + folder);
      }
      auto study = check(folder);
      if (study == nullptr) code = kFailure;
      if (study != nullptr) studies.emplace_back(folder, std::move(study));
    }
    if (!targets->empty() && !check_targets(*targets, studies)) code = kFailure;
    return code;
  };
}

}  // namespace trialward::cli
