// A study as a command uses it: the definition in a folder, with its rules.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "intake/submission.h"
#include "store/writer.h"

namespace trialward::cli {

// Loads and checks a study's folder; writes every fault to standard error. Nothing when there is
// one. Its store rows are still 0.
std::optional<intake::ActiveStudy> load_study_folder(const std::string& folder);

// The same from the definition that a store holds, without a word.
base::Result<intake::ActiveStudy> load_stored_study(std::vector<model::DefinitionFile> files);

// Makes sure that the store has the study and this definition; sets its rows.
base::Status register_study(store::Writer& writer, intake::ActiveStudy& study,
                            std::int64_t now_ms);

}  // namespace trialward::cli
