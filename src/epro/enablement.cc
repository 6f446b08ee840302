#include "epro/enablement.h"

#include <algorithm>

namespace trialward::epro {

using model::EnableWhen;
using model::FormValue;
using model::ResponseAnswer;
using model::ResponseItem;

namespace {

bool fits(const FormValue& value, const EnableWhen& condition) {
  const FormValue& other = condition.answer;
  const auto order = model::compare(value, other);
  switch (condition.op) {
    case EnableWhen::Op::exists: return false;
    case EnableWhen::Op::equal: return model::same_value(value, other);
    case EnableWhen::Op::not_equal: return !model::same_value(value, other);
    case EnableWhen::Op::greater: return order && *order > 0;
    case EnableWhen::Op::less: return order && *order < 0;
    case EnableWhen::Op::at_least: return order && *order >= 0;
    case EnableWhen::Op::at_most: return order && *order <= 0;
  }
  return false;
}

}  // namespace

bool has_answer(const ResponseItem& item) {
  const auto answers = [](const ResponseAnswer& answer) {
    return answer.value.type != model::FormType::none ||
           std::any_of(answer.items.begin(), answer.items.end(), has_answer);
  };
  return std::any_of(item.answers.begin(), item.answers.end(), answers) ||
         std::any_of(item.items.begin(), item.items.end(), has_answer);
}

Enablement::Enablement(const model::QuestionnaireResponse& response) {
  add(nullptr, nullptr, 0);
  add(response.items, 0);
  nodes_[0].end = nodes_.size();
}

std::size_t Enablement::add(const void* what, const ResponseItem* item, std::size_t parent) {
  const std::size_t index = nodes_.size();
  nodes_.push_back({item, parent, 0});
  index_.emplace(what, index);
  if (item != nullptr) by_link_id_[item->link_id].push_back(index);
  return index;
}

void Enablement::add(const std::vector<ResponseItem>& items, std::size_t parent) {
  for (const ResponseItem& item : items) {
    const std::size_t index = add(&item, &item, parent);
    for (const ResponseAnswer& answer : item.answers) {
      const std::size_t below = add(&answer, nullptr, index);
      add(answer.items, below);
      nodes_[below].end = nodes_.size();
    }
    add(item.items, index);
    nodes_[index].end = nodes_.size();
  }
}

bool Enablement::enabled(const model::QuestionnaireItem& item, const void* container,
                         const ResponseItem* occurrence) const {
  const auto& conditions = item.enable_when;
  if (conditions.empty()) return true;
  const std::size_t inside = index_.at(container);
  // One that is not there stands behind all that is.
  const std::size_t at = occurrence != nullptr ? index_.at(occurrence) : nodes_[inside].end;
  const auto one_holds = [&](const EnableWhen& one) { return holds(one, inside, at); };
  return item.enabled_by_any ? std::any_of(conditions.begin(), conditions.end(), one_holds)
                             : std::all_of(conditions.begin(), conditions.end(), one_holds);
}

bool Enablement::holds(const EnableWhen& condition, std::size_t container, std::size_t at) const {
  const ResponseItem* question = nearest(condition.question, container, at);
  if (condition.op == EnableWhen::Op::exists) {
    return (question != nullptr && has_answer(*question)) == condition.answer.flag;
  }
  if (question == nullptr) return false;
  const auto& answers = question->answers;
  return std::any_of(answers.begin(), answers.end(), [&](const ResponseAnswer& answer) {
    return answer.value.type != model::FormType::none && fits(answer.value, condition);
  });
}

const ResponseItem* Enablement::nearest(std::string_view link_id, std::size_t container,
                                        std::size_t at) const {
  const auto found = by_link_id_.find(link_id);
  if (found == by_link_id_.end()) return nullptr;
  const std::vector<std::size_t>& candidates = found->second;  // ascending
  for (std::size_t around = container;; around = nodes_[around].parent) {
    const auto begin = std::lower_bound(candidates.begin(), candidates.end(), around);
    const auto end = std::lower_bound(begin, candidates.end(), nodes_[around].end);
    if (begin != end) {
      const auto behind = std::lower_bound(begin, end, at);
      return nodes_[behind != begin ? *(behind - 1) : *behind].item;
    }
    if (around == 0) return nullptr;
  }
}

}  // namespace trialward::epro
