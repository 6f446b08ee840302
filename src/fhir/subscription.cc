#include "fhir/subscription.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "fhir/element.h"
#include "fhir/primitives.h"
#include "fhir/subscription_filter.h"
#include "model/effective_time.h"
#include "ucum/unit.h"

namespace trialward::fhir {

namespace {

constexpr std::array<std::string_view, 3> kContents = {"empty", "id-only", "full-resource"};
constexpr std::string_view kRoot = "Subscription";
constexpr std::int64_t kYear10000Ms = 253'402'300'800'000;  // which has no four digits

constexpr std::string_view kMembers[] = {"resourceType", "id",       "meta",    "language",
                                         "text",         "status",   "contact", "end",
                                         "reason",       "criteria", "error",   "channel"};
constexpr std::string_view kChannelMembers[] = {"id",       "extension", "type",
                                                "endpoint", "payload",   "header"};
// The server's own, or what would change how the request is read.
constexpr std::string_view kOwnHeaders[] = {"connection",
                                            "content-encoding",
                                            "content-length",
                                            "content-type",
                                            "expect",
                                            "forwarded",
                                            "host",
                                            "idempotency-key",
                                            "keep-alive",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade",
                                            "x-http-method-override",
                                            "x-original-url",
                                            "x-rewrite-url"};
constexpr std::string_view kOwnHeaderPrefixes[] = {"proxy-", "x-forwarded-"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool is_own_header(std::string_view name) {
  const std::string own = lower(name);
  const auto begins = [&own](std::string_view prefix) { return own.starts_with(prefix); };
  return std::find(std::begin(kOwnHeaders), std::end(kOwnHeaders), own) != std::end(kOwnHeaders) ||
         std::any_of(std::begin(kOwnHeaderPrefixes), std::end(kOwnHeaderPrefixes), begins);
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

class Reading {
 public:
  SubscriptionContent content;
  IssueList list;

  void read(Json root, std::string_view id, std::string_view base) {
    Element element(root, std::string(kRoot), list);
    element.only(kMembers);
    if (root.string("resourceType") != kRoot) {
      return list.error("typeNotSupported", std::string(kRoot), "must be a Subscription");
    }
    if (!id.empty() && root.string("id") != id) {
      list.error("invalidValue", "Subscription.id",
                 "must be the id in the URL, " + ucum::quoted(id));
    }
    read_status(root);
    element.text("reason", content.reason);
    if (content.reason.empty()) list.error("required", "Subscription.reason", "is missing");
    std::string end;
    element.text("end", end);
    if (!end.empty()) read_end(end);
    read_criteria(root, base);
    if (root["contact"].is(Json::Type::array)) content.contact = root["contact"].raw();
    if (root["text"].is(Json::Type::object)) content.text = root["text"].raw();
    if (!root["channel"].is(Json::Type::object)) {
      return list.error("required", "Subscription.channel", "is missing");
    }
    read_channel(root["channel"]);
  }

 private:
  void read_status(Json root) {
    content.status = root.string("status");
    for (const std::string_view known : {"requested", "active", "error", "off"}) {
      if (content.status == known) return;
    }
    list.error(content.status.empty() ? "required" : "invalidValue", "Subscription.status",
               "must be requested, or off to end it");
  }

  void read_end(const std::string& end) {
    const auto instant = is_date_time(end) ? model::parse_instant(end) : std::nullopt;
    if (instant && *instant > 0 && *instant < kYear10000Ms) {
      content.end_ms = *instant;
    } else {
      list.error("invalidValue", "Subscription.end", "must be an instant");
    }
  }

  void read_criteria(Json root, std::string_view base) {
    if (root.string("criteria") != kAlertTopic) {
      list.error("notSupported", "Subscription.criteria",
                 "must be the one topic that there is, " + std::string(kAlertTopic));
    }
    std::size_t index = 0;
    for (const Json extension : root["_criteria"]["extension"]) {
      const std::string at = place("Subscription.criteria", "extension", index++);
      if (!is_backport(extension, "backport-filter-criteria")) {
        unknown_extension(extension, at);
      } else if (index > kFiltersMax) {
        return list.error("tooMany", "Subscription.criteria",
                          "has more than " + std::to_string(kFiltersMax) + " filters");
      } else {
        content.filters.emplace_back(extension.string("valueString"));
        read_filter(content.filters.back(), at + ".value", base, content, list);
      }
    }
    for (const auto* values : {&content.subjects, &content.rules, &content.severities}) {
      if (values->size() <= kFilterValuesMax) continue;
      list.error("tooMany", "Subscription.criteria",
                 "a filter has at most " + std::to_string(kFilterValuesMax) + " values");
    }
  }

  void read_channel(Json channel) {
    const std::string path = "Subscription.channel";
    Element element(channel, path, list);
    element.only(kChannelMembers);
    if (channel.string("type") != "rest-hook") {
      list.error("notSupported", path + ".type", "must be rest-hook");
    }
    if (channel["_type"]) {
      list.error("notSupported", path + ".type", "other channels are not known");
    }
    element.text("endpoint", content.endpoint);
    if (content.endpoint.empty()) {
      list.error("required", path + ".endpoint", "is missing");
    } else if (content.endpoint.size() > kEndpointBytesMax) {
      list.error("tooLong", path + ".endpoint",
                 "has more than " + std::to_string(kEndpointBytesMax) + " bytes");
    }
    read_payload(channel);
    read_headers(channel);
    std::size_t index = 0;
    for (const Json extension : channel["extension"]) {
      read_wish(extension, place(path, "extension", index++));
    }
  }

  void read_payload(Json channel) {
    const std::string path = "Subscription.channel.payload";
    content.media_type = channel.string("payload");
    const std::string media = content.media_type.substr(0, content.media_type.find(';'));
    if (media != "application/fhir+json" && media != "application/json") {
      list.error(media.empty() ? "required" : "notSupported", path,
                 "must be application/fhir+json");
    }
    content.media_type = media;
    bool said = false;
    std::size_t index = 0;
    for (const Json extension : channel["_payload"]["extension"]) {
      const std::string at = place(path, "extension", index++);
      if (!is_backport(extension, "backport-payload-content")) {
        unknown_extension(extension, at);
        continue;
      }
      said = true;
      if (!parse_payload_content(extension.string("valueCode"), content.content)) {
        list.error("invalidValue", at + ".value", "must be empty, id-only or full-resource");
      }
    }
    if (!said) {
      list.error("required", path,
                 "must say its content by the extension " + std::string(kBackport) +
                     "backport-payload-content");
    }
  }

  void read_headers(Json channel) {
    const std::string path = "Subscription.channel.header";
    std::size_t bytes = 0, index = 0;
    for (const Json header : channel["header"]) {
      const std::string at = path + "[" + std::to_string(index++) + "]";
      const std::string_view text = header.is(Json::Type::string) ? header.text() : "";
      const std::size_t colon = text.find(':');
      const std::string_view name = text.substr(0, colon);
      // At least what it has when its value is hidden, so that what is kept can be read again.
      bytes += std::max(text.size(), name.size() + 2 + kHiddenValue.size());
      if (colon == std::string_view::npos || !is_token(name)) {
        list.error("invalidValue", at, "must be a header, \"Name: value\"");
        continue;
      }
      std::string_view value = text.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      const bool plain = std::all_of(value.begin(), value.end(),
                                     [](unsigned char c) { return c >= ' ' && c != 127; });
      if (!plain) list.error("invalidValue", at, "has a control character");
      if (is_own_header(name)) {
        list.error("notSupported", at, ucum::quoted(name) + " is set by the server");
      }
      content.headers.emplace_back(name, value);
    }
    if (index > kChannelHeadersMax) {
      list.error("tooMany", path,
                 "there may be at most " + std::to_string(kChannelHeadersMax) + " headers");
    }
    if (bytes > kHeaderBytesMax) {
      list.error("tooLong", path,
                 "headers have at most " + std::to_string(kHeaderBytesMax) + " bytes, together");
    }
  }

  void read_wish(Json extension, const std::string& at) {
    const struct {
      std::string_view name, value;
      std::uint32_t min, max;
      std::uint32_t& out;
    } kWishes[] = {
        {"backport-heartbeat-period", "valueUnsignedInt", kHeartbeatMinS, kHeartbeatMaxS,
         content.heartbeat_s},
        {"backport-timeout", "valueUnsignedInt", 1, kTimeoutMaxS, content.timeout_s},
        {"backport-max-count", "valuePositiveInt", 1, kEventsPerNoticeMax, content.events_max}};
    for (const auto& wish : kWishes) {
      if (!is_backport(extension, wish.name)) continue;
      const Json value = extension[wish.value];
      const auto number = value.is(Json::Type::number) ? parse_integer(value.text()) : std::nullopt;
      if (number && *number >= static_cast<std::int32_t>(wish.min) &&
          *number <= static_cast<std::int32_t>(wish.max)) {
        wish.out = static_cast<std::uint32_t>(*number);
      } else {
        list.error("invalidValue", at + ".value",
                   std::string(wish.value) + " must be from " + std::to_string(wish.min) + " to " +
                       std::to_string(wish.max));
      }
      return;
    }
    unknown_extension(extension, at);
  }

  static bool is_backport(Json extension, std::string_view name) {
    const std::string_view url = extension.string("url");
    return url.starts_with(kBackport) && url.substr(kBackport.size()) == name;
  }

  void unknown_extension(Json extension, const std::string& at) {
    list.error("notSupported", at,
               "the extension " + ucum::quoted(extension.string("url")) + " is not known here");
  }
};

void write_extension(base::JsonWriter& json, std::string_view name) {
  json.begin_object().member("url", std::string(kBackport) + std::string(name));
}

void write_channel(base::JsonWriter& json, const SubscriptionContent& content) {
  json.key("channel").begin_object();
  if (content.heartbeat_s + content.timeout_s + content.events_max > 0) {
    json.key("extension").begin_array();
    const auto number = [&json](std::string_view name, std::string_view type, std::uint32_t value) {
      if (value == 0) return;
      write_extension(json, name);
      json.member(type, std::uint64_t{value}).end_object();
    };
    number("backport-heartbeat-period", "valueUnsignedInt", content.heartbeat_s);
    number("backport-timeout", "valueUnsignedInt", content.timeout_s);
    number("backport-max-count", "valuePositiveInt", content.events_max);
    json.end_array();
  }
  json.member("type", "rest-hook").member("endpoint", content.endpoint);
  json.member("payload", content.media_type);
  json.key("_payload").begin_object().key("extension").begin_array();
  write_extension(json, "backport-payload-content");
  json.member("valueCode", to_string(content.content)).end_object();
  json.end_array().end_object();
  if (!content.headers.empty()) {
    json.key("header").begin_array();
    for (const auto& [name, value] : content.headers) {
      json.value(name + ": " + std::string(kHiddenValue));
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace

std::string_view to_string(PayloadContent content) {
  return kContents[static_cast<std::size_t>(content)];
}

bool parse_payload_content(std::string_view text, PayloadContent& out) {
  for (std::size_t i = 0; i < kContents.size(); ++i) {
    if (kContents[i] != text) continue;
    out = static_cast<PayloadContent>(i);
    return true;
  }
  return false;
}

base::Result<SubscriptionContent, model::Issues> SubscriptionReader::read(std::string_view json,
                                                                          std::string_view id,
                                                                          std::string_view base) {
  auto root = tree_.parse(json);
  if (!root) return root.error();
  Reading reading;
  reading.read(*root, id, base);
  if (model::has_fault(reading.list.issues)) return std::move(reading.list.issues);
  return std::move(reading.content);
}

std::string write_subscription(const SubscriptionContent& content, const SubscriptionShown& shown) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", kRoot).member_if("id", shown.id);
  json.key("meta").begin_object();
  if (shown.version > 0) {
    json.member("versionId", std::to_string(shown.version));
    json.member("lastUpdated", model::format_utc(shown.updated_ms));
  }
  json.key("profile").begin_array().value(std::string(kBackport) + "backport-subscription");
  json.end_array().end_object();
  if (!content.text.empty()) json.raw_member("text", content.text);
  json.member("status", shown.status.empty() ? content.status : shown.status);
  if (!content.contact.empty()) json.raw_member("contact", content.contact);
  if (content.end_ms != 0) json.member("end", model::format_utc(content.end_ms));
  json.member("reason", content.reason).member("criteria", kAlertTopic);
  if (!content.filters.empty()) {
    json.key("_criteria").begin_object().key("extension").begin_array();
    for (const std::string& filter : content.filters) {
      write_extension(json, "backport-filter-criteria");
      json.member("valueString", filter).end_object();
    }
    json.end_array().end_object();
  }
  json.member_if("error", shown.error);
  write_channel(json, content);
  return json.end_object().take();
}

}  // namespace trialward::fhir
