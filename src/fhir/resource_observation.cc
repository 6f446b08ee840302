// Observation → lab, vital, questionnaire and what else is observed; its components are parts.
#include <algorithm>
#include <array>
#include <utility>

#include "fhir/element.h"
#include "fhir/primitives.h"
#include "fhir/resource_reading.h"
#include "model/decode_record.h"
#include "model/json_number.h"
#include "model/text_fault.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

using model::Code;
using model::Kind;
using model::Record;

constexpr std::string_view kObservationStatus[] = {"registered", "preliminary", "final",  "amended",
                                                   "corrected",  "cancelled",   "unknown"};
constexpr std::string_view kCategorySystem = "observation-category";  // the end, for all of FHIR
constexpr std::pair<std::string_view, Kind> kCategories[] = {
    {"laboratory", Kind::lab}, {"vital-signs", Kind::vital}, {"survey", Kind::questionnaire}};
constexpr std::array kObserved = {Kind::lab, Kind::vital, Kind::questionnaire,
                                  Kind::medical_history};
// Those of kKindSystem that other resources do not stand for.
constexpr std::array kOfKindSystem = {Kind::lab,   Kind::vital,           Kind::questionnaire,
                                      Kind::visit, Kind::medical_history, Kind::disposition};

class ObservationReading {
 public:
  explicit ObservationReading(ResourceReading& reading) : reading_(reading), list_(reading.list) {}

  void read() {
    const std::string status = reading_.status("status", kObservationStatus);
    cancelled_ = status == "cancelled";
    reading_.read_subject("subject");
    reading_.read_effective(true);
    const Json performer = first_member(reading_.root, "performer", reading_.path, list_);
    reading_.read_author(performer, reading_.at("performer[0]"));
    reading_.read_visit("encounter");
    if (status != "final") reading_.attribute("status", status);
    read_category();
    kind_ = category_.value_or(Kind::lab);
    observe(reading_.root, reading_.path, reading_.record());
    read_components();
  }

 private:
  void read_category() {
    Element root(reading_.root, reading_.path, list_);
    root.each("category", [&](Json json, const std::string& at) {
      for (const model::Coding& coding : read_concept(json, at, list_).codings) {
        if (category_) return;
        for (const auto& [code, kind] : kCategories) {
          if (coding.code == code && coding.system.ends_with(kCategorySystem)) category_ = kind;
        }
        if (coding.system != kKindSystem) continue;
        const auto kind = model::parse_kind(coding.code);
        const bool known = kind && std::find(kOfKindSystem.begin(), kOfKindSystem.end(), *kind) !=
                                       kOfKindSystem.end();
        if (known) category_ = *kind;
        if (!known) list_.error("codeUnknown", at, "is no kind that an Observation can be");
      }
    });
  }

  // Code and value of the Observation or of a component, which has the same members for them.
  void observe(Json json, const std::string& path, Record& record) {
    const std::string at = place(path, "code");
    if (!json["code"]) {
      list_.error("missingElement", at, "is required");
      return;
    }
    const Concept named = read_concept(object_member(json, "code", path, list_), at, list_);
    std::array<Kind, kObserved.size() + 1> listing{kind_};
    std::copy(kObserved.begin(), kObserved.end(), listing.begin() + 1);
    const auto code = reading_.code_of(named, listing, std::array{kind_}, at);
    const Code* listed = code ? code->listed : nullptr;
    if (code) {
      record.kind = code->kind;
      record.code = code->code;
      record.system = code->system;
    }
    read_value(json, path, listed, record);
    read_range(json, path, listed, record);
  }

  void read_value(Json json, const std::string& path, const Code* listed, Record& record) {
    const Json value = choice_member(json, "value", path, list_);
    const Json reason = object_member(json, "dataAbsentReason", path, list_);
    const std::string at = place(path, "dataAbsentReason");
    if (value && reason) list_.error("invalidValue", at, "stands beside a value");
    if (reason || cancelled_) {
      const std::string words = read_concept(reason, at, list_).words();
      record.value.not_done = column_words(
          words.empty() ? cancelled_ ? "cancelled" : "unknown" : words, model::kTextCharsMax);
      return;
    }
    if (value) set_value(value, place(path, "value"), listed, record);
  }

  bool expect(Json value, Json::Type type, const std::string& at, const char* what) {
    if (value.is(type)) return true;
    list_.error("structure", at, std::string("must be ") + what);
    return false;
  }

  void set_value(Json value, const std::string& at, const Code* listed, Record& record) {
    const std::string_view name = value.name();
    if (name == "valueBoolean") {
      if (expect(value, Json::Type::boolean, at, "true or false")) {
        record.value.text = flag_word(value.flag(), listed);
      }
    } else if (name == "valueInteger") {
      if (!expect(value, Json::Type::number, at, "a number")) return;
      if (!parse_integer(value.text())) {
        return list_.error("invalidValue", at, "is no whole number of 32 bits");
      }
      set_quantity(record, {.value = std::string(value.text())}, listed);
    } else if (name == "valueString" || name == "valueTime" || name == "valueDateTime") {
      if (expect(value, Json::Type::string, at, "a string")) set_text(value, at, listed, record);
    } else if (expect(value, Json::Type::object, at, "an object")) {
      set_structure(value, at, listed, record);
    }
  }

  void set_text(Json value, const std::string& at, const Code* listed, Record& record) {
    const std::string_view text = value.text();
    if (text.empty()) return list_.error("invalidValue", at, "is empty");
    if (value.name() == "valueTime" && !is_time(text)) {
      return list_.error("invalidValue", at,
                         ucum::quoted(text) + " is not a time such as 08:30:00");
    }
    if (value.name() == "valueDateTime" && !is_date_time(text)) {
      return list_.error("invalidValue", at, ucum::quoted(text) + " is not a date or an instant");
    }
    const bool number = value.name() == "valueString" && listed &&
                        listed->type == model::ValueType::number &&
                        text.size() <= model::kIdCharsMax && model::parse_json_number(text);
    if (number) return set_quantity(record, {.value = std::string(text)}, listed);
    record.value.text = column_words(text, model::kTextCharsMax);
  }

  void set_structure(Json value, const std::string& at, const Code* listed, Record& record) {
    const std::string_view name = value.name();
    std::string text;
    if (name == "valueQuantity") {
      return set_quantity(record, read_quantity(value, at, list_), listed);
    }
    if (name == "valueRange") return set_range(value, at, listed, record);
    if (name == "valueCodeableConcept") text = answer_of(read_concept(value, at, list_), listed);
    if (name == "valueRatio") text = ratio(value, at);
    if (name == "valuePeriod") {
      const Period period = read_period(value, at, list_);
      text = period.start + "/" + period.end;  // as ISO 8601 writes an interval
    }
    if (name == "valueSampledData") Element(value, at, list_).text("data", text);
    record.value.text = column_words(text, model::kTextCharsMax);
  }

  // As CDISC's codelist NY has it where the study's code says so.
  static std::string flag_word(bool flag, const Code* listed) {
    const std::string word = flag ? "true" : "false", letter = flag ? "Y" : "N";
    if (!listed) return word;
    const auto& values = listed->values;
    const bool letters = std::find(values.begin(), values.end(), word) == values.end() &&
                         std::find(values.begin(), values.end(), letter) != values.end();
    return letters ? letter : word;
  }

  // "1 to 5"; open at one end it is what a comparator says.
  void set_range(Json value, const std::string& at, const Code* listed, Record& record) {
    const auto end = [&](const char* name) {
      return read_quantity(object_member(value, name, at, list_), place(at, name), list_);
    };
    const Quantity low = end("low"), high = end("high");
    if (low.value.empty() && high.value.empty()) return;
    const bool open = low.value.empty() || high.value.empty();
    record.unit = unit_of(low.value.empty() ? high : low, listed);
    record.value.text = !open               ? low.value + " to " + high.value
                        : low.value.empty() ? "<=" + high.value
                                            : ">=" + low.value;
  }

  // "1:128"; a side's unit stands behind its number.
  std::string ratio(Json value, const std::string& at) {
    const auto side = [&](const char* name) {
      const Quantity quantity =
          read_quantity(object_member(value, name, at, list_), place(at, name), list_);
      const std::string& unit = quantity.unit_code();
      return quantity.comparator + quantity.value + (unit.empty() ? "" : " " + unit);
    };
    const std::string numerator = side("numerator"), denominator = side("denominator");
    return numerator.empty() && denominator.empty() ? "" : numerator + ":" + denominator;
  }

  // The range of what is normal for this subject: the only one that is no other kind of range, or
  // of several the one that is not of some ages or groups.
  Json normal_range(Json json, const std::string& path, std::string& at_range) {
    Json found;
    std::size_t count = 0;
    bool general = false;
    Element(json, path, list_).each("referenceRange", [&](Json one, const std::string& at) {
      const Concept type =
          read_concept(object_member(one, "type", at, list_), place(at, "type"), list_);
      const bool normal =
          type.codings.empty() ? type.text.empty() : type.codings.front().code == "normal";
      if (!normal) return;
      ++count;
      const bool of_all = !one["age"] && !one["appliesTo"];
      if (found && (general || !of_all)) return;
      found = one;
      at_range = at;
      general = of_all;
    });
    return count == 1 || general ? found : Json();
  }

  void read_range(Json json, const std::string& path, const Code* listed, Record& record) {
    std::string at;
    const Json range = normal_range(json, path, at);
    if (!range) return;
    const auto end = [&](const char* name, std::optional<double>& number, std::string& text) {
      const Quantity quantity =
          read_quantity(object_member(range, name, at, list_), place(at, name), list_);
      const bool measured = record.value.number || !record.unit.empty();
      if (quantity.value.empty() || !measured) return;
      if (unit_of(quantity, listed) != record.unit) return;
      number = model::parse_json_number(quantity.value);
      text = quantity.value;
    };
    end("low", record.range.low, record.range.low_text);
    end("high", record.range.high, record.range.high_text);
  }

  void read_components() {
    std::size_t count = 0;
    Element(reading_.root, reading_.path, list_)
        .each("component", [&](Json json, const std::string& at) {
          if (++count > kPartsMax) {
            if (count > kPartsMax + 1) return;
            return list_.error("tooMany", at,
                               "is one of more than " + std::to_string(kPartsMax) + " components");
          }
          const Record& whole = reading_.record();
          ResourcePart part{"component-" + std::to_string(count - 1), {}};
          Record& record = part.record;
          record.subject = whole.subject;
          record.kind = whole.kind;
          record.effective = whole.effective;
          record.author = whole.author;
          record.visit = whole.visit;
          record.attributes = whole.attributes;
          record.original = json.raw();
          kind_ = whole.kind;
          observe(json, at, record);
          reading_.content.parts.push_back(std::move(part));
        });
  }

  ResourceReading& reading_;
  IssueList& list_;
  std::optional<Kind> category_;
  Kind kind_ = Kind::lab;  // where a code is looked for first
  bool cancelled_ = false;
};

}  // namespace

void read_observation(ResourceReading& reading) { ObservationReading(reading).read(); }

}  // namespace trialward::fhir
