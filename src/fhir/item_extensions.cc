#include "fhir/item_extensions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fhir/primitives.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::FormType;
using model::FormValue;
using model::QuestionnaireItem;

constexpr std::string_view kCore = "http://hl7.org/fhir/StructureDefinition/";
constexpr std::string_view kSdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/";

// The end of the url that names an extension of FHIR itself or of SDC; "" of others.
std::string_view short_name(std::string_view url) {
  for (const std::string_view base : {kCore, kSdc}) {
    if (url.starts_with(base)) return url.substr(base.size());
  }
  return "";
}

constexpr const char* kUnchecked = ", which is not evaluated: responses are not checked for it";

class ExtensionReading {
 public:
  ExtensionReading(QuestionnaireItem& item, IssueList& list) : item_(item), list_(list) {}

  void read(Json json, const std::string& at) {
    at_ = at;
    json_ = json;
    const std::string_view name = short_name(json.string("url"));
    for (const Known& known : kKnown) {
      if (known.name == name) return (this->*known.read)();
    }
  }

 private:
  struct Known {
    std::string_view name;
    void (ExtensionReading::*read)();
  };
  static const std::array<Known, 21> kKnown;

  // The value, if it is of one of the types; otherwise of type `none`, which has been told.
  FormValue value(std::initializer_list<FormType> types) {
    FormValue read = read_choice(json_, "value", at_, list_);
    if (std::find(types.begin(), types.end(), read.type) != types.end()) return read;
    list_.error("structure", place(at_, "value"),
                read.element.empty() ? "is missing"
                                     : "must not be a " + read.element + " in this extension");
    return {};
  }

  template <std::optional<std::uint32_t> QuestionnaireItem::*field>
  void read_count() {
    const FormValue read = value({FormType::integer});
    if (!read.has_number) return;
    if (read.number < 0) {
      list_.error("invalidValue", place(at_, "value"), "is below 0");
    } else {
      item_.*field = static_cast<std::uint32_t>(read.number);
    }
  }
  template <std::optional<FormValue> QuestionnaireItem::*field>
  void read_limit() {
    if (json_["_valueDate"] || json_["_valueDateTime"] || json_["_valueInteger"]) {
      return note("is a limit by an expression");
    }
    FormValue read = value({FormType::integer, FormType::decimal, FormType::date,
                            FormType::date_time, FormType::time, FormType::quantity});
    if (read.type != FormType::none) item_.*field = std::move(read);
  }
  void read_pattern() {
    const FormValue read = value({FormType::string});
    if (read.type == FormType::none) return;
    auto pattern = model::TextPattern::make(read.text);
    if (pattern) {
      item_.pattern = std::move(*pattern);
    } else {
      list_.error("invalidRegex", place(at_, "value"), pattern.error().message);
    }
  }
  void read_unit() {
    FormValue read = value({FormType::coding});
    if (read.type != FormType::none) item_.units.push_back(std::move(read.coding));
  }
  void read_unit_set() {
    const FormValue read = value({FormType::uri});
    item_.unit_value_set = read.text;
  }
  void read_max_size() {
    const FormValue read = value({FormType::decimal, FormType::integer});
    if (read.has_number) item_.max_size_bytes = read.number;
  }
  void read_content_type() { read_code(item_.content_types); }
  void read_reference_type() { read_code(item_.reference_types); }
  void read_code(std::vector<std::string>& out) {
    const std::string_view code = json_.string("valueCode");
    if (code.empty()) {
      list_.error("structure", place(at_, "value"), "must be a valueCode");
    } else {
      out.emplace_back(code);
    }
  }
  void refuse_condition() {
    list_.error("notSupported", at_,
                "enables the item by an expression, which is not supported; enableWhen is");
  }
  void note_invariant() { note("is an invariant by an expression"); }
  void note_options() { note("draws options by an expression or a search"); }
  void note(const std::string& what) { list_.warning("notChecked", at_, what + kUnchecked); }

  QuestionnaireItem& item_;
  IssueList& list_;
  std::string at_;  // of the extension
  Json json_;
};

const std::array<ExtensionReading::Known, 21> ExtensionReading::kKnown = {{
    {"questionnaire-minOccurs", &ExtensionReading::read_count<&QuestionnaireItem::min_occurs>},
    {"questionnaire-maxOccurs", &ExtensionReading::read_count<&QuestionnaireItem::max_occurs>},
    {"minLength", &ExtensionReading::read_count<&QuestionnaireItem::min_length>},
    {"maxDecimalPlaces", &ExtensionReading::read_count<&QuestionnaireItem::max_decimal_places>},
    {"minValue", &ExtensionReading::read_limit<&QuestionnaireItem::min_value>},
    {"maxValue", &ExtensionReading::read_limit<&QuestionnaireItem::max_value>},
    {"sdc-questionnaire-minQuantity", &ExtensionReading::read_limit<&QuestionnaireItem::min_value>},
    {"sdc-questionnaire-maxQuantity", &ExtensionReading::read_limit<&QuestionnaireItem::max_value>},
    {"regex", &ExtensionReading::read_pattern},
    {"questionnaire-unitOption", &ExtensionReading::read_unit},
    {"questionnaire-unitValueSet", &ExtensionReading::read_unit_set},
    {"maxSize", &ExtensionReading::read_max_size},
    {"mimeType", &ExtensionReading::read_content_type},
    {"questionnaire-referenceResource", &ExtensionReading::read_reference_type},
    {"sdc-questionnaire-enableWhenExpression", &ExtensionReading::refuse_condition},
    {"questionnaire-constraint", &ExtensionReading::note_invariant},
    {"targetConstraint", &ExtensionReading::note_invariant},
    {"sdc-questionnaire-answerExpression", &ExtensionReading::note_options},
    {"sdc-questionnaire-candidateExpression", &ExtensionReading::note_options},
    {"sdc-questionnaire-answerOptionsToggleExpression", &ExtensionReading::note_options},
    {"sdc-questionnaire-unitExpression", &ExtensionReading::note_options},
}};

// Calls `read` with each extension and its place.
template <class F>
void each_extension(Json parent, const std::string& path, IssueList& list, F&& read) {
  const Json extensions = parent["extension"];
  if (!extensions) return;
  if (!extensions.is(Json::Type::array)) {
    list.error("structure", place(path, "extension"), "must be an array");
    return;
  }
  std::size_t index = 0;
  for (const Json one : extensions) read(one, place(path, "extension", index++));
}

}  // namespace

void read_item_extensions(Json item_json, const std::string& path, QuestionnaireItem& item,
                          IssueList& list) {
  ExtensionReading reading(item, list);
  each_extension(item_json, path, list,
                 [&](Json json, const std::string& at) { reading.read(json, at); });
}

void read_option_extensions(Json option_json, const std::string& path,
                            model::AnswerOption& option, IssueList& list) {
  const auto read = [&](Json parent, const std::string& parent_path) {
    each_extension(parent, parent_path, list, [&](Json json, const std::string& at) {
      const std::string_view name = short_name(json.string("url"));
      if (name == "ordinalValue" || name == "itemWeight") {
        const FormValue weight = read_choice(json, "value", at, list);
        if (weight.type == FormType::decimal && weight.has_number) {
          option.weight = weight.number;
        } else {
          list.error("structure", place(at, "value"), "must be a valueDecimal");
        }
      } else if (name == "questionnaire-optionExclusive") {
        const Json flag = json["valueBoolean"];
        if (flag.is(Json::Type::boolean)) {
          option.exclusive = flag.flag();
        } else {
          list.error("structure", place(at, "value"), "must be a valueBoolean");
        }
      }
    });
  };
  read(option_json, path);
  // R4 has the weight beside the value, or within its Coding.
  read(option_json["valueCoding"], place(path, "value"));
}

void note_extensions_of_root(Json root, const std::string& path, IssueList& list) {
  each_extension(root, path, list, [&](Json json, const std::string& at) {
    const std::string_view name = short_name(json.string("url"));
    if (name == "questionnaire-constraint" || name == "targetConstraint") {
      list.warning("notChecked", at, std::string("is an invariant by an expression") + kUnchecked);
    }
  });
}

}  // namespace trialward::fhir
