// What a partner of schedule sync keeps (docs/schedule-sync.md): of each CarePlan its bytes and
// version, and the list of what has changed, as the contract says. For the partners of the
// benchmark; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "model/effective_time.h"

namespace trialward::bench {

class PartnerPlans {
 public:
  struct Asked {
    std::string_view method, path, query;
    std::string_view match, none_match;  // headers; empty: there is none
    std::string_view body;
  };
  struct Said {
    int status = 200;
    std::string etag, body;  // empty: none
  };
  static constexpr std::string_view kPath = "/fhir/CarePlan";
  static constexpr std::size_t kPageMax = 500;

  explicit PartnerPlans(const base::Clock& clock) : clock_(clock) {}

  Said act(const Asked& asked) {
    if (asked.path == kPath) return list(asked.query);
    if (asked.path.size() <= kPath.size() + 1 || !asked.path.starts_with(kPath)) return {404};
    const std::string id(asked.path.substr(kPath.size() + 1));
    const auto plan = plans_.find(id);
    const bool there = plan != plans_.end();
    if (asked.method == "GET") {
      if (!there) return {404};
      const std::string etag = etag_of(plan->second);
      if (asked.none_match == etag) return {304, etag};
      return {200, etag, plan->second.text};
    }
    const bool makes = asked.match.empty();
    if (makes ? there : !there || asked.match != etag_of(plan->second)) {
      return {there ? 412 : 404};
    }
    Plan& stored = plans_[id];
    stored.version += 1;
    stored.text = asked.body;
    by_time_.erase({stored.updated_ms, id});
    stored.updated_ms = std::max(clock_.utc_ms(), stored.updated_ms);
    by_time_.insert({stored.updated_ms, id});
    return {there ? 200 : 201, etag_of(stored)};
  }

  std::string url;  // of the FHIR base, for links

 private:
  struct Plan {
    std::string text;
    std::int64_t version = 0, updated_ms = 0;
  };
  using Place = std::pair<std::int64_t, std::string>;

  static std::string etag_of(const Plan& plan) {
    return "W/\"" + std::to_string(plan.version) + "\"";
  }
  static std::string member(std::string_view query, const std::string& name) {
    const std::size_t at = query.find(name + "=");
    if (at == query.npos) return {};
    const std::size_t from = at + name.size() + 1;
    return std::string(query.substr(from, query.find('&', from) - from));
  }

  Said list(std::string_view query) {
    Place from{0, ""};
    if (const std::string since = member(query, "_lastUpdated"); since.starts_with("ge")) {
      from.first = model::parse_instant(since.substr(2)).value_or(0);
    }
    auto at = by_time_.lower_bound(from);
    if (const std::string after = member(query, "after"); !after.empty()) {
      const std::size_t bar = after.find('~');
      at = by_time_.upper_bound({std::stoll(after.substr(0, bar)), after.substr(bar + 1)});
    }
    std::string body = R"({"resourceType":"Bundle","type":"searchset","entry":[)";
    Place last;
    for (std::size_t i = 0; i < kPageMax && at != by_time_.end(); ++i, ++at) {
      last = *at;
      if (i > 0) body += ',';
      body += R"({"resource":{"resourceType":"CarePlan","id":")" + at->second +
              R"(","meta":{"versionId":")" + std::to_string(plans_.at(at->second).version) +
              R"(","lastUpdated":")" + model::format_utc(at->first) + R"("}}})";
    }
    body += "]";
    if (at != by_time_.end()) {
      body += R"(,"link":[{"relation":"next","url":")" + url + "/CarePlan?after=" +
              std::to_string(last.first) + "~" + last.second + R"("}])";
    }
    return {200, "", body + "}"};
  }

  const base::Clock& clock_;
  std::map<std::string, Plan> plans_;
  std::set<Place> by_time_;
};

}  // namespace trialward::bench
