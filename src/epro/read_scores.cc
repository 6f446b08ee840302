#include <cmath>
#include <set>
#include <utility>

#include "epro/score.h"
#include "model/table_reader.h"
#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::DefinitionFaults;
using model::TableReader;

void read_method(TableReader& table, ScoreRule& rule) {
  const std::string method = table.text("method"), prorate = table.text("prorate");
  if (method == "mean") {
    rule.method = ScoreRule::Method::mean;
  } else if (method != "sum") {
    table.fault("method", "method must be \"sum\" or \"mean\"");
  }
  if (prorate == "items") {
    rule.prorate = ScoreRule::Prorate::items;
  } else if (prorate == "points") {
    rule.prorate = ScoreRule::Prorate::points;
  } else if (!prorate.empty() && prorate != "never") {
    table.fault("prorate", "prorate must be \"items\", \"points\" or \"never\"");
  }
  const double missing = table.number("missing_max").value_or(0);
  if (missing < 0 || missing != std::floor(missing) || missing > kScoreItemsMax) {
    table.fault("missing_max", "missing_max must be a whole number, from 0 on");
  } else {
    rule.missing_max = static_cast<std::size_t>(missing);
  }
}

// What can be had at most must be above 0 where it is divided by.
void add_item(TableReader& table, ScoreRule::Item item, ScoreRule& rule) {
  if (!(item.weight > 0)) table.fault("weight", "weight must be above 0");
  if (rule.prorate == ScoreRule::Prorate::points && !(item.most > 0)) {
    table.fault("points", "to prorate by points, an item must be able to have some");
  }
  rule.items.push_back(std::move(item));
}

void read_items(TableReader& table, ScoreRule& rule) {
  const auto points = [](TableReader& of, ScoreRule::Item& item) {
    const auto bounds = of.bounds("points");
    if (!bounds) {  // one that is none has been told
      if (!of.has("points")) of.fault("points", "points must be given: [least, most]");
      return;
    }
    item.least = bounds->low;
    item.most = bounds->high;
  };
  if (table.has("items")) {
    ScoreRule::Item item;
    points(table, item);
    for (std::string& link_id : table.texts("items")) {
      item.link_id = std::move(link_id);
      add_item(table, item, rule);
    }
  }
  for (TableReader& one : table.tables("item")) {
    ScoreRule::Item item;
    item.link_id = one.id("item");
    points(one, item);
    item.weight = one.number("weight").value_or(1);
    add_item(one, std::move(item), rule);
    one.finish();
  }
  std::set<std::string_view> seen;
  for (const ScoreRule::Item& item : rule.items) {
    if (!seen.insert(item.link_id).second) {
      table.fault("items", "has the item " + ucum::quoted(item.link_id) + " twice");
    }
  }
  if (rule.items.empty() || rule.items.size() > kScoreItemsMax) {
    table.fault("items", "has no items, or more than " + std::to_string(kScoreItemsMax));
  } else if (rule.missing_max >= rule.items.size()) {
    table.fault("missing_max", "missing_max must leave an item at least");
  }
}

ScoreRule read_rule(TableReader& table) {
  ScoreRule rule;
  rule.id = table.id("id");
  rule.title = table.text("title");
  rule.version = table.id("version");
  rule.source = table.text("source");
  read_method(table, rule);
  read_items(table, rule);
  if (auto values = table.table("values")) {
    for (const std::string& key : values->keys()) {
      if (const auto number = values->number(key)) rule.values.emplace(key, *number);
    }
    values->finish();
  }
  table.finish();
  return rule;
}

}  // namespace

base::Result<std::vector<ScoreRule>, DefinitionFaults> read_scores(
    const model::DefinitionFile& file) {
  DefinitionFaults faults;
  std::vector<ScoreRule> rules;
  if (const auto parsed = model::parse_toml(file, faults)) {
    TableReader root(*parsed, file.name, file.name, faults);
    std::set<std::string> ids;
    for (TableReader& table : root.tables("scores")) {
      ScoreRule rule = read_rule(table);
      if (!ids.insert(rule.id).second) table.fault("id", "is the id of another score, too");
      rules.push_back(std::move(rule));
    }
    root.finish();
  }
  if (!faults.empty()) return faults;
  return rules;
}

}  // namespace trialward::epro
