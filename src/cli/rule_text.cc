#include "cli/rule_text.h"

#include <toml++/toml.h>

namespace trialward::cli {
namespace {

struct Rule {
  const toml::table* table = nullptr;
  std::string text;
};

// Line ends and comments behind a rule's last member belong to what comes next.
std::string trimmed(std::string text) {
  while (!text.empty()) {
    const auto line = text.rfind('\n', text.size() - 2);
    const std::size_t begin = line == std::string::npos ? 0 : line + 1;
    const auto first = text.find_first_not_of(" \t", begin);
    if (first == std::string::npos || (text[first] != '#' && text[first] != '\n')) break;
    text.resize(begin);
  }
  return text;
}

std::vector<Rule> rules_in(const toml::table& root, std::string_view text) {
  std::vector<Rule> rules;
  const toml::array* array = root["rules"].as_array();
  if (array == nullptr) return rules;
  std::vector<std::size_t> begins;  // of each line
  for (std::size_t at = 0; at <= text.size();) {
    begins.push_back(at);
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  std::vector<std::size_t> from;
  for (const toml::node& node : *array) {
    const std::size_t line = node.source().begin.line;
    from.push_back(line == 0 || line > begins.size() ? text.size() : begins[line - 1]);
  }
  from.push_back(text.size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::table* table = (*array)[i].as_table();
    if (table == nullptr || from[i + 1] < from[i]) continue;
    std::string own = trimmed(std::string(text.substr(from[i], from[i + 1] - from[i])));
    if (!own.empty() && own.back() != '\n') own += '\n';
    rules.push_back({table, std::move(own)});
  }
  return rules;
}

bool asks_for(const toml::table& condition, std::string_view kind, std::string_view code) {
  for (const char* group : {"any", "all"}) {
    const toml::array* members = condition[group].as_array();
    if (members == nullptr) continue;
    for (const toml::node& member : *members) {
      if (member.is_table() && asks_for(*member.as_table(), kind, code)) return true;
    }
  }
  if (condition["kind"].value_or(std::string_view()) != kind) return false;
  const toml::array* codes = condition["codes"].as_array();
  if (codes == nullptr) return true;
  for (const toml::node& one : *codes) {
    if (one.value_or(std::string_view()) == code) return true;
  }
  return false;
}

std::optional<toml::table> parse(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> rule_text(std::string_view rules_toml, std::string_view id) {
  const auto root = parse(rules_toml);
  if (!root) return std::nullopt;
  for (const Rule& rule : rules_in(*root, rules_toml)) {
    if ((*rule.table)["id"].value_or(std::string_view()) == id) return rule.text;
  }
  return std::nullopt;
}

std::vector<std::string> rules_about(std::string_view rules_toml, std::string_view kind,
                                     std::string_view code) {
  std::vector<std::string> texts;
  const auto root = parse(rules_toml);
  if (!root) return texts;
  for (const Rule& rule : rules_in(*root, rules_toml)) {
    if (asks_for(*rule.table, kind, code)) texts.push_back(rule.text);
  }
  return texts;
}

}  // namespace trialward::cli
