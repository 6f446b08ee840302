// Reads the tables of a definition file key by key and notes every fault with its line: for
// load_study.cc. It borrows the parsed file and the list of faults; one thread uses it.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/fault.h"
#include "model/study.h"

namespace trialward::model {

// The file as TOML; nothing, and a fault with its line, when it is none.
std::optional<toml::table> parse_toml(const DefinitionFile& file, DefinitionFaults& faults);

// One table. What it is asked for and does not have is absent in the answer; what has the wrong
// type is a fault and absent. finish() reports the keys that were never asked for.
class TableReader {
 public:
  // `name` as people write it: "[study]".
  TableReader(const toml::table& table, std::string name, std::string file,
              DefinitionFaults& faults);

  // A required id: not empty, at most kIdCharsMax characters, no control characters.
  std::string id(std::string_view key);
  std::string text(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<double> number(std::string_view key);
  // [low, high] with low <= high.
  std::optional<Bounds> bounds(std::string_view key);
  std::optional<TableReader> table(std::string_view key);
  // Each table of an array of tables.
  std::vector<TableReader> tables(std::string_view key);
  // Each member of this table, all of which must be tables: key and reader.
  std::vector<std::pair<std::string, TableReader>> members();

  bool has(std::string_view key) const { return table_->contains(key); }
  std::vector<std::string> keys() const;
  bool is_array(std::string_view key) const;
  bool is_table(std::string_view key) const;
  int line(std::string_view key) const;  // of the key, else of the table
  // A fault at a key's line, or at the table's when it has no such key.
  void fault(std::string_view key, std::string reason);
  void finish();

 private:
  const toml::node* take(std::string_view key);
  const toml::array* take_array(std::string_view key, const char* expected);
  void fault_at(const toml::source_region& source, std::string reason);

  const toml::table* table_;
  std::string name_, file_;
  DefinitionFaults* faults_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace trialward::model
