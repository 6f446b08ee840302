#include "reports/report_study.h"

#include "store/study_rows.h"

namespace trialward::reports {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

Error faulty(const model::DefinitionFaults& faults) {
  return base::invalid("the definition: " + model::to_string(faults.front()));
}

}  // namespace

Result<std::string> definition_of(const Reading& reading, std::int64_t study,
                                  std::int64_t as_of_ms, std::string_view named) {
  std::string found;
  const auto read = [&](store::Connection& connection) -> Status {
    auto rows = connection.query(
        "SELECT hash, loaded_ms FROM definitions WHERE study = $1 ORDER BY id", {study});
    if (!rows) return rows.error();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) return {};
      const std::string_view hash = rows->text(0);
      const bool fits = named.empty() ? found.empty() || rows->integer(1) <= as_of_ms
                                      : hash.starts_with(named);
      if (fits) found = std::string(hash);
    }
  };
  if (auto done = read_page(reading, read); !done) return done.error();
  if (!found.empty()) return found;
  return base::invalid(named.empty()
                           ? "the store has no definition of the study"
                           : "the store has no definition " + std::string(named) +
                                 " of the study, which the positions name");
}

Result<ReportStudy> read_report_study(const Reading& reading, std::int64_t study,
                                      const std::string& hash) {
  std::vector<model::DefinitionFile> files;
  const auto read = [&](store::Connection& connection) -> Status {
    auto row = connection.integer("SELECT id FROM definitions WHERE study = $1 AND hash = $2",
                                  {study, std::string_view(hash)});
    if (!row) return row.error();
    auto texts = store::read_definition(connection, *row);
    if (!texts) return texts.error();
    files = std::move(*texts);
    return {};
  };
  if (auto done = read_page(reading, read); !done) return done.error();
  auto loaded = model::load_study(std::move(files));
  if (!loaded) return faulty(loaded.error());
  return report_study(std::make_shared<const model::Study>(std::move(*loaded)), study);
}

Result<ReportStudy> report_study(std::shared_ptr<const model::Study> study, std::int64_t row) {
  auto settings = read_settings(*study);
  if (!settings) return faulty(settings.error());
  return ReportStudy{.study = std::move(study),
                     .settings = std::make_shared<const Settings>(std::move(*settings)),
                     .row = row};
}

}  // namespace trialward::reports
