#include "fhir/response_reader.h"

#include <utility>

#include "fhir/element.h"
#include "fhir/read_value.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::ResponseAnswer;
using model::ResponseItem;

constexpr std::string_view kResponseMembers[] = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension",
    "modifierExtension", "identifier", "basedOn", "partOf", "questionnaire", "status", "subject",
    "encounter", "authored", "author", "source", "item"};
constexpr std::string_view kResponseItemMembers[] = {
    "id", "extension", "modifierExtension", "linkId", "definition", "text", "answer", "item"};
constexpr std::string_view kAnswerMembers[] = {"id", "extension", "modifierExtension", "value[x]",
                                               "item"};

class ResponseReading {
 public:
  model::QuestionnaireResponse response;
  IssueList list;

  void read(Json root) {
    Element element(root, "QuestionnaireResponse", list);
    element.only(kResponseMembers);
    element.text("id", response.id);
    element.text("questionnaire", response.questionnaire);
    element.text("status", response.status);
    element.date_time("authored", response.authored);
    read_items(element, response.items);
  }

 private:
  bool too_many(const std::string& at) {
    if (++count_ <= kAnswersMax) return false;
    if (count_ == kAnswersMax + 1) {
      list.error("tooMany", at,
                 "is one of more than " + std::to_string(kAnswersMax) + " items and answers");
    }
    return true;
  }

  void read_items(Element& parent, std::vector<ResponseItem>& items) {
    parent.each("item", [&](Json json, const std::string& at) {
      if (too_many(at)) return;
      Element element(json, at, list);
      element.only(kResponseItemMembers);
      ResponseItem item;
      element.text("linkId", item.link_id);
      read_answers(element, item.answers);
      read_items(element, item.items);
      items.push_back(std::move(item));
    });
  }

  void read_answers(Element& parent, std::vector<ResponseAnswer>& answers) {
    parent.each("answer", [&](Json json, const std::string& at) {
      if (too_many(at)) return;
      Element element(json, at, list);
      element.only(kAnswerMembers);
      ResponseAnswer answer;
      answer.value = read_choice(json, "value", at, list);
      answer.explained = static_cast<bool>(json["extension"]);
      for (const Json member : json) {
        answer.explained = answer.explained || member.name().starts_with("_value");
      }
      read_items(element, answer.items);
      answers.push_back(std::move(answer));
    });
  }

  std::size_t count_ = 0;
};

}  // namespace

base::Result<ResponseRead, model::Issues> ResponseReader::read(std::string_view json) {
  const auto root = tree_.parse(json);
  root_ = root ? *root : Json();
  if (!root) return root.error();
  if (root->string("resourceType") != "QuestionnaireResponse") {
    return model::Issues{{model::IssueSeverity::fatal, "structure", "",
                          "is no QuestionnaireResponse: its resourceType is " +
                              ucum::quoted(root->string("resourceType"))}};
  }
  ResponseReading reading;
  reading.read(*root);
  return ResponseRead{std::move(reading.response), std::move(reading.list.issues)};
}

}  // namespace trialward::fhir
