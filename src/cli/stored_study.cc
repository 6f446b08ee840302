#include "cli/stored_study.h"

#include <string_view>

#include "store/study_rows.h"

namespace trialward::cli {

using base::Errc;
using base::Result;

Result<StoredStudy> find_stored_study(store::Connection& reader, const std::string& id,
                                      const std::string& folder) {
  auto row = reader.integer("SELECT id FROM studies WHERE study = $1", {std::string_view(id)});
  if (!row && row.error().code == Errc::not_found) {
    return base::invalid("--study: the store has no study '" + id + "'");
  }
  if (!row) return row.error();
  auto loaded = [&]() -> Result<model::Study, model::DefinitionFaults> {
    if (!folder.empty()) return model::load_study(folder);
    auto newest = reader.integer("SELECT max(id) FROM definitions WHERE study = $1", {*row});
    if (!newest) return model::DefinitionFaults{{"", 0, newest.error().message}};
    auto files = store::read_definition(reader, *newest);
    if (!files) return model::DefinitionFaults{{"", 0, files.error().message}};
    return model::load_study(std::move(*files));
  }();
  if (!loaded && folder.empty()) {
    return base::invalid("the definition: " + model::to_string(loaded.error().front()));
  }
  if (!loaded) {
    const model::DefinitionFault& fault = loaded.error().front();
    return base::invalid("--definition: " + folder + (fault.file.empty() ? "" : "/") +
                         model::to_string(fault));
  }
  if (loaded->id != id) return base::invalid("--definition: is of the study '" + loaded->id + "'");
  return StoredStudy{*row, std::make_shared<const model::Study>(std::move(*loaded))};
}

}  // namespace trialward::cli
