// The tables of this folder's tables/, as they were compiled into the program, and what was read
// from them: once, at the first call; any thread. A table with a fault stops the process, for it is
// a part of the program (tests/ctcae/ reads each).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctcae/criteria.h"
#include "model/fault.h"
#include "model/study.h"

namespace trialward::ctcae {

struct NamedText {
  std::string_view name;  // "v5.toml"
  std::string_view text;
};
std::span<const NamedText> texts();

// "4", "5" or "6"; null when there is no such version.
const Criteria* criteria_of(std::string_view version);
// The versions there are, for people: "4, 5, 6".
std::string known_versions();

// What codes.toml says.
struct CodeNames {
  std::map<std::string, std::vector<std::string>, std::less<>> terms;  // by laboratory code
};
base::Result<CodeNames, model::DefinitionFaults> read_code_names(const model::DefinitionFile& file);
const CodeNames& code_names();

}  // namespace trialward::ctcae
