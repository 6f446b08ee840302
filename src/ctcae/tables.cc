#include "ctcae/tables.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "ctcae/read_criteria.h"
#include "model/table_reader.h"

namespace trialward::ctcae {
namespace {

model::DefinitionFile file_of(const NamedText& one) {
  return {std::string(one.name), std::string(one.text)};
}

void log_faults(const model::DefinitionFaults& faults) {
  for (const model::DefinitionFault& fault : faults) base::log_error(model::to_string(fault));
}

std::vector<Criteria> read_all() {
  std::vector<Criteria> all;
  for (const NamedText& one : texts()) {
    if (!one.name.starts_with('v')) continue;
    auto criteria = read_criteria(file_of(one));
    if (!criteria) log_faults(criteria.error());
    TW_CHECK(criteria.ok());
    all.push_back(std::move(*criteria));
  }
  return all;
}

const std::vector<Criteria>& all_criteria() {
  static const std::vector<Criteria> all = read_all();
  return all;
}

CodeNames read_built_in_names() {
  const auto table = std::find_if(texts().begin(), texts().end(), [](const NamedText& one) {
    return one.name == "codes.toml";
  });
  TW_CHECK(table != texts().end());
  auto names = read_code_names(file_of(*table));
  if (!names) log_faults(names.error());
  TW_CHECK(names.ok());
  return std::move(*names);
}

}  // namespace

const Criteria* criteria_of(std::string_view version) {
  const auto& all = all_criteria();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Criteria& one) {
    return one.version == version;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string known_versions() {
  std::string known;
  for (const Criteria& one : all_criteria()) known += (known.empty() ? "" : ", ") + one.version;
  return known;
}

base::Result<CodeNames, model::DefinitionFaults> read_code_names(
    const model::DefinitionFile& file) {
  model::DefinitionFaults faults;
  CodeNames names;
  if (const auto table = model::parse_toml(file, faults)) {
    model::TableReader root(*table, file.name, file.name, faults);
    if (auto codes = root.table("codes")) {
      for (const std::string& code : codes->keys()) names.terms[code] = codes->texts(code);
    }
    root.finish();
  }
  if (!faults.empty()) return faults;
  return names;
}

const CodeNames& code_names() {
  static const CodeNames names = read_built_in_names();
  return names;
}

}  // namespace trialward::ctcae
