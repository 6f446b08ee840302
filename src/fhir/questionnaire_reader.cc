#include "fhir/questionnaire_reader.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fhir/element.h"
#include "fhir/item_extensions.h"
#include "fhir/primitives.h"
#include "fhir/read_value.h"
#include "fhir/value_set_reader.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::EnableWhen;
using model::FormType;
using model::ItemType;
using model::Questionnaire;
using model::QuestionnaireItem;

constexpr std::string_view kRootMembers[] = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension",
    "modifierExtension", "url", "identifier", "version", "name", "title", "derivedFrom", "status",
    "experimental", "subjectType", "date", "publisher", "contact", "description", "useContext",
    "jurisdiction", "purpose", "copyright", "approvalDate", "lastReviewDate", "effectivePeriod",
    "code", "item"};
constexpr std::string_view kItemMembers[] = {
    "id", "extension", "modifierExtension", "linkId", "definition", "code", "prefix", "text",
    "type", "enableWhen", "enableBehavior", "required", "repeats", "readOnly", "maxLength",
    "answerValueSet", "answerOption", "initial", "item"};
constexpr std::string_view kConditionMembers[] = {"id", "extension", "modifierExtension",
                                                  "question", "operator", "answer[x]"};
constexpr std::string_view kOptionMembers[] = {"id", "extension", "modifierExtension",
                                               "value[x]", "initialSelected"};

bool may_have_options(ItemType type) {
  switch (type) {
    case ItemType::choice:
    case ItemType::open_choice:
    case ItemType::decimal:
    case ItemType::integer:
    case ItemType::date:
    case ItemType::date_time:
    case ItemType::time:
    case ItemType::string:
    case ItemType::text:
    case ItemType::reference:
    case ItemType::quantity: return true;
    default: return false;
  }
}

class QuestionnaireReading {
 public:
  explicit QuestionnaireReading(QuestionnaireOptions options) : options_(options) {}

  Questionnaire questionnaire;
  Calculations calculations;
  IssueList list;

  void read(Json root) {
    const std::string path = "Questionnaire";
    if (root.string("resourceType") != path) {
      list.error("structure", "", "is no Questionnaire: its resourceType is " +
                                      ucum::quoted(root.string("resourceType")));
      return;
    }
    Element element(root, path, list);
    element.only(kRootMembers);
    element.text("id", questionnaire.id);
    element.text("url", questionnaire.url);
    element.text("version", questionnaire.version);
    element.text("name", questionnaire.name);
    element.text("title", questionnaire.title);
    element.text("status", questionnaire.status);
    read_status(path);
    Element period(root["effectivePeriod"], place(path, "effectivePeriod"), list);
    period.date_time("start", questionnaire.effective_start);
    period.date_time("end", questionnaire.effective_end);
    read_contained(element);
    note_extensions_of_root(root, path, list);
    calculations.enter(root, "");
    read_items(element, questionnaire.items);
    if (questionnaire.items.empty()) list.warning("noItems", path, "asks nothing: it has no item");
    check_conditions(questionnaire.items, path);
  }

 private:
  void read_status(const std::string& path) {
    const std::string& status = questionnaire.status;
    if (status.empty()) {
      list.error("missingElement", place(path, "status"), "is missing");
    } else if (status != "draft" && status != "active" && status != "retired" &&
               status != "unknown") {
      list.error("invalidValue", place(path, "status"),
                 ucum::quoted(status) + " is none of draft, active, retired, unknown");
    }
  }

  void read_contained(Element& root) {
    root.each("contained", [&](Json json, const std::string& at) {
      if (json.string("resourceType") != "ValueSet") return;
      const std::string id(json.string("id"));
      if (id.empty()) {
        list.error("missingElement", place(at, "id"), "is missing: nothing can refer to it");
        return;
      }
      if (!questionnaire.value_sets.emplace('#' + id, read_value_set(json, at, list)).second) {
        list.error("invariant", at, "is the second that has the id " + ucum::quoted(id));
      }
    });
  }

  void read_items(Element& parent, std::vector<QuestionnaireItem>& items) {
    parent.each("item", [&](Json json, const std::string& at) {
      if (++item_count_ > kItemsMax) {
        if (item_count_ == kItemsMax + 1) {
          list.error("tooMany", at,
                     "is one of more than " + std::to_string(kItemsMax) + " items");
        }
        return;
      }
      items.push_back(read_item(json, at));
    });
  }

  QuestionnaireItem read_item(Json json, const std::string& at) {
    QuestionnaireItem item;
    Element element(json, at, list);
    element.only(kItemMembers);
    read_link_id(element, item);
    element.text("text", item.text);
    const bool known_type = read_type(element, item);
    element.flag("required", item.required);
    element.flag("repeats", item.repeats);
    element.count("maxLength", item.max_length);
    element.text("answerValueSet", item.value_set);
    read_options(element, item);
    read_conditions(element, item);
    read_item_extensions(json, at, item, list);
    const std::size_t outside = calculations.enter(json, item.link_id);
    if (known_type) calculations.read(json, at, item, options_.ignore_calculated, list);
    read_items(element, item.items);
    calculations.leave(outside);
    if (known_type) check_item(at, item);
    return item;
  }

  void read_link_id(Element& element, QuestionnaireItem& item) {
    element.text("linkId", item.link_id);
    const std::string at = place(element.path(), "linkId");
    if (item.link_id.empty()) {
      list.error("missingElement", at, "is missing");
    } else if (item.link_id.size() > kLinkIdCharsMax) {
      list.error("invalidValue", at,
                 "has more than " + std::to_string(kLinkIdCharsMax) + " characters");
    } else if (!link_ids_.insert(item.link_id).second) {
      list.error("duplicateLinkId", at,
                 ucum::quoted(item.link_id) + " is the linkId of another item, too");
    }
  }

  bool read_type(Element& element, QuestionnaireItem& item) {
    std::string name;
    element.text("type", name);
    const auto type = model::parse_item_type(name);
    const std::string at = place(element.path(), "type");
    if (name.empty()) {
      list.error("missingElement", at, "is missing");
    } else if (!type) {
      list.error("invalidType", at, ucum::quoted(name) + " is no type of item in FHIR R4");
    } else if (*type == ItemType::question) {
      list.warning("abstractType", at, "is abstract: such an item cannot be answered");
    }
    if (type) item.type = *type;
    return type.has_value();
  }

  void read_options(Element& parent, QuestionnaireItem& item) {
    parent.each("answerOption", [&](Json json, const std::string& at) {
      if (++option_count_ > kOptionsMax) {
        if (option_count_ == kOptionsMax + 1) {
          list.error("tooMany", at,
                     "is one of more than " + std::to_string(kOptionsMax) + " options");
        }
        return;
      }
      Element element(json, at, list);
      element.only(kOptionMembers);
      model::AnswerOption option;
      option.value = read_choice(json, "value", at, list);
      if (option.value.type == FormType::none) {
        list.error("missingElement", place(at, "value"), "is missing");
      }
      read_option_extensions(json, at, option, list);
      item.options.push_back(std::move(option));
    });
  }

  void read_conditions(Element& parent, QuestionnaireItem& item) {
    parent.each("enableWhen", [&](Json json, const std::string& at) {
      if (++condition_count_ > kConditionsMax) {
        if (condition_count_ == kConditionsMax + 1) {
          list.error("tooMany", at,
                     "is one of more than " + std::to_string(kConditionsMax) + " conditions");
        }
        return;
      }
      Element element(json, at, list);
      element.only(kConditionMembers);
      EnableWhen condition;
      element.text("question", condition.question);
      std::string name;
      element.text("operator", name);
      const auto op = model::parse_enable_op(name);
      if (!op) {
        list.error("invalidValue", place(at, "operator"),
                   ucum::quoted(name) + " is none of exists, =, !=, >, <, >=, <=");
      }
      condition.op = op.value_or(EnableWhen::Op::exists);
      condition.answer = read_choice(json, "answer", at, list);
      if (condition.answer.type == FormType::none) {
        list.error("missingElement", place(at, "answer"), "is missing");
      } else if (op == EnableWhen::Op::exists && condition.answer.type != FormType::boolean) {
        list.error("invariant", place(at, "answer"), "must be true or false beside 'exists'");
      }
      item.enable_when.push_back(std::move(condition));
    });
    std::string behavior;
    parent.text("enableBehavior", behavior);
    const std::string at = place(parent.path(), "enableBehavior");
    if (!behavior.empty() && behavior != "any" && behavior != "all") {
      list.error("invalidValue", at, ucum::quoted(behavior) + " is neither any nor all");
    } else if (behavior.empty() && item.enable_when.size() > 1) {
      list.error("missingElement", at, "is missing: of several conditions, any or all?");
    }
    item.enabled_by_any = behavior == "any";
  }

  void check_item(const std::string& at, const QuestionnaireItem& item) {
    const bool options = !item.options.empty(), set = !item.value_set.empty();
    if (item.type == ItemType::display && !item.items.empty()) {
      list.error("invariant", at, "is a display, which has no items below it");
    }
    if (item.type == ItemType::group && item.items.empty()) {
      list.warning("noItems", at, "is a group without items");
    }
    if (item.type == ItemType::display && (item.required || item.repeats)) {
      list.warning("invariant", at, "is a display, which nobody answers: neither required nor "
                                    "repeats means anything");
    }
    if (options && set) {
      list.error("invariant", at, "has both answerOption and answerValueSet");
    }
    if ((options || set) && !may_have_options(item.type)) {
      list.error("invariant", at, "is a " + std::string(name_of(item.type)) +
                                      ", which is not answered from a list");
    }
    check_sets(at, item);
    if (item.min_occurs && item.max_occurs && *item.min_occurs > *item.max_occurs) {
      list.error("invariant", at, "has a minOccurs above its maxOccurs");
    }
    if (!item.repeats && item.max_occurs.value_or(1) > 1) {
      list.warning("invariant", at, "has a maxOccurs above 1, but does not repeat");
    }
  }

  void check_sets(const std::string& at, const QuestionnaireItem& item) {
    for (const std::string& set : {item.value_set, item.unit_value_set}) {
      if (set.starts_with('#') && questionnaire.value_sets.count(set) == 0) {
        list.error("valueSetMissing", place(at, "answerValueSet"),
                   "no contained ValueSet is " + ucum::quoted(set));
      }
    }
  }

  // When all items are known: whether each condition is about one, and can hold.
  void check_conditions(const std::vector<QuestionnaireItem>& items, const std::string& path) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      const QuestionnaireItem& item = items[i];
      const std::string at = place(path, "item", i);
      for (std::size_t j = 0; j < item.enable_when.size(); ++j) {
        check_condition(item, item.enable_when[j], place(at, "enableWhen", j));
      }
      check_conditions(item.items, at);
    }
  }

  void check_condition(const QuestionnaireItem& item, const EnableWhen& condition,
                       const std::string& at) {
    if (by_link_id_.empty()) index(questionnaire.items);
    const auto found = by_link_id_.find(condition.question);
    if (condition.question.empty()) {
      list.error("missingElement", place(at, "question"), "is missing");
    } else if (found == by_link_id_.end()) {
      list.error("invalidLinkId", place(at, "question"),
                 "there is no item " + ucum::quoted(condition.question));
    } else if (found->second == &item || find_item(item.items, condition.question) != nullptr) {
      list.error("invariant", place(at, "question"),
                 "is the item itself, or below it: it could never be enabled");
    } else if (!is_asked(found->second->type)) {
      if (condition.op != EnableWhen::Op::exists) {
        list.error("invalidLinkId", place(at, "question"),
                   ucum::quoted(condition.question) + " is a " +
                       std::string(name_of(found->second->type)) + ", which has no answer");
      }
    } else if (condition.op != EnableWhen::Op::exists && !can_hold(*found->second, condition)) {
      list.error("invalidAnswerType", place(at, "answer"),
                 std::string(name_of(found->second->type)) + " items cannot be compared so with " +
                     condition.answer.element);
    }
  }

  static bool can_hold(const QuestionnaireItem& question, const EnableWhen& condition) {
    const bool ordered = condition.op != EnableWhen::Op::equal &&
                         condition.op != EnableWhen::Op::not_equal;
    const FormType type = condition.answer.type;
    switch (question.type) {
      case ItemType::boolean: return !ordered && type == FormType::boolean;
      case ItemType::decimal:
      case ItemType::integer: return type == FormType::decimal || type == FormType::integer;
      case ItemType::date:
      case ItemType::date_time: return type == FormType::date || type == FormType::date_time;
      case ItemType::time: return type == FormType::time;
      case ItemType::quantity: return type == FormType::quantity;
      case ItemType::reference: return !ordered && type == FormType::reference;
      case ItemType::string:
      case ItemType::text:
      case ItemType::url: return type == FormType::string || type == FormType::uri;
      case ItemType::open_choice:
        if (!ordered && type == FormType::string) return true;
        [[fallthrough]];
      case ItemType::choice: {
        if (!ordered && type == FormType::coding) return true;
        const auto same_type = [&](const model::AnswerOption& option) {
          return option.value.type == type && type != FormType::coding;
        };
        return std::any_of(question.options.begin(), question.options.end(), same_type);
      }
      default: return false;
    }
  }

  void index(const std::vector<QuestionnaireItem>& items) {
    for (const QuestionnaireItem& item : items) {
      by_link_id_.emplace(item.link_id, &item);
      index(item.items);
    }
  }

  QuestionnaireOptions options_;
  std::set<std::string> link_ids_;
  std::map<std::string, const QuestionnaireItem*> by_link_id_;
  std::size_t item_count_ = 0, option_count_ = 0, condition_count_ = 0;
};

}  // namespace

base::Result<QuestionnaireRead, model::Issues> QuestionnaireReader::read(
    std::string_view json, QuestionnaireOptions options) {
  const auto root = tree_.parse(json);
  root_ = root ? *root : Json();
  if (!root) return root.error();
  QuestionnaireReading reading(options);
  reading.read(*root);
  if (model::has_fault(reading.list.issues)) return std::move(reading.list.issues);
  return QuestionnaireRead{std::move(reading.questionnaire), std::move(reading.calculations),
                           std::move(reading.list.issues)};
}

}  // namespace trialward::fhir
