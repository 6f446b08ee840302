// The rules of a rules.toml as they are written, for people to read. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::cli {

// The lines of the rule with this id, from its [[rules]] on; nothing when there is none.
std::optional<std::string> rule_text(std::string_view rules_toml, std::string_view id);

// The texts of the rules of which a condition asks for records of this kind and code, or of the
// kind whatever the code.
std::vector<std::string> rules_about(std::string_view rules_toml, std::string_view kind,
                                     std::string_view code);

}  // namespace trialward::cli
