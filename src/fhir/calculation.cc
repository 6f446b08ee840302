#include "fhir/calculation.h"

#include <algorithm>
#include <utility>

#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::ItemType;

constexpr std::string_view kVariable = "http://hl7.org/fhir/StructureDefinition/variable";
constexpr std::string_view kCalculated =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression";
// SDC's name of it before it was SDC's.
constexpr std::string_view kCalculatedBefore =
    "http://hl7.org/fhir/StructureDefinition/questionnaire-calculatedExpression";

bool is_of_resource(std::string_view name) {
  return name == "resource" || name == "questionnaire" || name == "context";
}

std::string number_text(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::size_t Calculations::enter(Json element, const std::string& link_id) {
  const std::size_t outside = visible_.size();
  for (const Json extension : element["extension"]) {
    if (extension.string("url") != kVariable || variables_.size() >= kVariablesMax) continue;
    const Json given = extension["valueExpression"];
    Variable variable{.name = std::string(given.string("name")), .owner = link_id};
    auto parsed = PathExpression::parse(given.string("expression"));
    if (!parsed) {
      variable.reason = parsed.error().message;
    } else {
      variable.expression = std::move(*parsed);
      variable.reason = need(variable.expression, variable.needs);
    }
    const auto same_name = [&](std::size_t one) { return variables_[one].name == variable.name; };
    if (std::any_of(visible_.begin(), visible_.end(), same_name)) {
      variable.reason = "is there twice";
    }
    visible_.push_back(variables_.size());
    variables_.push_back(std::move(variable));
  }
  return outside;
}

// Adds the variables that the expression needs, each after those that it needs itself. Answers what
// keeps it from being evaluated, "" when nothing does.
std::string Calculations::need(const PathExpression& expression,
                               std::vector<std::size_t>& needed) const {
  const auto add = [&](std::size_t index) {
    if (std::find(needed.begin(), needed.end(), index) == needed.end()) needed.push_back(index);
  };
  for (const std::string& name : expression.names()) {
    if (is_of_resource(name)) continue;
    // The innermost of its name; where there are two, that one cannot be used.
    const auto found = std::find_if(visible_.rbegin(), visible_.rend(), [&](std::size_t index) {
      return variables_[index].name == name;
    });
    if (found == visible_.rend()) return "uses %" + name + ", which is not known";
    const Variable& variable = variables_[*found];
    if (!variable.reason.empty()) return "uses %" + name + ", which " + variable.reason;
    for (const std::size_t index : variable.needs) add(index);
    add(*found);
  }
  return "";
}

void Calculations::read(Json item_json, const std::string& path,
                        const model::QuestionnaireItem& item, bool ignore, IssueList& list) {
  std::size_t index = 0;
  for (const Json extension : item_json["extension"]) {
    const std::string at = place(path, "extension", index++);
    const std::string_view url = extension.string("url");
    if (url != kCalculated && url != kCalculatedBefore) continue;
    if (ignore) {
      list.warning("notChecked", at, "calculates the answer, which is ignored");
      continue;
    }
    const auto refuse = [&](const std::string& why) {
      list.error("notSupported", at, "calculates the answer by an expression that " + why);
    };
    if (item.type != ItemType::decimal && item.type != ItemType::integer) {
      refuse("is for a " + std::string(name_of(item.type)) + "; only numbers are supported");
      continue;
    }
    auto parsed = PathExpression::parse(extension["valueExpression"].string("expression"));
    if (!parsed) {
      refuse(parsed.error().message);
      continue;
    }
    Calculation calculation{.expression = std::move(*parsed)};
    std::string why = need(calculation.expression, calculation.variables);
    if (!why.empty()) {
      refuse(why);
    } else {
      by_link_id_.emplace(item.link_id, std::move(calculation));
    }
  }
}

model::Issues Calculations::check(Json questionnaire, Json response) const {
  IssueList list;
  if (by_link_id_.empty()) return {};
  Ancestors around;
  std::size_t count = 0;
  check_items(response, "QuestionnaireResponse", around, questionnaire, response, count, list);
  return std::move(list.issues);
}

void Calculations::check_items(Json parent, const std::string& path, Ancestors& around,
                               Json questionnaire, Json response, std::size_t& count,
                               IssueList& list) const {
  std::size_t index = 0;
  for (const Json item : parent["item"]) {
    const std::string at = place(path, "item", index++);
    around.push_back(item);
    const auto found = by_link_id_.find(item.string("linkId"));
    if (found != by_link_id_.end()) {
      if (++count <= kCalculatedMax) {
        check_item(found->second, at, around, questionnaire, response, list);
      } else if (count == kCalculatedMax + 1) {
        list.warning("notChecked", at,
                     "is one of more than " + std::to_string(kCalculatedMax) + " calculated ones");
      }
    }
    check_items(item, at, around, questionnaire, response, count, list);
    std::size_t answer_index = 0;
    for (const Json answer : item["answer"]) {
      check_items(answer, place(at, "answer", answer_index++), around, questionnaire, response,
                  count, list);
    }
    around.pop_back();
  }
}

void Calculations::check_item(const Calculation& calculation, const std::string& path,
                              const Ancestors& around, Json questionnaire, Json response,
                              IssueList& list) const {
  const PathValues self = {path_value(around.back())};
  PathExpression::Names names = {{"resource", {path_value(response)}},
                                 {"questionnaire", {path_value(questionnaire)}},
                                 {"context", self}};
  const auto fail = [&](const std::string& why) {
    list.warning("notChecked", path, "cannot be calculated: the expression " + why);
  };
  for (const std::size_t index : calculation.variables) {
    const Variable& variable = variables_[index];
    PathValues focus = {path_value(response)};
    for (const Json one : around) {
      if (one.string("linkId") == variable.owner) focus = {path_value(one)};
    }
    auto value = variable.expression.evaluate(focus, names);
    if (!value) return fail("of %" + variable.name + " " + value.error().message);
    names[variable.name] = std::move(*value);
  }
  const auto result = calculation.expression.evaluate(self, names);
  if (!result) return fail(result.error().message);
  const bool number = result->size() == 1 && result->front().kind == PathValue::Kind::number;
  if (!result->empty() && !number) return fail("gives no number");
  std::size_t index = 0;
  for (const Json answer : around.back()["answer"]) {
    const std::string at = place(path, "answer", index++);
    for (const char* member : {"valueDecimal", "valueInteger"}) {
      if (!answer[member].is(Json::Type::number)) continue;
      const double given = path_value(answer[member]).number;
      if (number && ucum::same_at(given, result->front().number)) continue;
      list.error("calculatedValue", at,
                 std::string(answer[member].text()) + " is not what is calculated: " +
                     (number ? number_text(result->front().number) : "nothing"));
    }
  }
}

}  // namespace trialward::fhir
