#include "model/alert_detail.h"

#include <simdjson.h>

namespace trialward::model {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using simdjson::SUCCESS;
using simdjson::dom::element;

void put_ids(base::JsonWriter& json, std::string_view key, const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return;
  json.key(key).begin_array();
  for (const std::int64_t id : ids) json.value(id);
  json.end_array();
}

void put_number(base::JsonWriter& json, std::string_view key, std::int64_t number) {
  if (number != 0) json.member(key, number);
}

bool take(const element& value, std::string& text) {
  std::string_view view;
  if (value.get(view) != SUCCESS) return false;
  text = std::string(view);
  return true;
}

bool take(const element& value, std::int64_t& number) { return value.get(number) == SUCCESS; }

bool take(const element& value, bool& flag) { return value.get(flag) == SUCCESS; }

bool take(const element& value, ReadBack& one) {
  simdjson::dom::object object;
  if (value.get(object) != SUCCESS) return false;
  for (const auto& [key, member] : object) {
    const bool taken = key == "record"  ? take(member, one.record)
                       : key == "kind"  ? take(member, one.kind)
                       : key == "code"  ? take(member, one.code)
                       : key == "value" ? take(member, one.value)
                       : key == "unit"  ? take(member, one.unit)
                                        : false;
    if (!taken) return false;
  }
  return true;
}

template <class T>
bool take(const element& value, std::vector<T>& all) {
  simdjson::dom::array array;
  if (value.get(array) != SUCCESS) return false;
  for (const element& member : array) {
    T one{};
    if (!take(member, one)) return false;
    all.push_back(std::move(one));
  }
  return true;
}

bool take_member(AlertDetail& detail, std::string_view key, const element& value) {
  const auto assessment = [&]() -> Assessment& {
    if (!detail.assessment) detail.assessment.emplace();
    return *detail.assessment;
  };
  if (key == "targets") return take(value, detail.targets);
  if (key == "tier") {
    std::int64_t tier = 0;
    if (!take(value, tier) || tier < 0 || tier > 1000) return false;
    detail.tier = static_cast<int>(tier);
    return true;
  }
  if (key == "late_ms") return take(value, detail.late_ms);
  if (key == "storm") return take(value, detail.storm);
  if (key == "count") return take(value, detail.count);
  if (key == "historical") return take(value, detail.historical);
  if (key == "values") return take(value, detail.values);
  if (key == "causality") return take(value, assessment().causality);
  if (key == "expectedness") return take(value, assessment().expectedness);
  if (key == "action_taken") return take(value, assessment().action_taken);
  if (key == "duplicate_of") return take(value, detail.duplicate_of);
  if (key == "holds") return take(value, detail.holds.emplace());
  if (key == "because") return take(value, detail.because);
  if (key == "ended") return take(value, detail.ended);
  if (key == "again") return take(value, detail.again);
  if (key == "target") return take(value, detail.target);
  return false;
}

}  // namespace

void put_read_backs(base::JsonWriter& json, std::string_view key,
                    std::span<const ReadBack> values) {
  json.key(key).begin_array();
  for (const ReadBack& value : values) {
    json.begin_object()
        .member("record", value.record)
        .member("kind", value.kind)
        .member("code", value.code)
        .member("value", value.value)
        .member_if("unit", value.unit)
        .member_if("effective", value.effective)
        .end_object();
  }
  json.end_array();
}

std::string to_json(const AlertDetail& detail) {
  if (detail == AlertDetail()) return "";
  base::JsonWriter json;
  json.begin_object();
  if (!detail.targets.empty()) {
    json.key("targets").begin_array();
    for (const std::string& target : detail.targets) json.value(target);
    json.end_array();
  }
  put_number(json, "tier", detail.tier);
  put_number(json, "late_ms", detail.late_ms);
  put_number(json, "storm", detail.storm);
  put_number(json, "count", detail.count);
  if (detail.historical) json.member("historical", true);
  if (!detail.values.empty()) put_read_backs(json, "values", detail.values);
  if (detail.assessment) {
    json.member("causality", detail.assessment->causality)
        .member("expectedness", detail.assessment->expectedness)
        .member("action_taken", detail.assessment->action_taken);
  }
  put_number(json, "duplicate_of", detail.duplicate_of);
  if (detail.holds) json.member("holds", *detail.holds);
  put_ids(json, "because", detail.because);
  put_ids(json, "ended", detail.ended);
  put_ids(json, "again", detail.again);
  json.member_if("target", detail.target);
  return json.end_object().take();
}

Result<AlertDetail> parse_alert_detail(std::string_view text) {
  AlertDetail detail;
  if (text.empty()) return detail;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(text)).get(object) != SUCCESS) {
    return Error{Errc::corrupt, "an alert event's detail is no JSON object"};
  }
  for (const auto& [key, value] : object) {
    if (take_member(detail, key, value)) continue;
    return Error{Errc::corrupt, "an alert event's detail: " + std::string(key) +
                                    " cannot be read"};
  }
  return detail;
}

}  // namespace trialward::model
