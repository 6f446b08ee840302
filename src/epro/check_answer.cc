#include "epro/check_answer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "model/uri.h"
#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::Coding;
using model::FormType;
using model::FormValue;
using model::IssueSeverity;
using model::ItemType;
using model::Membership;
using model::QuestionnaireItem;

bool has_option_of(const QuestionnaireItem& item, FormType type) {
  return std::any_of(item.options.begin(), item.options.end(),
                     [&](const auto& option) { return option.value.type == type; });
}

// Whether a value of the type can answer the item at all.
bool has_form(const QuestionnaireItem& item, FormType type) {
  switch (item.type) {
    case ItemType::boolean: return type == FormType::boolean;
    case ItemType::decimal: return type == FormType::decimal;
    case ItemType::integer: return type == FormType::integer;
    case ItemType::date: return type == FormType::date;
    case ItemType::date_time: return type == FormType::date_time;
    case ItemType::time: return type == FormType::time;
    case ItemType::string:
    case ItemType::text: return type == FormType::string;
    case ItemType::url: return type == FormType::uri;
    case ItemType::attachment: return type == FormType::attachment;
    case ItemType::reference: return type == FormType::reference;
    case ItemType::quantity: return type == FormType::quantity;
    case ItemType::open_choice:
      if (type == FormType::string) return true;
      [[fallthrough]];
    case ItemType::choice: {
      const bool only_others = !item.options.empty() && !has_option_of(item, FormType::coding);
      return type == FormType::coding ? !only_others : has_option_of(item, type);
    }
    default: return false;
  }
}

std::string form_in_words(const QuestionnaireItem& item) {
  switch (item.type) {
    case ItemType::boolean: return "a valueBoolean";
    case ItemType::decimal: return "a valueDecimal";
    case ItemType::integer: return "a valueInteger";
    case ItemType::date: return "a valueDate";
    case ItemType::date_time: return "a valueDateTime";
    case ItemType::time: return "a valueTime";
    case ItemType::string:
    case ItemType::text: return "a valueString";
    case ItemType::url: return "a valueUri";
    case ItemType::attachment: return "a valueAttachment";
    case ItemType::reference: return "a valueReference";
    case ItemType::quantity: return "a valueQuantity";
    case ItemType::open_choice: return "a valueCoding or a valueString";
    case ItemType::choice:
      return item.options.empty() ? "a valueCoding" : "a " + item.options.front().value.element;
    default: return "nothing";
  }
}

// "image/png; charset=…" is of "image/png" and of "image/*".
bool is_content_type(std::string_view type, std::string_view allowed) {
  type = type.substr(0, type.find(';'));
  type = type.substr(0, type.find_last_not_of(' ') + 1);
  if (!allowed.ends_with("/*")) return type == allowed;
  allowed.remove_suffix(1);
  return type.starts_with(allowed);
}

class AnswerCheck {
 public:
  AnswerCheck(const model::Questionnaire& questionnaire, const QuestionnaireItem& item,
              const FormValue& value, const Terminology& terminology, const std::string& path,
              model::Issues& issues)
      : questionnaire_(questionnaire), item_(item), value_(value), terminology_(terminology),
        path_(path), issues_(issues) {}

  void check() {
    if (!has_form(item_, value_.type)) {
      add(IssueSeverity::fatal, "invalidAnswerType",
          "is a " + value_.element + ", but " + item_name() + " is answered with " +
              form_in_words(item_));
      return;
    }
    check_text();
    check_limits();
    check_choice();
    if (value_.type == FormType::quantity) check_unit();
    if (value_.type == FormType::attachment) check_attachment();
    if (value_.type == FormType::reference) check_reference();
  }

 private:
  void add(IssueSeverity severity, const char* code, std::string words) {
    model::add_issue(issues_, {severity, code, path_, std::move(words)});
  }
  void error(const char* code, std::string words) {
    add(IssueSeverity::error, code, std::move(words));
  }

  std::string item_name() const { return ucum::quoted(item_.link_id); }

  void check_text() {
    const bool written = value_.type == FormType::string || value_.type == FormType::uri ||
                         value_.type == FormType::integer || value_.type == FormType::decimal;
    if (!written) return;
    const bool one_line = item_.type != ItemType::text && value_.type == FormType::string;
    if (one_line && value_.text.find_first_of("\r\n") != std::string::npos) {
      add(IssueSeverity::fatal, "invalidNewLine",
          "has more than one line, which only an item of type text may have");
    }
    if (item_.type == ItemType::url && !model::is_uri(value_.text)) {
      error("invalidUrlValue", ucum::quoted(value_.text) + " is no URI");
    }
    if (item_.min_length || item_.max_length) check_length();
    if (item_.pattern && !item_.pattern->fits(value_.text)) {
      error("regex", ucum::quoted(value_.text) + " does not fit the pattern " +
                         ucum::quoted(item_.pattern->text()));
    }
  }

  void check_length() {
    const std::size_t length = model::characters(value_.text).size();
    const std::string has = "has " + std::to_string(length) + " characters, ";
    if (length < item_.min_length.value_or(0)) {
      error("minLength", has + "fewer than " + std::to_string(*item_.min_length));
    }
    if (item_.max_length && length > *item_.max_length) {
      error("maxLength", has + "more than " + std::to_string(*item_.max_length));
    }
  }

  void check_limits() {
    if (item_.min_value) check_limit(*item_.min_value, -1);
    if (item_.max_value) check_limit(*item_.max_value, 1);
    if (!item_.max_decimal_places || !value_.has_number) return;
    const int places = model::decimal_places(value_.text);
    if (places > static_cast<int>(std::min<std::uint32_t>(*item_.max_decimal_places, 1000))) {
      // It is more exact than was asked for; to refuse it would lose a measurement.
      add(IssueSeverity::warning, "maxDecimalPlaces",
          value_.text + " has " + std::to_string(places) + " decimal places, more than " +
              std::to_string(*item_.max_decimal_places));
    }
  }

  // `side`: -1 for the least that is allowed, 1 for the most.
  void check_limit(const FormValue& limit, int side) {
    const auto order = model::compare(value_, limit);
    const char* words = side < 0 ? "the least that is allowed, " : "the most that is allowed, ";
    if (order && *order * side > 0) {
      error(side < 0 ? "minValue" : "maxValue",
            in_words(value_) + (side < 0 ? " is below " : " is above ") + words + in_words(limit));
    } else if (!order && value_.type == FormType::quantity && value_.has_number &&
               limit.has_number) {
      error(side < 0 ? "minValueIncompatUnits" : "maxValueIncompatUnits",
            in_words(value_) + " cannot be compared with " + words + in_words(limit));
    }
  }

  void check_choice() {
    const bool coded = value_.type == FormType::coding;
    // Beside its options an open choice takes any words of one's own.
    if (item_.type == ItemType::open_choice && !coded) return;
    if (!item_.options.empty()) check_options();
    if (!item_.value_set.empty()) {
      check_set(item_.value_set, "invalidCoding", coded ? &value_.coding : nullptr);
    }
  }

  void check_options() {
    const auto& options = item_.options;
    const auto chosen = std::find_if(options.begin(), options.end(), [&](const auto& option) {
      return option.value.type == value_.type && same_value(option.value, value_);
    });
    const bool coded = value_.type == FormType::coding;
    if (chosen == options.end()) {
      error(coded ? "invalidCoding" : "invalidAnswerOption",
            in_words(value_) + " is none of the options of " + item_name());
      return;
    }
    const std::string& display = value_.coding.display;
    if (!coded || display.empty() || chosen->value.coding.display.empty() ||
        display == chosen->value.coding.display) {
      return;
    }
    const bool of_another = std::any_of(options.begin(), options.end(), [&](const auto& option) {
      return option.value.type == FormType::coding && option.value.coding.display == display;
    });
    // Other words may be a translation; another option's words are another answer.
    add(of_another ? IssueSeverity::error : IssueSeverity::warning,
        of_another ? "invalidCoding" : "displayMismatch",
        ucum::quoted(display) + " is not what the questionnaire calls that option: " +
            in_words(chosen->value));
  }

  const model::ValueSet* find_set(const std::string& url) const {
    const bool contained = url.starts_with('#');
    const model::ValueSets* sets = contained ? &questionnaire_.value_sets : terminology_.sets;
    if (sets == nullptr) return nullptr;
    const auto found = contained ? sets->find(url) : sets->find(model::without_version(url));
    return found == sets->end() ? nullptr : &found->second;
  }

  // A coding, or the value's text as a code, which must be of the set.
  void check_set(const std::string& url, const char* code, const Coding* coding) {
    const model::ValueSet* set = find_set(url);
    if (set == nullptr) return not_checked(url, "is not known here");
    const std::string said = coding == nullptr          ? ucum::quoted(value_.text)
                             : coding->code.empty()     ? ucum::quoted(coding->display)
                             : coding->system.empty()   ? ucum::quoted(coding->code)
                                                        : ucum::quoted(coding->code) + " of " +
                                                              ucum::quoted(coding->system);
    switch (coding != nullptr ? membership(*set, *coding) : membership(*set, value_.text)) {
      case Membership::member: return;
      case Membership::other_display:
        return error(code, said + " is not called " + ucum::quoted(coding->display) +
                               " in the value set " + ucum::quoted(url));
      case Membership::no_member:
        return error(code, said + " is not in the value set " + ucum::quoted(url));
      case Membership::unknown:
        return not_checked(url, set->unknown.empty() ? "is not known here in full" : set->unknown);
    }
  }

  void not_checked(const std::string& url, const std::string& why) {
    add(terminology_.unknown_passes ? IssueSeverity::warning : IssueSeverity::error, "tsError",
        "cannot be checked: the value set " + ucum::quoted(url) + " " + why);
  }

  void check_unit() {
    const Coding& unit = value_.coding;
    if (!item_.units.empty() &&
        std::none_of(item_.units.begin(), item_.units.end(), [&](const Coding& one) {
          return same_concept(one, {unit.system, unit.code, unit.display});
        })) {
      error("invalidUnit", "has a unit that " + item_name() + " does not offer: " +
                               ucum::quoted(unit.code.empty() ? unit.display : unit.code));
    }
    if (!item_.unit_value_set.empty()) {
      check_set(item_.unit_value_set, "invalidUnitValueSet", &unit);
    }
  }

  void check_attachment() {
    if (value_.data_bytes && value_.size_bytes &&
        static_cast<double>(*value_.data_bytes) != *value_.size_bytes) {
      add(IssueSeverity::fatal, "attachmentSizeInconsistent",
          "has " + std::to_string(*value_.data_bytes) + " bytes, but says another size");
    }
    const double bytes = value_.data_bytes ? static_cast<double>(*value_.data_bytes)
                                           : value_.size_bytes.value_or(0);
    if (item_.max_size_bytes && bytes > *item_.max_size_bytes) {
      error("maxAttachmentSize", "is larger than is allowed");
    }
    const auto& types = item_.content_types;
    const auto fits = [&](const std::string& type) { return is_content_type(value_.text, type); };
    if (!types.empty() && std::none_of(types.begin(), types.end(), fits)) {
      error("invalidAttachmentType",
            ucum::quoted(value_.text) + " is not a type of file that is allowed");
    }
  }

  void check_reference() {
    if (value_.text.empty()) return;  // by an identifier, or by words alone
    if (!model::is_reference(value_.text)) {
      error("invalidRefValue", ucum::quoted(value_.text) + " is no reference");
      return;
    }
    const std::string_view type = model::referenced_type(value_.text);
    const auto& types = item_.reference_types;
    if (!type.empty() && !types.empty() &&
        std::find(types.begin(), types.end(), type) == types.end()) {
      error("invalidRefResourceType", "refers to a " + std::string(type) +
                                          ", which " + item_name() + " does not ask for");
    }
  }

  const model::Questionnaire& questionnaire_;
  const QuestionnaireItem& item_;
  const FormValue& value_;
  const Terminology& terminology_;
  const std::string& path_;
  model::Issues& issues_;
};

}  // namespace

void check_answer(const model::Questionnaire& questionnaire, const QuestionnaireItem& item,
                  const FormValue& value, const Terminology& terminology, const std::string& path,
                  model::Issues& issues) {
  AnswerCheck(questionnaire, item, value, terminology, path, issues).check();
}

}  // namespace trialward::epro
