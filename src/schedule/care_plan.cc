#include "schedule/care_plan.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "model/effective_time.h"
#include "model/json_depth.h"
#include "model/text_fault.h"

namespace trialward::schedule {

using base::Result;

namespace {

constexpr std::string_view kOccurrenceSystem = "urn:trialward:occurrence";
constexpr std::size_t kDepthMax = 24;
constexpr std::size_t kFhirIdCharsMax = 64;
constexpr std::size_t kHashDigits = 40;
constexpr std::array<std::string_view, 5> kStatusNames = {"proposed", "booked", "fulfilled",
                                                          "noshow", "cancelled"};

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_in(const object& from, const char* name) {
  std::string_view text;
  if (from[name].get(text) != simdjson::SUCCESS) return {};
  return text;
}

// A text that is parsed, which lives as long as this.
class Parsed {
 public:
  // Errors: invalid.
  Result<object> root(std::string_view text, const char* type) {
    if (text.size() > kCarePlanBytesMax) return base::invalid("it is too large");
    if (model::nested_deeper(text, kDepthMax)) return base::invalid("it is nested too deep");
    object root;
    if (parser_.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
      return base::invalid("it is not a JSON object");
    }
    if (text_in(root, "resourceType") != type) {
      return base::invalid(std::string("it is not a ") + type);
    }
    return root;
  }

 private:
  simdjson::dom::parser parser_;
};

// FHIR has more words than trialward needs; what is on its way to be booked is not booked yet.
std::optional<AppointmentStatus> status_in(std::string_view text) {
  if (text == "arrived" || text == "checked-in") return AppointmentStatus::booked;
  if (text == "pending" || text == "waitlist") return AppointmentStatus::proposed;
  if (text == "entered-in-error") return AppointmentStatus::cancelled;
  const auto found = std::find(kStatusNames.begin(), kStatusNames.end(), text);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<AppointmentStatus>(found - kStatusNames.begin());
}

// Nothing where there is none; invalid where it is no instant.
Result<std::optional<std::int64_t>> instant_in(const object& from, const char* name) {
  const std::string_view text = text_in(from, name);
  if (text.empty()) return std::optional<std::int64_t>();
  const auto ms = model::parse_instant(text);
  if (!ms) return base::invalid(std::string(name) + " is no instant with an offset");
  return std::optional(*ms);
}

// The key of an Appointment of trialward's; nothing of others.
std::optional<OccurrenceKey> key_in(const object& appointment) {
  array identifiers;
  if (appointment["identifier"].get(identifiers) != simdjson::SUCCESS) return std::nullopt;
  for (const element& one : identifiers) {
    object identifier;
    if (one.get(identifier) != simdjson::SUCCESS) continue;
    if (text_in(identifier, "system") != kOccurrenceSystem) continue;
    return parse_occurrence_key(text_in(identifier, "value"));
  }
  return std::nullopt;
}

Result<Appointment> appointment_in(const object& from, OccurrenceKey key) {
  Appointment one{.key = std::move(key)};
  const std::string name = "appointment " + to_string(one.key);
  const auto status = status_in(text_in(from, "status"));
  if (!status) return base::invalid(name + ": its status is not known");
  one.status = *status;
  auto start = instant_in(from, "start");
  if (!start) return base::invalid(name + ": " + start.error().message);
  auto end = instant_in(from, "end");
  if (!end) return base::invalid(name + ": " + end.error().message);
  one.start_ms = *start;
  one.end_ms = *end;
  array periods;
  if (from["requestedPeriod"].get(periods) == simdjson::SUCCESS && periods.size() > 0) {
    object period;
    if (periods.at(0).get(period) != simdjson::SUCCESS) {
      return base::invalid(name + ": requestedPeriod is no Period");
    }
    auto from_ms = instant_in(period, "start");
    if (!from_ms) return base::invalid(name + ": requestedPeriod: " + from_ms.error().message);
    auto until_ms = instant_in(period, "end");
    if (!until_ms) return base::invalid(name + ": requestedPeriod: " + until_ms.error().message);
    one.from_ms = from_ms->value_or(0);
    one.until_ms = until_ms->value_or(0);
  }
  return one;
}

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= kVersionCharsMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && c != '"' && c != '\\';
         });
}

bool is_fhir_id(std::string_view text) {
  return !text.empty() && text.size() <= kFhirIdCharsMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.';
         });
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && at == text.data() + text.size();
}

void write_appointment(base::JsonWriter& json, std::string_view subject, std::size_t index,
                       const Appointment& one) {
  json.begin_object()
      .member("resourceType", "Appointment")
      .member("id", "a" + std::to_string(index + 1));
  json.key("identifier").begin_array().begin_object();
  json.member("system", kOccurrenceSystem).member("value", to_string(one.key));
  json.end_object().end_array().member("status", to_string(one.status));
  json.member_if("description", one.title);
  if (one.from_ms != 0 || one.until_ms != 0) {
    json.key("requestedPeriod").begin_array().begin_object();
    json.member("start", model::format_utc(one.from_ms));
    if (one.until_ms != 0) json.member("end", model::format_utc(one.until_ms));
    json.end_object().end_array();
  }
  if (one.start_ms) {
    json.member("start", model::format_utc(*one.start_ms))
        .member("end", model::format_utc(one.last_ms()));
  }
  json.key("participant").begin_array().begin_object();
  json.key("actor").begin_object().member("display", subject).end_object();
  json.member("status", "needs-action").end_object().end_array().end_object();
}

}  // namespace

std::string_view to_string(AppointmentStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::string to_string(const OccurrenceKey& key) {
  return key.activity + "/" + std::to_string(key.number) + "/" + std::to_string(key.event);
}

std::optional<OccurrenceKey> parse_occurrence_key(std::string_view text) {
  const std::size_t second = text.rfind('/');
  if (second == text.npos || second == 0) return std::nullopt;
  const std::size_t first = text.rfind('/', second - 1);
  if (first == text.npos || first == 0) return std::nullopt;
  OccurrenceKey key{.activity = std::string(text.substr(0, first))};
  if (model::id_fault(key.activity) ||
      !read_number(text.substr(first + 1, second - first - 1), key.number) ||
      !read_number(text.substr(second + 1), key.event)) {
    return std::nullopt;
  }
  return key;
}

std::string care_plan_id(std::string_view subject) {
  if (is_fhir_id(subject)) return std::string(subject);
  return "x" + base::to_hex(base::sha256(subject)).substr(0, kHashDigits);
}

std::string to_json(std::string_view study, std::string_view subject,
                    const std::vector<Appointment>& appointments) {
  base::JsonWriter json;
  json.begin_object()
      .member("resourceType", "CarePlan")
      .member("id", care_plan_id(subject))
      .member("status", "active")
      .member("intent", "plan");
  json.key("subject").begin_object().key("identifier").begin_object();
  json.member("system", "urn:trialward:study:" + std::string(study)).member("value", subject);
  json.end_object().end_object();
  if (appointments.empty()) return json.end_object().take();  // FHIR has no empty arrays
  json.key("contained").begin_array();
  for (std::size_t i = 0; i < appointments.size(); ++i) {
    write_appointment(json, subject, i, appointments[i]);
  }
  json.end_array().key("activity").begin_array();
  for (std::size_t i = 0; i < appointments.size(); ++i) {
    json.begin_object().key("reference").begin_object();
    json.member("reference", "#a" + std::to_string(i + 1)).end_object().end_object();
  }
  return json.end_array().end_object().take();
}

Result<CarePlan> parse_care_plan(std::string_view text, std::string_view id) {
  Parsed parsed;
  auto root = parsed.root(text, "CarePlan");
  if (!root) return root.error();
  if (text_in(*root, "id") != id) return base::invalid("it is another subject's CarePlan");
  CarePlan plan;
  object meta;
  if ((*root)["meta"].get(meta) == simdjson::SUCCESS) {
    const std::string_view version = text_in(meta, "versionId");
    if (is_version(version)) plan.version = std::string(version);
  }
  array contained;
  if ((*root)["contained"].get(contained) != simdjson::SUCCESS) return plan;
  std::map<OccurrenceKey, Appointment> found;
  for (const element& one : contained) {
    object resource;
    if (one.get(resource) != simdjson::SUCCESS) return base::invalid("contained is no resource");
    if (text_in(resource, "resourceType") != "Appointment") continue;
    auto key = key_in(resource);
    if (!key) {
      ++plan.unknown;
      continue;
    }
    auto appointment = appointment_in(resource, std::move(*key));
    if (!appointment) return appointment.error();
    OccurrenceKey at = appointment->key;
    if (!found.emplace(std::move(at), std::move(*appointment)).second) {
      return base::invalid("an occurrence has two appointments");
    }
    if (found.size() > kAppointmentsMax) return base::invalid("it has too many appointments");
  }
  for (auto& [key, appointment] : found) plan.appointments.push_back(std::move(appointment));
  return plan;
}

std::string digest_of(const std::vector<Appointment>& appointments) {
  std::string text;
  for (const Appointment& one : appointments) {
    text += to_string(one.key);
    text += ' ';
    text += to_string(one.status);
    // When it was done, or would have been, is told for people.
    const bool open = one.status == AppointmentStatus::proposed ||
                      one.status == AppointmentStatus::booked;
    if (open) text += " " + std::to_string(one.from_ms) + " " + std::to_string(one.until_ms);
    if (one.status == AppointmentStatus::booked && one.start_ms) {
      text += " " + std::to_string(*one.start_ms) + " " + std::to_string(one.last_ms());
    }
    text += '\n';
  }
  return base::to_hex(base::sha256(text)).substr(0, kHashDigits);
}

Result<ChangesPage> parse_changes(std::string_view text) {
  Parsed parsed;
  auto root = parsed.root(text, "Bundle");
  if (!root) return root.error();
  ChangesPage page;
  array entries;
  if ((*root)["entry"].get(entries) == simdjson::SUCCESS) {
    if (entries.size() > kEntriesMax) return base::invalid("a page has too many entries");
    for (const element& one : entries) {
      object resource, meta;
      if (one["resource"].get(resource) != simdjson::SUCCESS ||
          text_in(resource, "resourceType") != "CarePlan") {
        continue;
      }
      ChangedPlan changed{.id = std::string(text_in(resource, "id"))};
      if (resource["meta"].get(meta) == simdjson::SUCCESS) {
        changed.version = std::string(text_in(meta, "versionId"));
        changed.last_updated = std::string(text_in(meta, "lastUpdated"));
      }
      if (!is_fhir_id(changed.id) || !is_version(changed.version) ||
          !model::parse_instant(changed.last_updated)) {
        return base::invalid("an entry has no id, meta.versionId or meta.lastUpdated");
      }
      page.changed.push_back(std::move(changed));
    }
  }
  array links;
  if ((*root)["link"].get(links) != simdjson::SUCCESS) return page;
  for (const element& one : links) {
    object link;
    if (one.get(link) != simdjson::SUCCESS || text_in(link, "relation") != "next") continue;
    page.next = std::string(text_in(link, "url"));
  }
  return page;
}

std::optional<std::string> version_of_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"') return std::nullopt;
  etag = etag.substr(1, etag.size() - 2);
  if (!is_version(etag)) return std::nullopt;
  return std::string(etag);
}

std::string etag_of_version(std::string_view version) {
  return "W/\"" + std::string(version) + "\"";
}

}  // namespace trialward::schedule
