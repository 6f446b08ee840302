// Questionnaires from reports.toml: see questionnaire.h.
#include <algorithm>
#include <set>

#include "reports/questionnaire.h"

namespace trialward::reports {
namespace {

using model::TableReader;

// A text that is named twice is a fault.
void check_twice(TableReader& table, std::string_view key, const std::vector<std::string>& texts) {
  std::set<std::string> seen;
  for (const std::string& text : texts) {
    if (!seen.insert(text).second) table.fault(key, "\"" + text + "\" is given twice");
  }
}

void read_codes(TableReader& table, Questionnaire& one) {
  const std::string total = table.text("total"), score = table.text("score");
  one.codes = table.texts("items");
  check_twice(table, "items", one.codes);
  if (total.empty() == one.codes.empty()) {
    table.fault("total", "a questionnaire has either a total or items");
  }
  if (!total.empty()) one.codes = {total};
  one.not_applicable = table.number("not_applicable");
  if (score == "percent") {
    one.score = Questionnaire::Score::percent;
  } else if (table.has("score") && score != "sum") {
    table.fault("score", "score must be \"sum\" or \"percent\"");
  }
  if (table.has("score") && !total.empty()) {
    table.fault("score", "a total is the score itself");
  }
}

}  // namespace

Questionnaire read_questionnaire(TableReader& table, std::span<const std::string> populations,
                                 const std::vector<Questionnaire>& before) {
  Questionnaire one;
  one.id = table.id("id");
  one.title = table.text("title");
  if (one.title.empty()) one.title = one.id;
  read_codes(table, one);
  one.visits = table.texts("visits");
  check_twice(table, "visits", one.visits);
  if (table.has("population")) one.population = table.text("population");
  if (std::find(populations.begin(), populations.end(), one.population) == populations.end()) {
    table.fault("population", "there is no population \"" + one.population + "\"");
  }
  if (std::any_of(before.begin(), before.end(), [&](auto& other) { return other.id == one.id; })) {
    table.fault("id", "questionnaire \"" + one.id + "\" is given twice");
  }
  table.finish();
  return one;
}

}  // namespace trialward::reports
