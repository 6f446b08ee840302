#include "model/questionnaire.h"

#include <array>
#include <utility>

namespace trialward::model {
namespace {

constexpr std::array<std::pair<std::string_view, ItemType>, 17> kItemTypes = {{
    {"group", ItemType::group},
    {"display", ItemType::display},
    {"question", ItemType::question},
    {"boolean", ItemType::boolean},
    {"decimal", ItemType::decimal},
    {"integer", ItemType::integer},
    {"date", ItemType::date},
    {"dateTime", ItemType::date_time},
    {"time", ItemType::time},
    {"string", ItemType::string},
    {"text", ItemType::text},
    {"url", ItemType::url},
    {"choice", ItemType::choice},
    {"open-choice", ItemType::open_choice},
    {"attachment", ItemType::attachment},
    {"reference", ItemType::reference},
    {"quantity", ItemType::quantity},
}};

constexpr std::array<std::pair<std::string_view, EnableWhen::Op>, 7> kEnableOps = {{
    {"exists", EnableWhen::Op::exists},
    {"=", EnableWhen::Op::equal},
    {"!=", EnableWhen::Op::not_equal},
    {">", EnableWhen::Op::greater},
    {"<", EnableWhen::Op::less},
    {">=", EnableWhen::Op::at_least},
    {"<=", EnableWhen::Op::at_most},
}};

}  // namespace

std::string_view name_of(ItemType type) {
  return kItemTypes[static_cast<std::size_t>(type)].first;  // in the order of the enumeration
}

std::optional<ItemType> parse_item_type(std::string_view name) {
  for (const auto& [known, type] : kItemTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

bool is_asked(ItemType type) { return type != ItemType::group && type != ItemType::display; }

std::optional<EnableWhen::Op> parse_enable_op(std::string_view name) {
  for (const auto& [known, op] : kEnableOps) {
    if (known == name) return op;
  }
  return std::nullopt;
}

const QuestionnaireItem* find_item(const std::vector<QuestionnaireItem>& items,
                                   std::string_view link_id) {
  for (const QuestionnaireItem& item : items) {
    if (item.link_id == link_id) return &item;
    if (const auto* found = find_item(item.items, link_id)) return found;
  }
  return nullptr;
}

std::size_t count_items(const std::vector<QuestionnaireItem>& items) {
  std::size_t count = items.size();
  for (const QuestionnaireItem& item : items) count += count_items(item.items);
  return count;
}

}  // namespace trialward::model
