#include "store/study_rows.h"

#include <simdjson.h>

#include <array>

#include "base/json_writer.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr int kShard = 0;  // studies and definitions belong to no subject

// The id in the first row of a query, or 0 when there is none.
Result<std::int64_t> id_or_zero(Connection& connection, std::string_view sql,
                                std::initializer_list<SqlValue> parameters) {
  auto id = connection.integer(sql, parameters);
  if (id || id.error().code != Errc::not_found) return id;
  return std::int64_t{0};
}

std::string files_json(const model::Study& study) {
  base::JsonWriter json;
  json.begin_object();
  for (const model::DefinitionFile& file : study.files) json.member(file.name, file.text);
  return json.end_object().take();
}

}  // namespace

Result<StudyRow> ensure_study(Writer& writer, const model::Study& study, const Act& act) {
  Connection& connection = writer.connection();
  StudyRow row;
  auto found = id_or_zero(connection, "SELECT id FROM studies WHERE study = $1", {study.id});
  if (!found) return found.error();
  row.study = *found;
  if (row.study == 0) {
    row.study = writer.next_id(Table::studies);
    const std::array<SqlValue, 2> values = {row.study, std::string_view(study.id)};
    Act adding = act;
    adding.action = "study.added";
    if (auto done = writer.append(Table::studies, kShard, adding, values); !done) {
      return done.error();
    }
  }
  found = id_or_zero(connection, "SELECT id FROM definitions WHERE study = $1 AND hash = $2",
                     {row.study, std::string_view(study.hash)});
  if (!found) return found.error();
  row.definition = *found;
  if (row.definition == 0) {
    row.definition = writer.next_id(Table::definitions);
    const std::string files = files_json(study);
    const std::array<SqlValue, 5> values = {row.definition, row.study,
                                            std::string_view(study.hash),
                                            std::string_view(files), act.at_ms};
    Act adding = act;
    adding.action = "definition.added";
    if (auto done = writer.append(Table::definitions, kShard, adding, values); !done) {
      return done.error();
    }
  }
  return row;
}

Result<std::map<std::int64_t, std::string>> read_studies(Connection& connection) {
  auto rows = connection.query("SELECT id, study FROM studies");
  if (!rows) return rows.error();
  std::map<std::int64_t, std::string> studies;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return studies;
    studies.emplace(rows->integer(0), rows->text(1));
  }
}

Result<std::vector<model::DefinitionFile>> read_definition(Connection& connection,
                                                           std::int64_t definition) {
  auto rows = connection.query("SELECT files FROM definitions WHERE id = $1", {definition});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  const std::string name = "definition " + std::to_string(definition);
  if (!*row) return Error{Errc::not_found, name + " is not in the store"};
  std::vector<model::DefinitionFile> files;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(rows->text(0))).get(object) != simdjson::SUCCESS) {
    return Error{Errc::corrupt, name + " cannot be read"};
  }
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      return Error{Errc::corrupt, name + ": " + std::string(key) + " cannot be read"};
    }
    files.push_back({std::string(key), std::string(text)});
  }
  return files;
}

}  // namespace trialward::store
