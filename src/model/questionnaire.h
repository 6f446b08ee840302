// A questionnaire: what is asked, when, and which answers are allowed; FHIR R4's Questionnaire as
// far as it decides about answers. fhir/ makes one and has checked it; after that nobody changes
// it, so any thread may read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/form_value.h"
#include "model/text_pattern.h"
#include "model/value_set.h"

namespace trialward::model {

enum class ItemType : std::uint8_t {
  group,
  display,
  question,  // abstract: it says that something is asked, not what; nothing answers it
  boolean,
  decimal,
  integer,
  date,
  date_time,
  time,
  string,
  text,
  url,
  choice,
  open_choice,
  attachment,
  reference,
  quantity,
};

// FHIR's code of it, "open-choice", and back.
std::string_view name_of(ItemType type);
std::optional<ItemType> parse_item_type(std::string_view name);

// Whether it is neither a group nor a display.
bool is_asked(ItemType type);

struct AnswerOption {
  FormValue value;
  std::optional<double> weight;  // its ordinal, for scores
  bool exclusive = false;        // no other answer beside it
};

// A condition on another item's answers. It holds when any of them fits.
struct EnableWhen {
  enum class Op : std::uint8_t { exists, equal, not_equal, greater, less, at_least, at_most };
  std::string question;  // the other's linkId
  Op op = Op::exists;
  FormValue answer;
};
std::optional<EnableWhen::Op> parse_enable_op(std::string_view name);

struct QuestionnaireItem {
  std::string link_id, text;
  ItemType type = ItemType::group;
  bool required = false;
  bool repeats = false;
  std::optional<std::uint32_t> min_occurs, max_occurs;  // of answers, or of a group's occurrences

  // What holds for each answer.
  std::optional<std::uint32_t> min_length, max_length;  // characters
  std::optional<FormValue> min_value, max_value;
  std::optional<std::uint32_t> max_decimal_places;
  std::optional<TextPattern> pattern;
  std::vector<AnswerOption> options;
  std::string value_set;  // canonical url, or "#id" of one contained
  std::vector<Coding> units;
  std::string unit_value_set;
  std::optional<double> max_size_bytes;     // of an attachment
  std::vector<std::string> content_types;   // of an attachment: "image/png"
  std::vector<std::string> reference_types;  // "Patient"

  std::vector<EnableWhen> enable_when;
  bool enabled_by_any = false;  // otherwise all of enable_when must hold

  std::vector<QuestionnaireItem> items;
};

struct Questionnaire {
  std::string id, url, version, name, title;
  std::string status;                           // draft, active, retired, unknown
  std::string effective_start, effective_end;  // partial dates, may be empty
  std::vector<QuestionnaireItem> items;
  ValueSets value_sets;  // those contained, by "#id"
};

// The item with this linkId, wherever it is; null when there is none.
const QuestionnaireItem* find_item(const std::vector<QuestionnaireItem>& items,
                                   std::string_view link_id);

// So many items it has in all.
std::size_t count_items(const std::vector<QuestionnaireItem>& items);

}  // namespace trialward::model
