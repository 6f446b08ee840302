#include "api/searchset.h"

namespace trialward::api {

std::string fhir_base(const http::Request& head) {
  const std::string* host = head.header("Host");
  const std::string* proto = head.header("X-Forwarded-Proto");
  const bool tls = head.tls || (proto != nullptr && *proto == "https");
  return (tls ? "https://" : "http://") + (host != nullptr ? *host : "localhost") + "/fhir";
}

Searchset::Searchset(std::string_view type, std::string base) : base_(std::move(base)) {
  json_.begin_object().member("resourceType", "Bundle").member("type", type);
}

void Searchset::link_pages(const std::string& type, const std::string& query,
                           const std::string& cursor) {
  const std::string url = base_ + "/" + type + "?" + query;
  links_.emplace_back("self", url);
  if (!cursor.empty()) {
    links_.emplace_back("next", url + (query.empty() ? "" : "&") + "_cursor=" + cursor);
  }
}

void Searchset::begin() {
  if (!links_.empty()) {
    json_.key("link").begin_array();
    for (const auto& [relation, url] : links_) {
      json_.begin_object().member("relation", relation).member("url", url).end_object();
    }
    json_.end_array();
  }
  json_.key("entry").begin_array();
}

base::JsonWriter& Searchset::entry(const std::string& place, std::string_view resource,
                                   std::string_view mode) {
  json_.begin_object().member("fullUrl", base_ + "/" + place);
  json_.raw_member("resource", resource);
  if (!mode.empty()) json_.key("search").begin_object().member("mode", mode).end_object();
  return json_;
}

std::string Searchset::end() { return json_.end_array().end_object().take(); }

}  // namespace trialward::api
