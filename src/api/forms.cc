#include "api/forms.h"

#include <algorithm>

#include "ucum/unit.h"

namespace trialward::api {
namespace {

using model::DefinitionFaults;

constexpr std::string_view kFolder = "questionnaires/";
constexpr std::string_view kSuffix = ".json";

bool is_settings(const model::DefinitionFile& file) {
  // A file of scores has no [questionnaire]; which files those are, the settings say.
  return file.name.starts_with(kFolder) && file.name.ends_with(".toml") &&
         file.text.find("[questionnaire]") != std::string::npos;
}

class FormsReader {
 public:
  explicit FormsReader(const model::Study& study) : study_(study) {}

  std::vector<std::unique_ptr<StudyForm>> read() {
    std::vector<std::unique_ptr<StudyForm>> forms;
    for (const model::DefinitionFile& file : study_.files) {
      if (!is_settings(file)) continue;
      auto form = read_one(file);
      if (form == nullptr) {
        whole = false;
        continue;
      }
      check_unique(*form, forms);
      forms.push_back(std::move(form));
    }
    return forms;
  }

  void add(const DefinitionFaults& more) { faults.insert(faults.end(), more.begin(), more.end()); }

  DefinitionFaults faults;
  bool whole = true;  // nothing that could not be read is missing

 private:
  void fault(const std::string& file, std::string reason) {
    faults.push_back({file, 0, std::move(reason)});
  }

  const model::DefinitionFile* file_of(const std::string& name, const std::string& wanted_by) {
    const model::DefinitionFile* file = study_.file(name);
    if (file == nullptr) fault(wanted_by, "there is no file " + ucum::quoted(name));
    return file;
  }

  std::unique_ptr<StudyForm> read_one(const model::DefinitionFile& file) {
    auto settings = epro::read_form_settings(file);
    if (!settings) {
      add(settings.error());
      return nullptr;
    }
    const model::DefinitionFile* json = file_of(settings->file, file.name);
    if (json == nullptr) return nullptr;
    auto form = std::make_unique<StudyForm>();
    auto read = form->reader.read(json->text);
    if (!read) {
      for (const model::Issue& issue : read.error()) {
        fault(settings->file, issue.path + ": " + issue.words);
      }
      return nullptr;
    }
    const std::string_view name = std::string_view(settings->file).substr(kFolder.size());
    form->id = name.substr(0, name.size() - (name.ends_with(kSuffix) ? kSuffix.size() : 0));
    form->form.questionnaire = std::move(read->questionnaire);
    form->calculations = std::move(read->calculations);
    form->notes = std::move(read->notes);
    form->json = json->text;
    if (!settings->scores.empty()) read_scores(*settings, *form);
    form->form.settings = std::move(*settings);
    std::string& url = form->form.questionnaire.url;
    if (url.empty()) url = form->form.settings.url;
    if (url.empty()) {
      fault(form->form.settings.file,
            "has no url, which responses name it by; the [questionnaire] may give it one");
    }
    add(epro::form_faults(form->form, study_));
    return form;
  }

  void read_scores(const epro::FormSettings& settings, StudyForm& form) {
    const model::DefinitionFile* file = file_of(settings.scores, settings.name);
    if (file == nullptr) return;
    auto rules = epro::read_scores(*file);
    if (!rules) return add(rules.error());
    form.form.rules = std::move(*rules);
  }

  void check_unique(const StudyForm& form, const std::vector<std::unique_ptr<StudyForm>>& others) {
    const model::Questionnaire& own = form.form.questionnaire;
    for (const auto& other : others) {
      const model::Questionnaire& one = other->form.questionnaire;
      if (other->id == form.id || (one.url == own.url && one.version == own.version)) {
        fault(form.form.settings.name,
              "is about the same questionnaire as " + other->form.settings.name);
      }
    }
  }

  const model::Study& study_;
};

}  // namespace

base::Result<std::shared_ptr<const Forms>, DefinitionFaults> Forms::read(
    const model::Study& study) {
  FormsReader reader(study);
  auto forms = std::make_shared<Forms>();
  forms->forms_ = reader.read();
  auto patient = epro::read_patient_settings(study);
  if (!patient) {
    reader.add(patient.error());
  } else {
    std::vector<const model::Questionnaire*> all;
    for (const auto& form : forms->forms_) all.push_back(&form->form.questionnaire);
    if (reader.whole) reader.add(epro::patient_faults(*patient, all));
    forms->patient_ = std::move(*patient);
  }
  if (!reader.faults.empty()) return std::move(reader.faults);
  return std::shared_ptr<const Forms>(std::move(forms));
}

const StudyForm* Forms::find(std::string_view canonical, std::string& reason) const {
  const std::size_t bar = canonical.find('|');
  const std::string_view url = canonical.substr(0, bar);
  const bool any_version = bar == std::string_view::npos;
  const std::string_view version = any_version ? "" : canonical.substr(bar + 1);
  const StudyForm* found = nullptr;
  for (const auto& form : forms_) {
    const model::Questionnaire& one = form->form.questionnaire;
    if (one.url != url || (!any_version && one.version != version)) continue;
    if (found != nullptr) {
      reason = "the study has several versions of " + ucum::quoted(url) + ": name one, as in \"" +
               std::string(url) + "|" + one.version + "\"";
      return nullptr;
    }
    found = form.get();
  }
  if (found == nullptr) reason = "the study has no questionnaire " + ucum::quoted(canonical);
  return found;
}

const StudyForm* Forms::by_id(std::string_view id) const {
  for (const auto& form : forms_) {
    if (form->id == id) return form.get();
  }
  return nullptr;
}

const StudyForm* Forms::telling(const std::vector<std::string>& codes) const {
  for (const auto& form : forms_) {
    const epro::FormSettings& settings = form->form.settings;
    const auto tells = [&](const std::string& code) {
      return code == settings.code ||
             std::any_of(settings.records.begin(), settings.records.end(),
                         [&](const auto& told) { return told.code == code; });
    };
    if (std::all_of(codes.begin(), codes.end(), tells)) return form.get();
  }
  return nullptr;
}

}  // namespace trialward::api
