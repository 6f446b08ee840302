#include "model/record.h"

#include <algorithm>

#include "base/json_writer.h"
#include "model/json_number.h"

namespace trialward::model {
namespace {

using base::JsonWriter;

constexpr std::array<std::string_view, kKinds> kKindNames = {
    "demographics", "visit",    "questionnaire",   "lab",        "vital", "adverse_event",
    "medication",   "exposure", "medical_history", "disposition"};

// As it was sent where JSON can say it so, else the shortest text of the number.
void write_number(JsonWriter& json, std::string_view name, double number, const std::string& text) {
  json.key(name);
  is_json_number(text) ? json.raw(text) : json.value(number);
}

void write_value(JsonWriter& json, const Value& value) {
  if (!value.not_done.empty()) {
    json.member("not_done", value.not_done);
  } else if (value.number) {
    write_number(json, "value", *value.number, value.number_text);
    json.member_if("text", value.text);
  } else if (!value.text.empty()) {
    json.member("value", value.text);
  } else {
    json.key("value").null();
  }
}

void write_range(JsonWriter& json, const Range& range) {
  if (!range.given()) return;
  json.key("range").begin_object();
  if (range.low) write_number(json, "low", *range.low, range.low_text);
  if (range.high) write_number(json, "high", *range.high, range.high_text);
  json.end_object();
}

void write_attributes(JsonWriter& json, const Record& record, bool unblinded) {
  bool begun = false;
  for (const auto& [name, text] : record.attributes) {
    if (!unblinded && blinded(name)) continue;
    if (!begun) json.key("attributes").begin_object();
    begun = true;
    json.member(name, text);
  }
  if (begun) json.end_object();
}

// Where the number lies, and in which range when that is not, or not only, the record's own.
void write_flag(JsonWriter& json, const StoredRecord& stored) {
  Range own = stored.record.range;
  if (stored.flags & kLowUnusable) own.low.reset();
  if (stored.flags & kHighUnusable) own.high.reset();
  if ((stored.flags & kStudyRange) == 0) {
    json.member_if("flag", reference_flag(stored.record.value, own));
    return;
  }
  const bool below = stored.flags & kBelowRange, above = stored.flags & kAboveRange;
  json.member("flag", below ? "LOW" : above ? "HIGH" : "NORMAL");
  json.member("range_from", own.given() ? "record and study" : "study");
}

// What was observed. Of an exposure it would tell the treatment.
void write_observation(JsonWriter& json, const StoredRecord& stored, bool unblinded) {
  const Record& record = stored.record;
  json.member_if("code", record.code).member_if("system", record.system);
  write_value(json, record.value);
  json.member_if("unit", record.unit);
  write_range(json, record.range);
  write_flag(json, stored);
  write_unusable(json, stored.flags);
  if (stored.flags & kImplausible) json.member("implausible", true);
  if (stored.flags & kHistorical) json.member("historical", true);
  if (record.serious) json.member("serious", *record.serious);
  json.member_if("severity", record.severity);
  write_attributes(json, record, unblinded);
  if (unblinded || !tells_treatment(record)) json.member_if("reason", record.reason);
}

void write_times(JsonWriter& json, const StoredRecord& stored) {
  const Record& record = stored.record;
  json.member_if("effective", record.effective);
  if (stored.interval) {
    json.key("effective_utc").begin_object();
    json.member("from", format_utc(stored.interval->from_ms));
    json.member("until", format_utc(stored.interval->until_ms)).end_object();
  }
  if (record.device_ms) json.member("device_time", format_utc(*record.device_ms));
  if (record.sent_ms) json.member("sent_time", format_utc(*record.sent_ms));
  json.member("received", format_utc(stored.received_ms));
}

}  // namespace

std::string_view to_string(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<Kind> parse_kind(std::string_view text) {
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), text);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kKindNames.begin());
}

void write_unusable(JsonWriter& json, std::uint16_t flags) {
  if ((flags & (kLowUnusable | kHighUnusable)) == 0) return;
  json.key("unusable").begin_array();
  if (flags & kLowUnusable) json.value("/range/low");
  if (flags & kHighUnusable) json.value("/range/high");
  json.end_array();
}

std::string_view reference_flag(const Value& value, const Range& range) {
  if (!value.number || !range.given()) return "";
  if (range.low && *value.number < *range.low) return "LOW";
  if (range.high && *value.number > *range.high) return "HIGH";
  return "NORMAL";
}

const std::string* Record::attribute(std::string_view name) const {
  const auto found = std::lower_bound(
      attributes.begin(), attributes.end(), name,
      [](const auto& attribute, std::string_view n) { return attribute.first < n; });
  return found != attributes.end() && found->first == name ? &found->second : nullptr;
}

// JSON in a fixed order, with what is absent left out.
std::string canonical_content(const Record& record) {
  JsonWriter json;
  const auto number = [&json](std::string_view name, const std::optional<double>& value) {
    if (value) json.member(name, *value + 0.0);  // -0 becomes 0
  };
  json.begin_object();
  json.member("source", record.source).member("source_id", record.source_id);
  json.member("subject", record.subject).member_if("site", record.site);
  json.member("kind", to_string(record.kind));
  json.member_if("code", record.code).member_if("system", record.system);
  number("number", record.value.number);
  json.member_if("text", record.value.text).member_if("not_done", record.value.not_done);
  json.member_if("unit", record.unit);
  number("low", record.range.low);
  number("high", record.range.high);
  json.member_if("effective", record.effective);
  if (record.device_ms) json.member("device_time", *record.device_ms);
  json.member_if("author", record.author).member_if("visit", record.visit);
  if (record.baseline) json.member("baseline", true);
  if (record.serious) json.member("serious", *record.serious);
  json.member_if("severity", record.severity);
  if (!record.attributes.empty()) {
    json.key("attributes").begin_object();
    for (const auto& [name, text] : record.attributes) json.member(name, text);
    json.end_object();
  }
  if (record.amends != 0) json.member("amends", record.amends);
  json.member_if("reason", record.reason);
  json.end_object();
  return json.take();
}

bool blinded(std::string_view attribute) {
  return std::find(kBlindedAttributes.begin(), kBlindedAttributes.end(), attribute) !=
         kBlindedAttributes.end();
}

bool tells_treatment(const Record& record) {
  return record.kind == Kind::exposure ||
         std::any_of(record.attributes.begin(), record.attributes.end(),
                     [](const auto& attribute) { return blinded(attribute.first); });
}

std::string to_json(const StoredRecord& stored, bool unblinded) {
  const Record& record = stored.record;
  JsonWriter json;
  json.begin_object();
  json.member("id", stored.id);
  json.member("source", record.source).member("source_id", record.source_id);
  json.member("subject", record.subject).member_if("site", record.site);
  json.member("kind", to_string(record.kind));
  if (unblinded || record.kind != Kind::exposure) write_observation(json, stored, unblinded);
  write_times(json, stored);
  json.member_if("author", record.author).member_if("visit", record.visit);
  if (record.baseline) json.member("baseline", true);
  json.member_if("actor", stored.actor).member("version", stored.version);
  if (record.amends != 0) json.member("amends", record.amends);
  if (stored.amended_by != 0) json.member("amended_by", stored.amended_by);
  json.member("definition", stored.definition).member("shard", stored.shard);
  json.member("position", stored.position);
  json.end_object();
  return json.take();
}

// FNV-1a over both ids with a zero between them, folded to its range. Stores rely on the result:
// it must never change.
int shard_of(std::string_view study, std::string_view subject) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](char c) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (char c : study) add(c);
  add('\0');
  for (char c : subject) add(c);
  hash ^= hash >> 32;
  hash ^= hash >> 16;
  return static_cast<int>((hash ^ hash >> 8) % kShards);
}

}  // namespace trialward::model
