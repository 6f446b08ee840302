#include "cli/stored_study.h"

#include <string_view>

#include "store/study_rows.h"

namespace trialward::cli {

using base::Errc;
using base::Result;

Result<std::int64_t> find_study_row(store::Connection& reader, const std::string& id) {
  auto row = reader.integer("SELECT id FROM studies WHERE study = $1", {std::string_view(id)});
  if (!row && row.error().code == Errc::not_found) {
    return base::invalid("--study: the store has no study '" + id + "'");
  }
  return row;
}

Result<model::Study> study_in_folder(const std::string& id, const std::string& folder) {
  auto loaded = model::load_study(folder);
  if (!loaded) {
    const model::DefinitionFault& fault = loaded.error().front();
    return base::invalid("--definition: " + folder + (fault.file.empty() ? "" : "/") +
                         model::to_string(fault));
  }
  if (loaded->id != id) return base::invalid("--definition: is of the study '" + loaded->id + "'");
  return std::move(*loaded);
}

Result<StoredStudy> find_stored_study(store::Connection& reader, const std::string& id,
                                      const std::string& folder) {
  auto row = find_study_row(reader, id);
  if (!row) return row.error();
  auto study = [&]() -> Result<model::Study> {
    if (!folder.empty()) return study_in_folder(id, folder);
    auto newest = reader.integer("SELECT max(id) FROM definitions WHERE study = $1", {*row});
    if (!newest) return base::invalid("the definition: " + newest.error().message);
    auto files = store::read_definition(reader, *newest);
    if (!files) return base::invalid("the definition: " + files.error().message);
    auto loaded = model::load_study(std::move(*files));
    if (loaded) return std::move(*loaded);
    return base::invalid("the definition: " + model::to_string(loaded.error().front()));
  }();
  if (!study) return study.error();
  return StoredStudy{*row, std::make_shared<const model::Study>(std::move(*study))};
}

}  // namespace trialward::cli
