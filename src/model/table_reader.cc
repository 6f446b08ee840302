#include "model/table_reader.h"

#include <cmath>

#include "model/text_fault.h"

namespace trialward::model {

std::optional<toml::table> parse_toml(const DefinitionFile& file, DefinitionFaults& faults) {
  try {
    return toml::parse(file.text, file.name);
  } catch (const toml::parse_error& error) {
    faults.push_back(
        {file.name, static_cast<int>(error.source().begin.line), std::string(error.description())});
    return std::nullopt;
  }
}

TableReader::TableReader(const toml::table& table, std::string name, std::string file,
                         DefinitionFaults& faults)
    : table_(&table), name_(std::move(name)), file_(std::move(file)), faults_(&faults) {}

std::string TableReader::id(std::string_view key) {
  if (!has(key)) {
    fault(key, name_ + " needs " + std::string(key));
    asked_.emplace(key);
    return "";
  }
  const std::size_t faults_before = faults_->size();
  std::string text_given = text(key);
  if (faults_->size() == faults_before) {
    if (const auto reason = id_fault(text_given)) fault(key, std::string(key) + " " + *reason);
  }
  return text_given;
}

std::string TableReader::text(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return "";
  if (const auto* text_node = node->as_string()) return text_node->get();
  fault(key, std::string(key) + " must be a string");
  return "";
}

std::vector<std::string> TableReader::texts(std::string_view key) {
  std::vector<std::string> all;
  if (const toml::array* array = take_array(key, "an array of strings")) {
    for (const toml::node& node : *array) {
      if (const auto* text_node = node.as_string()) {
        all.push_back(text_node->get());
      } else {
        fault_at(node.source(), std::string(key) + " must be an array of strings");
      }
    }
  }
  return all;
}

std::optional<bool> TableReader::flag(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  if (const auto* flag_node = node->as_boolean()) return flag_node->get();
  fault(key, std::string(key) + " must be true or false");
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && std::isfinite(*value)) return value;
  fault(key, std::string(key) + " must be a finite number");
  return std::nullopt;
}

std::optional<Bounds> TableReader::bounds(std::string_view key) {
  const toml::array* array = take_array(key, "[low, high]");
  if (!array) return std::nullopt;
  if (array->size() == 2 && (*array)[0].is_number() && (*array)[1].is_number()) {
    const Bounds bounds{*(*array)[0].value<double>(), *(*array)[1].value<double>()};
    if (bounds.low <= bounds.high) return bounds;  // false for NaN, too
  }
  fault(key, std::string(key) + " must be [low, high], two numbers with low <= high");
  return std::nullopt;
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  const std::string name = "[" + std::string(key) + "]";
  if (const auto* inner = node->as_table()) return TableReader(*inner, name, file_, *faults_);
  fault(key, std::string(key) + " must be a table, " + name);
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> all;
  const std::string name = "[[" + std::string(key) + "]]";
  if (const toml::array* array = take_array(key, "an array of tables")) {
    for (const toml::node& node : *array) {
      if (const auto* inner = node.as_table()) {
        all.emplace_back(*inner, name, file_, *faults_);
      } else {
        fault_at(node.source(), std::string(key) + " must be an array of tables");
      }
    }
  }
  return all;
}

std::vector<std::pair<std::string, TableReader>> TableReader::members() {
  std::vector<std::pair<std::string, TableReader>> all;
  for (const auto& [key, node] : *table_) {
    if (auto inner = table(key.str())) all.emplace_back(key.str(), std::move(*inner));
  }
  return all;
}

std::vector<std::string> TableReader::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, node] : *table_) all.emplace_back(key.str());
  return all;
}

bool TableReader::is_array(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_array();
}

bool TableReader::is_table(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_table();
}

int TableReader::line(std::string_view key) const {
  const auto found = table_->find(key);
  const auto& source = found == table_->end() ? table_->source() : found->first.source();
  return static_cast<int>(source.begin.line);
}

void TableReader::fault(std::string_view key, std::string reason) {
  const auto found = table_->find(key);
  fault_at(found == table_->end() ? table_->source() : found->first.source(), std::move(reason));
}

void TableReader::finish() {
  for (const auto& [key, node] : *table_) {
    if (!asked_.contains(key.str())) {
      fault_at(key.source(), name_ + " has no member " + std::string(key.str()));
    }
  }
}

const toml::node* TableReader::take(std::string_view key) {
  asked_.emplace(key);
  return table_->get(key);
}

const toml::array* TableReader::take_array(std::string_view key, const char* expected) {
  const toml::node* node = take(key);
  if (!node) return nullptr;
  const toml::array* array = node->as_array();
  if (!array) fault(key, std::string(key) + " must be " + expected);
  return array;
}

void TableReader::fault_at(const toml::source_region& source, std::string reason) {
  faults_->push_back({file_, static_cast<int>(source.begin.line), std::move(reason)});
}

}  // namespace trialward::model
