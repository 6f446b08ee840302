#include "epro/validate_response.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "epro/enablement.h"
#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::FormType;
using model::IssueSeverity;
using model::ItemType;
using model::QuestionnaireItem;
using model::ResponseAnswer;
using model::ResponseItem;

std::string place(const std::string& path, const char* member, std::size_t index) {
  return path + '.' + member + '[' + std::to_string(index) + ']';
}

std::string quoted_id(const QuestionnaireItem& item) { return ucum::quoted(item.link_id); }

class Validation {
 public:
  Validation(const model::Questionnaire& questionnaire,
             const model::QuestionnaireResponse& response, const Terminology& terminology)
      : questionnaire_(questionnaire), response_(response), terminology_(terminology),
        enablement_(response),
        complete_(response.status == "completed" || response.status == "amended") {}

  model::Issues issues;

  void validate() {
    const std::string path = "QuestionnaireResponse";
    check_status(path + ".status");
    check_questionnaire(path + ".questionnaire");
    check_period(path + ".authored");
    check_items(questionnaire_.items, response_.items, path, nullptr);
  }

 private:
  // An item's occurrences within one container, with their places.
  struct Occurrence {
    const ResponseItem* item;
    std::string path;
  };
  using Occurrences = std::vector<Occurrence>;

  void add(IssueSeverity severity, const char* code, std::string path, std::string words) {
    model::add_issue(issues, {severity, code, std::move(path), std::move(words)});
  }
  void error(const char* code, std::string path, std::string words) {
    add(IssueSeverity::error, code, std::move(path), std::move(words));
  }
  IssueSeverity if_complete(IssueSeverity otherwise) const {
    return complete_ ? IssueSeverity::error : otherwise;
  }

  void check_status(std::string path) {
    const std::string& status = response_.status;
    constexpr std::string_view kOthers[] = {"in-progress", "entered-in-error", "stopped"};
    if (complete_ || std::count(std::begin(kOthers), std::end(kOthers), status) > 0) return;
    add(IssueSeverity::fatal, "invalidStatus", std::move(path),
        status.empty() ? "is missing"
                       : ucum::quoted(status) + " is none of in-progress, completed, amended, "
                                                "entered-in-error, stopped");
  }

  void check_questionnaire(const std::string& path) {
    const std::string& named = response_.questionnaire;
    const std::string_view url = model::without_version(named);
    const std::string_view version =
        url.size() < named.size() ? std::string_view(named).substr(url.size() + 1) : "";
    const bool by_id = !questionnaire_.id.empty() &&
                       (url == '#' + questionnaire_.id ||
                        url == questionnaire_.id ||
                        url.ends_with("Questionnaire/" + questionnaire_.id));
    if (named.empty()) {
      add(IssueSeverity::warning, "questionnaireUnnamed", path,
          "is missing: it is not said which questionnaire was answered");
    } else if (!questionnaire_.url.empty() && url != questionnaire_.url && !by_id) {
      error("questionnaireMismatch", path,
            "is of " + ucum::quoted(url) + ", not of " + ucum::quoted(questionnaire_.url));
    } else if (!version.empty() && !questionnaire_.version.empty() &&
               version != questionnaire_.version) {
      error("questionnaireMismatch", path,
            "is of version " + ucum::quoted(version) + ", not of " +
                ucum::quoted(questionnaire_.version));
    }
    if (questionnaire_.status == "draft") {
      add(IssueSeverity::warning, "questionnaireDraft", path, "is a draft of a questionnaire");
    } else if (questionnaire_.status == "retired") {
      add(IssueSeverity::warning, "questionnaireRetired", path, "is a retired questionnaire");
    }
  }

  void check_period(const std::string& path) {
    if (response_.authored.empty()) return;
    const auto date = [](const std::string& text) {
      model::FormValue value;
      value.type = FormType::date_time;
      value.text = text;
      return value;
    };
    const auto order = [&](const std::string& end) {
      return end.empty() ? 0 : compare(date(response_.authored), date(end)).value_or(0);
    };
    if (order(questionnaire_.effective_start) < 0) {
      add(IssueSeverity::warning, "questionnaireInactive", path,
          "is before the questionnaire is in effect, from " + questionnaire_.effective_start);
    } else if (order(questionnaire_.effective_end) > 0) {
      add(IssueSeverity::warning, "questionnaireInactive", path,
          "is after the questionnaire was in effect, until " + questionnaire_.effective_end);
    }
  }

  // What `container` (see Enablement) at `path` holds, against what it should.
  void check_items(const std::vector<QuestionnaireItem>& asked,
                   const std::vector<ResponseItem>& items, const std::string& path,
                   const void* container) {
    std::vector<Occurrences> found(asked.size());
    std::size_t furthest = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto item = std::find_if(asked.begin(), asked.end(), [&](const auto& one) {
        return one.link_id == items[i].link_id;
      });
      std::string at = place(path, "item", i);
      if (item == asked.end()) {
        tell_stranger(items[i], std::move(at));
        continue;
      }
      const auto index = static_cast<std::size_t>(item - asked.begin());
      if (index < furthest) {
        error("invalidOrder", at, quoted_id(asked[furthest]) + " stands before " +
                                      quoted_id(*item) + ", which the questionnaire asks first");
      }
      furthest = std::max(furthest, index);
      found[index].push_back({&items[i], std::move(at)});
    }
    for (std::size_t i = 0; i < asked.size(); ++i) check_item(asked[i], found[i], path, container);
  }

  void tell_stranger(const ResponseItem& item, std::string at) {
    const bool elsewhere = find_item(questionnaire_.items, item.link_id) != nullptr;
    add(IssueSeverity::fatal, "invalidLinkId", std::move(at),
        item.link_id.empty() ? "has no linkId"
        : elsewhere ? ucum::quoted(item.link_id) + " is not asked here: it stands elsewhere in the "
                                                   "questionnaire"
                    : "the questionnaire has no item " + ucum::quoted(item.link_id));
  }

  void check_item(const QuestionnaireItem& item, const Occurrences& found, const std::string& path,
                  const void* container) {
    const ResponseItem* first = found.empty() ? nullptr : found.front().item;
    if (!enablement_.enabled(item, container, first)) {
      for (const Occurrence& one : found) {
        if (!has_answer(*one.item)) continue;
        add(if_complete(IssueSeverity::warning), "notEnabled", one.path,
            quoted_id(item) + " is answered, although the answers that enable it were not given");
      }
      return;
    }
    if (item.type == ItemType::group) return check_group(item, found, path);
    if (item.type == ItemType::display) return check_display(item, found);
    if (item.type == ItemType::question) {
      for (const Occurrence& one : found) {
        add(IssueSeverity::fatal, "invalidType", one.path,
            quoted_id(item) + " is of the abstract type question, which nothing can answer");
      }
      return;
    }
    check_question(item, found, path);
  }

  void check_group(const QuestionnaireItem& item, const Occurrences& found,
                   const std::string& path) {
    const bool answered = std::any_of(found.begin(), found.end(), [](const Occurrence& one) {
      return has_answer(*one.item);
    });
    const std::string& at = found.empty() ? path : found.front().path;
    check_count(item, answered ? found.size() : 0, at,
                found.size() > 1 ? found[1].path : at);
    for (const Occurrence& one : found) {
      if (!one.item->answers.empty()) {
        error("groupAnswer", one.path, quoted_id(item) + " is a group, which has no answers");
      }
      check_items(item.items, one.item->items, one.path, one.item);
    }
  }

  void check_display(const QuestionnaireItem& item, const Occurrences& found) {
    for (const Occurrence& one : found) {
      if (one.item->answers.empty() && one.item->items.empty()) continue;
      error("displayAnswer", one.path, quoted_id(item) + " is only displayed, and has no answers");
    }
  }

  // So many answers, or occurrences of a group. A surplus is told at `surplus_at`.
  void check_count(const QuestionnaireItem& item, std::size_t count, const std::string& at,
                   const std::string& surplus_at) {
    const std::string has = quoted_id(item) + " has " + std::to_string(count) +
                            (item.type == ItemType::group ? " occurrences, " : " answers, ");
    if (count == 0 && item.required) {
      add(if_complete(IssueSeverity::information), "required", at,
          quoted_id(item) + " is required, but not answered");
    } else if (count < item.min_occurs.value_or(0)) {
      add(if_complete(IssueSeverity::information), "minCount", at,
          has + "fewer than " + std::to_string(*item.min_occurs));
    }
    if (item.max_occurs && count > *item.max_occurs) {
      add(if_complete(IssueSeverity::warning), "maxCount", surplus_at,
          has + "more than " + std::to_string(*item.max_occurs));
    } else if (!item.repeats && count > 1) {
      add(if_complete(IssueSeverity::warning), "repeats", surplus_at,
          has + "but does not repeat");
    }
  }

  void check_question(const QuestionnaireItem& item, const Occurrences& found,
                      const std::string& path) {
    std::size_t count = 0;
    for (const Occurrence& one : found) {
      for (const ResponseAnswer& answer : one.item->answers) {
        count += answer.value.type == FormType::none ? 0 : 1;
      }
    }
    const std::string& at = found.empty() ? path : found.front().path;
    check_count(item, count, at, at);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i > 0) {
        error("duplicateLinkId", found[i].path,
              quoted_id(item) + " is there already: all of a question's answers are in one item");
      }
      check_answers(item, *found[i].item, found[i].path);
    }
  }

  void check_answers(const QuestionnaireItem& item, const ResponseItem& answered,
                     const std::string& path) {
    if (!answered.items.empty()) {
      error("invalidNesting", path, "has items directly below it: those of a question stand below "
                                    "its answer");
    }
    for (std::size_t i = 0; i < answered.answers.size(); ++i) {
      const ResponseAnswer& answer = answered.answers[i];
      const std::string at = place(path, "answer", i);
      if (answer.value.type != FormType::none) {
        check_answer(questionnaire_, item, answer.value, terminology_, at, issues);
      } else if (!answer.explained && answer.items.empty()) {
        error("emptyAnswer", at, "has no value");
      }
      check_items(item.items, answer.items, at, &answer);
    }
    check_exclusive(item, answered, path);
  }

  void check_exclusive(const QuestionnaireItem& item, const ResponseItem& answered,
                       const std::string& path) {
    if (answered.answers.size() < 2) return;
    for (const model::AnswerOption& option : item.options) {
      if (!option.exclusive) continue;
      const auto chosen = [&](const ResponseAnswer& one) {
        return one.value.type == option.value.type && same_value(one.value, option.value);
      };
      if (std::any_of(answered.answers.begin(), answered.answers.end(), chosen)) {
        error("exclusiveOption", path,
              in_words(option.value) + " excludes every other answer, but there are others");
      }
    }
  }

  const model::Questionnaire& questionnaire_;
  const model::QuestionnaireResponse& response_;
  const Terminology& terminology_;
  Enablement enablement_;
  bool complete_;
};

}  // namespace

model::Issues validate_response(const model::Questionnaire& questionnaire,
                                const model::QuestionnaireResponse& response,
                                const Terminology& terminology) {
  Validation validation(questionnaire, response, terminology);
  validation.validate();
  return std::move(validation.issues);
}

}  // namespace trialward::epro
