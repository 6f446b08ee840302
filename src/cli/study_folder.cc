#include "cli/study_folder.h"

#include <iostream>

#include "api/forms.h"
#include "monitor/rules.h"
#include "store/study_rows.h"

namespace trialward::cli {
namespace {

base::Result<intake::ActiveStudy, model::DefinitionFaults> with_rules(
    base::Result<model::Study, model::DefinitionFaults> loaded) {
  if (!loaded) return loaded.error();
  intake::ActiveStudy active;
  active.study = std::make_shared<const model::Study>(std::move(*loaded));
  auto rules = monitor::load_rules(active.study);
  if (!rules) return rules.error();
  active.monitor = std::move(*rules);
  return active;
}

}  // namespace

std::optional<intake::ActiveStudy> load_study_folder(const std::string& folder) {
  auto study = with_rules(model::load_study(folder));
  model::DefinitionFaults faults;
  if (!study) {
    faults = study.error();
  } else if (const auto forms = api::Forms::read(*study->study); !forms) {
    faults = forms.error();
  }
  if (faults.empty()) return std::move(*study);
  for (const model::DefinitionFault& fault : faults) {
    std::cerr << folder << (fault.file.empty() ? "" : "/") << model::to_string(fault) << '\n';
  }
  return std::nullopt;
}

base::Result<intake::ActiveStudy> load_stored_study(std::vector<model::DefinitionFile> files) {
  auto study = with_rules(model::load_study(std::move(files)));
  if (study) return std::move(*study);
  return base::Error{base::Errc::invalid, model::to_string(study.error().front())};
}

base::Status register_study(store::Writer& writer, intake::ActiveStudy& study,
                            std::int64_t now_ms) {
  if (auto begun = writer.begin(); !begun) return begun;
  const store::Act act{.actor = "trialward", .at_ms = now_ms};
  auto row = store::ensure_study(writer, *study.study, act);
  if (!row) {
    writer.rollback();
    return row.error();
  }
  study.row = row->study;
  study.definition = row->definition;
  return writer.commit();
}

}  // namespace trialward::cli
