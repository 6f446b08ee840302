// Skip logic: whether an item of a questionnaire is to be answered, given what was answered. A
// condition is about the nearest item with its linkId: among those that share the innermost common
// ancestor, the last before the item itself, else the first behind it (FHIR R4,
// enableWhen.question). An item is enabled by each occurrence of a repeating group on its own.
// Pure; lives no longer than the response.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/questionnaire.h"
#include "model/questionnaire_response.h"

namespace trialward::epro {

class Enablement {
 public:
  explicit Enablement(const model::QuestionnaireResponse& response);

  // Whether the item is enabled where `container` holds it: a ResponseItem (a group), a
  // ResponseAnswer, or null for the response itself. `occurrence` is the item in the response, null
  // when it is not there.
  bool enabled(const model::QuestionnaireItem& item, const void* container,
               const model::ResponseItem* occurrence) const;

 private:
  // Items and answers in the order of the response; what a node holds is behind it, up to `end`.
  struct Node {
    const model::ResponseItem* item = nullptr;  // null of an answer, and of the root
    std::size_t parent = 0, end = 0;
  };
  void add(const std::vector<model::ResponseItem>& items, std::size_t parent);
  std::size_t add(const void* what, const model::ResponseItem* item, std::size_t parent);
  bool holds(const model::EnableWhen& condition, std::size_t container, std::size_t at) const;
  const model::ResponseItem* nearest(std::string_view link_id, std::size_t container,
                                     std::size_t at) const;

  std::vector<Node> nodes_;  // the root first
  std::unordered_map<const void*, std::size_t> index_;
  std::map<std::string_view, std::vector<std::size_t>> by_link_id_;
};

// Whether there is an answer in the item, or below it.
bool has_answer(const model::ResponseItem& item);

}  // namespace trialward::epro
