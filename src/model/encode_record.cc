#include "model/encode_record.h"

#include "base/json_writer.h"
#include "model/json_number.h"

namespace trialward::model {
namespace {

// The digits as they were sent, where JSON allows them.
void put_number(base::JsonWriter& json, std::string_view name, double number,
                const std::string& text) {
  if (is_json_number(text)) {
    json.raw_member(name, text);
  } else {
    json.member(name, number);
  }
}

void put_value(base::JsonWriter& json, const Value& value) {
  if (!value.not_done.empty()) {
    json.member("not_done", value.not_done);
  } else if (value.number) {
    put_number(json, "value", *value.number, value.number_text);
    json.member_if("text", value.text);
  } else {
    json.member_if("value", value.text);
  }
}

}  // namespace

std::string encode_record(const Record& record) {
  base::JsonWriter json;
  json.begin_object()
      .member("source", record.source)
      .member("source_id", record.source_id)
      .member("subject", record.subject)
      .member_if("site", record.site)
      .member("kind", to_string(record.kind))
      .member_if("code", record.code)
      .member_if("system", record.system);
  put_value(json, record.value);
  json.member_if("unit", record.unit);
  if (record.range.given()) {
    json.key("range").begin_object();
    if (record.range.low) put_number(json, "low", *record.range.low, record.range.low_text);
    if (record.range.high) put_number(json, "high", *record.range.high, record.range.high_text);
    json.end_object();
  }
  json.member_if("effective", record.effective);
  if (record.device_ms) json.member("device_time", format_utc(*record.device_ms));
  if (record.sent_ms) json.member("sent_time", format_utc(*record.sent_ms));
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
  return json.end_object().take();
}

}  // namespace trialward::model
