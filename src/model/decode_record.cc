#include "model/decode_record.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "model/json_depth.h"
#include "model/json_number.h"

namespace trialward::model {
namespace {

namespace ondemand = simdjson::ondemand;
using ondemand::json_type;

// simdjson's token reaches to the next comma or bracket.
std::string_view without_blanks_behind(std::string_view token) {
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

// One record on its way from JSON. A read_… function answers false when the text is no JSON: then
// nothing after it can be read. A member of the wrong type is a fault, and reading goes on.
class Decoding {
 public:
  Record record;
  Faults faults;

  // Whether the text begins as an object does; nothing can be said of it otherwise.
  bool read(simdjson::simdjson_result<ondemand::document>& document) {
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) {
      if (error == simdjson::INCORRECT_TYPE) return false;
      return stop(error), true;
    }
    read_record(document, object);
    return true;
  }

  // Of a text that is no object: what it is.
  void tell(simdjson::error_code error_of_text) {
    fault("", error_of_text ? not_json(error_of_text) : "is not an object");
  }

 private:
  void read_record(simdjson::simdjson_result<ondemand::document>& document,
                   ondemand::object& object) {
    if (!read_members(object)) return;
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      fault("", "something follows the record");
    }
    check_members();
  }

  using Read = bool (Decoding::*)(ondemand::value&);
  struct Member {
    std::string_view name;
    Read read;
  };
  static const std::array<Member, 23> kMembers;

  static std::string not_json(simdjson::error_code error) {
    return std::string("is not JSON: ") + simdjson::error_message(error);
  }
  bool stop(simdjson::error_code error) {
    fault("", not_json(error));
    return false;
  }
  void fault(std::string path, std::string reason) {
    add_fault(faults, std::move(path), std::move(reason));
  }
  bool wrong_type(const char* expected) {
    fault(path_, std::string("must be ") + expected);
    return true;
  }
  bool faulty(std::string_view path) const {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const Fault& f) { return f.path == path; });
  }
  bool seen(std::string_view name) const {
    const auto member = std::find_if(kMembers.begin(), kMembers.end(),
                                     [&](const Member& one) { return one.name == name; });
    return seen_ >> (member - kMembers.begin()) & 1;
  }

  // The member's index, kMembers.size() when there is none. Senders keep to one order, so the
  // search starts behind the one found before.
  std::size_t find_member(std::string_view name) {
    for (std::size_t i = 0; i < kMembers.size(); ++i) {
      const std::size_t index = (next_ + i) % kMembers.size();
      if (kMembers[index].name == name) {
        next_ = index + 1;
        return index;
      }
    }
    return kMembers.size();
  }

  // Calls read_member(name, value) for each member of an object.
  template <class F>
  bool each_member(ondemand::object& object, const std::string& object_path, F&& read_member) {
    for (auto field : object) {
      std::string_view name;
      if (const auto error = field.unescaped_key().get(name)) return stop(error);
      ondemand::value value;
      if (const auto error = field.value().get(value)) return stop(error);
      if (name.size() > kIdCharsMax) {
        fault(object_path, "has a member whose name is longer than any known one");
      } else if (!read_member(name, value)) {
        return false;
      }
    }
    return true;
  }

  bool read_members(ondemand::object& object) {
    return each_member(object, "", [this](std::string_view name, ondemand::value& value) {
      path_ = pointer("", name);
      const std::size_t index = find_member(name);
      if (index == kMembers.size()) {
        fault(path_, "is unknown");
        return true;
      }
      if (seen_ >> index & 1) {
        fault(path_, "is given twice");
        return true;
      }
      seen_ |= 1u << index;
      return (this->*kMembers[index].read)(value);
    });
  }

  // Strings. `type` of a value is told by its first character.
  bool read_string(ondemand::value& value, std::string& out) {
    json_type type;
    if (const auto error = value.type().get(type)) return stop(error);
    if (type != json_type::string) return wrong_type("a string");
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return stop(error);
    out = text;
    return true;
  }
  template <std::string Record::*field>
  bool read_text(ondemand::value& value) {
    return read_string(value, record.*field);
  }
  bool read_kind(ondemand::value& value) {
    std::string name;
    if (!read_string(value, name)) return false;
    const auto kind = parse_kind(name);
    if (kind) record.kind = *kind;
    if (!kind) fault(path_, "is not a kind of record");
    return true;
  }
  bool read_not_done(ondemand::value& value) {
    if (!read_string(value, record.value.not_done)) return false;
    if (record.value.not_done.empty()) fault(path_, "is empty; it says why nothing was measured");
    return true;
  }
  bool read_words(ondemand::value& value) { return read_string(value, words_); }

  bool read_flag(ondemand::value& value, std::optional<bool>& out) {
    json_type type;
    if (const auto error = value.type().get(type)) return stop(error);
    if (type != json_type::boolean) return wrong_type("true or false");
    bool flag = false;
    if (const auto error = value.get_bool().get(flag)) return stop(error);
    out = flag;
    return true;
  }
  bool read_baseline(ondemand::value& value) {
    std::optional<bool> flag;
    if (!read_flag(value, flag)) return false;
    record.baseline = flag.value_or(false);
    return true;
  }
  bool read_serious(ondemand::value& value) { return read_flag(value, record.serious); }

  bool read_number(ondemand::value& value, std::optional<double>& out, std::string& out_text) {
    const std::string_view token = without_blanks_behind(value.raw_json_token());
    if (token.size() > kIdCharsMax) return wrong_type("a number of fewer digits");
    out = parse_json_number(token);
    if (!out) fault(path_, "is no number, or one beyond what can be stored");
    out_text = token;
    return true;
  }
  bool read_value(ondemand::value& value) {
    json_type type;
    if (const auto error = value.type().get(type)) return stop(error);
    if (type == json_type::number) {
      return read_number(value, record.value.number, record.value.number_text);
    }
    if (type == json_type::string) {
      if (!read_string(value, record.value.text)) return false;
      if (record.value.text.empty()) fault(path_, "is empty; a missing value is null");
      return true;
    }
    if (type != json_type::null) return wrong_type("a number, a string or null");
    bool null = false;
    const auto error = value.is_null().get(null);
    return error || !null ? stop(error ? error : simdjson::N_ATOM_ERROR) : true;
  }
  bool read_amends(ondemand::value& value) {
    std::int64_t id = 0;
    const auto error = value.get_int64().get(id);
    if (error || id <= 0) return wrong_type("the id of a record");
    record.amends = id;
    return true;
  }

  template <std::optional<std::int64_t> Record::*field>
  bool read_instant(ondemand::value& value) {
    std::string text;
    const std::size_t faults_before = faults.size();
    if (!read_string(value, text)) return false;
    record.*field = parse_instant(text);
    if (!(record.*field) && faults.size() == faults_before) {
      fault(path_, "is not an instant with an offset, such as 2024-01-31T08:30:00Z");
    }
    return true;
  }

  // Sets `object` when the value is one.
  bool read_object(ondemand::value& value, std::optional<ondemand::object>& object) {
    json_type type;
    if (const auto error = value.type().get(type)) return stop(error);
    if (type != json_type::object) return wrong_type("an object");
    ondemand::object inner;
    if (const auto error = value.get_object().get(inner)) return stop(error);
    object = inner;
    return true;
  }
  bool read_range(ondemand::value& value) {
    std::optional<ondemand::object> object;
    if (!read_object(value, object)) return false;
    if (!object) return true;
    return each_member(*object, "/range", [this](std::string_view name, ondemand::value& end) {
      path_ = pointer("/range", name);
      Range& range = record.range;
      const bool low = name == "low";
      if (!low && name != "high") {
        fault(path_, "is unknown");
        return true;
      }
      if (low ? range.low : range.high) {
        fault(path_, "is given twice");
        return true;
      }
      json_type type;
      if (const auto error = end.type().get(type)) return stop(error);
      if (type != json_type::number) return wrong_type("a number");
      return read_number(end, low ? range.low : range.high, low ? range.low_text : range.high_text);
    });
  }
  bool read_attributes(ondemand::value& value) {
    std::optional<ondemand::object> object;
    if (!read_object(value, object)) return false;
    if (!object) return true;
    auto& attributes = record.attributes;
    const auto read_one = [&](std::string_view name, ondemand::value& words) {
      path_ = pointer("/attributes", name);
      // One too many is enough for check_form to refuse it.
      if (attributes.size() > kAttributesMax) return true;
      attributes.emplace_back(name, "");
      return read_string(words, attributes.back().second);
    };
    if (!each_member(*object, "/attributes", read_one)) return false;
    std::sort(attributes.begin(), attributes.end());
    return true;
  }

  // What can be said only when all members are known.
  void check_members() {
    for (const char* name : {"source", "source_id", "subject", "kind", "code"}) {
      if (name == std::string_view("code") && record.kind == Kind::demographics) continue;
      if (!seen(name)) fault(pointer("", name), "is missing");
    }
    if (!words_.empty()) {
      if (!record.value.number && !faulty("/value")) {
        fault("/text", "is for words beside a number; words alone are the value");
      }
      if (record.value.number) record.value.text = std::move(words_);
    }
    // Of a member that could not be read it would draw wrong conclusions.
    if (faulty("/kind") || faulty("/amends")) return;
    for (Fault& found : check_form(record)) fault(std::move(found.path), std::move(found.reason));
  }

  std::string path_;        // of the member being read
  std::string words_;       // the member "text"
  std::uint32_t seen_ = 0;  // bit i: member i
  std::size_t next_ = 0;
};

const std::array<Decoding::Member, 23> Decoding::kMembers = {{
    {"source", &Decoding::read_text<&Record::source>},
    {"source_id", &Decoding::read_text<&Record::source_id>},
    {"subject", &Decoding::read_text<&Record::subject>},
    {"site", &Decoding::read_text<&Record::site>},
    {"kind", &Decoding::read_kind},
    {"code", &Decoding::read_text<&Record::code>},
    {"system", &Decoding::read_text<&Record::system>},
    {"value", &Decoding::read_value},
    {"text", &Decoding::read_words},
    {"unit", &Decoding::read_text<&Record::unit>},
    {"not_done", &Decoding::read_not_done},
    {"range", &Decoding::read_range},
    {"effective", &Decoding::read_text<&Record::effective>},
    {"device_time", &Decoding::read_instant<&Record::device_ms>},
    {"sent_time", &Decoding::read_instant<&Record::sent_ms>},
    {"author", &Decoding::read_text<&Record::author>},
    {"visit", &Decoding::read_text<&Record::visit>},
    {"baseline", &Decoding::read_baseline},
    {"serious", &Decoding::read_serious},
    {"severity", &Decoding::read_text<&Record::severity>},
    {"attributes", &Decoding::read_attributes},
    {"amends", &Decoding::read_amends},
    {"reason", &Decoding::read_text<&Record::reason>},
}};

}  // namespace

struct RecordDecoder::Parser {
  ondemand::parser simd{kRecordBytesMax};
  std::string padded;  // simdjson reads a few bytes past the end
};

RecordDecoder::RecordDecoder() : parser_(std::make_unique<Parser>()) {}
RecordDecoder::~RecordDecoder() = default;

base::Result<Record, Faults> RecordDecoder::decode(std::string_view json) {
  if (json.size() > kRecordBytesMax) {
    return Faults{{"", "is larger than " + std::to_string(kRecordBytesMax) + " bytes"}};
  }
  if (nested_deeper(json, kRecordDepthMax)) {
    return Faults{{"", "is nested deeper than " + std::to_string(kRecordDepthMax) + " levels"}};
  }
  std::string& padded = parser_->padded;
  padded.assign(json).append(simdjson::SIMDJSON_PADDING, ' ');
  auto document = parser_->simd.iterate(padded.data(), json.size(), padded.size());
  Decoding decoding;
  if (!decoding.read(document)) {
    // Whether it is JSON at all shows only where all of it is read.
    simdjson::dom::parser whole(kRecordBytesMax);
    decoding.tell(whole.parse(padded.data(), json.size(), false).error());
  }
  if (!decoding.faults.empty()) return std::move(decoding.faults);
  decoding.record.original = json;
  return std::move(decoding.record);
}

}  // namespace trialward::model
