// Characteristics from reports.toml: see characteristic.h.
#include <algorithm>

#include "reports/characteristic.h"

namespace trialward::reports {
namespace {

using model::Kind;
using model::TableReader;
using From = Characteristic::From;

constexpr double kDecimalsMax = 9;

std::optional<Kind> measured_kind(TableReader& table) {
  const std::string name = table.id("kind");
  const auto kind = model::parse_kind(name);
  const bool fits = kind == Kind::lab || kind == Kind::vital || kind == Kind::questionnaire;
  if (fits) return kind;
  if (!name.empty()) {
    table.fault("kind", "kind must be \"lab\", \"vital\" or \"questionnaire\"");
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> read_pairs(TableReader& table,
                                                            std::string_view key) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (auto inner = table.table(key)) {
    for (const std::string& name : inner->keys()) pairs.emplace_back(name, inner->text(name));
    inner->finish();
  }
  return pairs;
}

Level read_level(TableReader& table) {
  Level level = read_bounds(table);
  level.when = read_pairs(table, "when");
  level.unless = read_pairs(table, "unless");
  table.finish();
  return level;
}

void read_sum(TableReader& table, Characteristic& one) {
  auto inner = table.table("sum");
  if (!inner) return;
  const auto kind = measured_kind(*inner);
  for (std::string& code : inner->texts("codes")) {
    one.codes.push_back({kind.value_or(Kind::lab), std::move(code)});
  }
  if (one.codes.empty()) inner->fault("codes", "sum needs codes");
  inner->finish();
}

void read_bmi(TableReader& table, const std::vector<Characteristic>& before, Characteristic& one) {
  const auto ids = table.texts("bmi");
  if (ids.size() != one.parts.size()) {
    table.fault("bmi", "bmi must name two characteristics: weight and height");
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = std::find_if(before.begin(), before.end(),
                                    [&](const auto& other) { return other.id == ids[i]; });
    if (found == before.end() || !found->numeric()) {
      table.fault("bmi", "no number with the id \"" + ids[i] + "\" stands above it");
    } else {
      one.parts[i] = static_cast<std::size_t>(found - before.begin());
    }
  }
}

void read_source(TableReader& table, const std::vector<Characteristic>& before,
                 Characteristic& one) {
  const struct {
    const char* key;
    From from;
  } sources[] = {{"attribute", From::attribute},       {"category", From::category},
                 {"demographics", From::demographics}, {"measured", From::measured},
                 {"sum", From::sum},                   {"months_since", From::months},
                 {"bmi", From::bmi}};
  for (const auto& [key, from] : sources) {
    if (!table.has(key)) continue;
    if (one.from != From::levels) table.fault(key, "it follows from one source only");
    one.from = from;
    if (from == From::sum) {
      read_sum(table, one);
    } else if (from == From::bmi) {
      read_bmi(table, before, one);
    } else if (from == From::measured) {
      if (auto inner = table.table(key)) {
        one.codes.push_back(read_code_name(*inner));
        inner->finish();
      }
    } else {
      one.name = table.id(key);
    }
  }
}

Level having(std::string label, std::string name, std::string text) {
  Level level;
  level.label = std::move(label);
  level.when.emplace_back(std::move(name), std::move(text));
  return level;
}

}  // namespace

Level read_bounds(TableReader& table) {
  Level level;
  level.label = table.id("label");
  level.below = table.number("below");
  level.above = table.number("above");
  level.at_most = table.number("at_most");
  level.at_least = table.number("at_least");
  return level;
}

CodeName read_code_name(TableReader& table) {
  const auto kind = measured_kind(table);
  return {kind.value_or(Kind::lab), table.id("code")};
}

Characteristic read_characteristic(TableReader& table,
                                   const std::vector<Characteristic>& before) {
  Characteristic one;
  one.title = table.id("title");
  one.id = table.text("id");
  one.visit = table.text("visit");
  one.standard = table.flag("standard").value_or(false);
  read_source(table, before, one);
  if (const auto round = table.number("round")) {
    one.round = static_cast<int>(std::clamp(*round, 0.0, kDecimalsMax));
    if (*round != *one.round) table.fault("round", "round must be a whole number from 0 to 9");
  }
  for (TableReader& level : table.tables("levels")) one.levels.push_back(read_level(level));
  if (one.from == From::levels && one.levels.empty()) {
    table.fault("title", "it needs a source or levels");
  }
  if (one.from == From::months && one.visit.empty()) {
    table.fault("months_since", "months_since needs a visit");
  }
  table.finish();
  return one;
}

std::vector<Characteristic> default_characteristics() {
  Characteristic age, sex, race, ethnic;
  age.title = "Age (years)";
  age.from = From::attribute;
  age.name = "age";
  sex.title = "Sex";
  sex.levels = {having("Male", "sex", "M"), having("Female", "sex", "F")};
  race.title = "Race";
  race.from = From::category;
  race.name = "race";
  ethnic.title = "Ethnicity";
  ethnic.from = From::category;
  ethnic.name = "ethnic";
  return {age, sex, race, ethnic};
}

}  // namespace trialward::reports
