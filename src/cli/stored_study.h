// A study of a store, for commands that read it: its row, and its definition.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "model/study.h"
#include "store/connection.h"

namespace trialward::cli {

struct StoredStudy {
  std::int64_t row = 0;
  std::shared_ptr<const model::Study> study;
};

// Errors: invalid (the store has none of this id: the message names the flag), those of the store.
base::Result<std::int64_t> find_study_row(store::Connection& reader, const std::string& id);

// The definition in a folder. Errors: invalid (its faults, or it is of another study).
base::Result<model::Study> study_in_folder(const std::string& id, const std::string& folder);

// The newest definition in the store; with `folder` the one there, which must be of the same study.
// Errors: invalid (a wrong use: the message names the flag), those of the store.
base::Result<StoredStudy> find_stored_study(store::Connection& reader, const std::string& id,
                                            const std::string& folder);

}  // namespace trialward::cli
