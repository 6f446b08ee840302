#include "epro/score.h"

#include <cmath>
#include <iterator>

#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::FormType;
using model::FormValue;
using model::QuestionnaireItem;
using model::ResponseAnswer;
using model::ResponseItem;

// All items of the response by their linkId, wherever they are.
using ItemsByLinkId = std::multimap<std::string_view, const ResponseItem*>;

void collect(const std::vector<ResponseItem>& items, ItemsByLinkId& found) {
  for (const ResponseItem& item : items) {
    found.emplace(item.link_id, &item);
    collect(item.items, found);
    for (const ResponseAnswer& answer : item.answers) collect(answer.items, found);
  }
}

class Scoring {
 public:
  Scoring(const ScoreRule& rule, const model::Questionnaire& questionnaire,
          const model::QuestionnaireResponse& response)
      : rule_(rule), questionnaire_(questionnaire) {
    collect(response.items, found_);
  }

  Score score() {
    Score result{.rule = rule_.id, .version = rule_.version};
    for (const ScoreRule::Item& item : rule_.items) {
      const double share = share_of(item);
      all_ += share;
      const auto points = read(item, result.reason);
      if (!result.reason.empty()) return result;
      if (!points) {
        ++result.missing;
        continue;
      }
      ++result.answered;
      answered_ += share;
      weights_ += item.weight;
      sum_ += *points * item.weight;
    }
    if (result.missing > rule_.missing_max) {
      result.reason = std::to_string(result.missing) + " of " +
                      std::to_string(rule_.items.size()) + " items are not answered";
      return result;
    }
    const bool mean = rule_.method == ScoreRule::Method::mean;
    result.prorated = !mean && result.missing > 0 && rule_.prorate != ScoreRule::Prorate::never;
    double value = mean ? sum_ / weights_ : sum_;
    if (result.prorated) value = sum_ * all_ / answered_;
    if (std::isfinite(value)) {
      result.value = value;
    } else {
      result.reason = "it is no number";
    }
    return result;
  }

 private:
  // What the item is of the whole when it is prorated.
  double share_of(const ScoreRule::Item& item) const {
    return rule_.prorate == ScoreRule::Prorate::points ? item.weight * item.most : item.weight;
  }

  // Nothing when it is not answered; a reason when it cannot be scored.
  std::optional<double> read(const ScoreRule::Item& item, std::string& reason) const {
    const auto [begin, end] = found_.equal_range(item.link_id);
    if (begin == end) return std::nullopt;
    const std::string name = ucum::quoted(item.link_id);
    if (std::next(begin) != end) {
      reason = name + " is there more than once";
      return std::nullopt;
    }
    const FormValue* value = nullptr;
    for (const ResponseAnswer& answer : begin->second->answers) {
      if (answer.value.type == FormType::none) continue;
      if (value != nullptr) {
        reason = name + " has several answers";
        return std::nullopt;
      }
      value = &answer.value;
    }
    if (value == nullptr) return std::nullopt;
    const auto* asked = find_item(questionnaire_.items, item.link_id);
    const auto points = points_of(*value, rule_.values, asked);
    if (!points) {
      reason = name + " is answered with " + in_words(*value) + ", which has no points";
    } else if (*points < item.least || *points > item.most) {
      reason = name + " is answered with " + in_words(*value) + ", which is out of bounds";
    }
    return points;
  }

  const ScoreRule& rule_;
  const model::Questionnaire& questionnaire_;
  ItemsByLinkId found_;
  double all_ = 0, answered_ = 0, weights_ = 0, sum_ = 0;
};

}  // namespace

std::optional<double> points_of(const FormValue& value,
                                const std::map<std::string, double, std::less<>>& values,
                                const QuestionnaireItem* asked) {
  const model::Coding& coding = value.coding;
  const bool coded = value.type == FormType::coding;
  for (const std::string* key : {&coding.code, &coding.display, &value.text}) {
    const auto found = values.find(*key);
    if (!key->empty() && found != values.end()) return found->second;
  }
  if (asked != nullptr) {
    for (const model::AnswerOption& option : asked->options) {
      if (option.weight && option.value.type == value.type && same_value(option.value, value)) {
        return option.weight;
      }
    }
  }
  if (coded || !value.has_number || value.type == FormType::quantity) return std::nullopt;
  return value.number;
}

Score score(const ScoreRule& rule, const model::Questionnaire& questionnaire,
            const model::QuestionnaireResponse& response) {
  return Scoring(rule, questionnaire, response).score();
}

}  // namespace trialward::epro
