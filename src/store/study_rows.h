// The rows of studies and of the texts of their definitions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/study.h"
#include "store/writer.h"

namespace trialward::store {

// The row id of a study and of its definition, added when they are new. Inside a transaction.
struct StudyRow {
  std::int64_t study = 0;
  std::int64_t definition = 0;
};
base::Result<StudyRow> ensure_study(Writer& writer, const model::Study& study, const Act& act);

// Every study of the store: row id → its id.
base::Result<std::map<std::int64_t, std::string>> read_studies(Connection& connection);

// The files of a definition. Errors: not_found, corrupt.
base::Result<std::vector<model::DefinitionFile>> read_definition(Connection& connection,
                                                                 std::int64_t definition);

}  // namespace trialward::store
