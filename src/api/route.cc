#include "api/route.h"

#include <algorithm>

#include "base/json_writer.h"

namespace trialward::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return pattern.size() == path.size() &&
         std::equal(pattern.begin(), pattern.end(), path.begin(),
                    [](const auto& p, const auto& s) { return is_parameter(p) || p == s; });
}

std::shared_ptr<const Principal> local_admin() {
  auto admin = std::make_shared<Principal>();
  admin->name = "local-admin";
  admin->role = Role::admin;
  return admin;
}

http::Response unauthorized(std::string_view reason) {
  return http::fault_response(401, reason).with("WWW-Authenticate", "Bearer realm=\"trialward\"");
}

}  // namespace

Router::Router(std::vector<Route> routes, const TokenTable& tokens, const Studies& studies,
               const base::Clock& clock)
    : routes_(std::move(routes)),
      tokens_(tokens),
      studies_(studies),
      clock_(clock),
      local_admin_(local_admin()) {
  for (const Route& route : routes_) {
    auto pattern = split_path(route.pattern);
    TW_CHECK(pattern.has_value());
    patterns_.push_back(std::move(*pattern));
  }
}

std::shared_ptr<const Principal> Router::authenticate(const http::Request& head) const {
  if (head.local) return local_admin_;
  const std::string* header = head.header("Authorization");
  if (header == nullptr || header->size() <= kBearer.size() ||
      !http::equal_ignoring_case(std::string_view(*header).substr(0, kBearer.size()), kBearer)) {
    return nullptr;
  }
  auto found = tokens_.find(std::string_view(*header).substr(kBearer.size()), clock_.utc_ms());
  // An invitation is used by its own route, which counts guesses.
  if (found != nullptr && found->role == Role::invitation) return nullptr;
  return found;
}

http::Decision Router::decide(const http::Request& head) const {
  const auto path = split_path(head.path);
  if (!path) return http::fault_response(400, "the path is malformed");
  auto query = QueryMembers::parse(head.query);
  if (!query) return http::fault_response(400, "the query is malformed");

  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  const Route* route = nullptr;
  const std::vector<std::string>* pattern = nullptr;
  std::string allowed;
  for (std::size_t i = 0; i < routes_.size() && route == nullptr; ++i) {
    if (!fits(patterns_[i], *path)) continue;
    if (routes_[i].method == method) {
      route = &routes_[i];
      pattern = &patterns_[i];
    } else {
      allowed += (allowed.empty() ? "" : ", ") + routes_[i].method;
    }
  }
  if (route == nullptr) {
    if (allowed.empty()) return http::fault_response(404, "there is nothing at this path");
    return http::fault_response(405, "this path allows " + allowed).with("Allow", allowed);
  }
  if (!route->query_repeats && query->repeats()) {
    return http::fault_response(400, "the query has a member twice");
  }

  Call call{.head = head, .query = std::move(*query)};
  if (route->permission != Permission::anyone) {
    call.principal = authenticate(head);
    if (call.principal == nullptr) {
      return unauthorized("a valid token is needed: Authorization: Bearer TOKEN");
    }
    if (!call.principal->allows(route->permission)) {
      const std::string of = call.principal->reads_one_source() ? " of one source" : "";
      return http::fault_response(403, "the role " + std::string(to_string(call.principal->role)) +
                                           of + " may not " +
                                           std::string(to_string(route->permission)));
    }
  }
  for (std::size_t i = 0; i < pattern->size(); ++i) {
    if (!is_parameter((*pattern)[i])) continue;
    if ((*pattern)[i] != "{study}") {
      call.parameters.push_back((*path)[i]);
      continue;
    }
    const auto study = studies_.find((*path)[i]);
    // A study of others looks like one that does not exist.
    if (study == studies_.end() ||
        (call.principal->study != 0 && call.principal->study != study->second->row)) {
      return http::fault_response(404, "there is no study '" + (*path)[i] + "' for this token");
    }
    call.study = study->second;
  }
  if (route->query) {
    if (const std::string_view name = call.query.unknown(*route->query); !name.empty()) {
      return http::fault_response(400, "unknown query member '" + std::string(name) + "'");
    }
  }
  return route->handle(call);
}

http::Decision answer_now(std::function<http::Response()> make) {
  return http::Accepted{.handler = [make = std::move(make)](std::shared_ptr<http::Exchange> e) {
    e->respond(make());
  }};
}

http::Decision head_of_stream(std::string content_type) {
  return http::Accepted{.handler = [type = std::move(content_type)](
                                       std::shared_ptr<http::Exchange> exchange) {
    exchange->start({.content_type = type});
    exchange->finish();
  }};
}

std::string routes_json(const Router& main, const Router& ops) {
  base::JsonWriter json;
  json.begin_object().key("routes").begin_array();
  const auto add = [&json](const char* listener, const Router& router) {
    for (const Route& route : router.routes()) {
      json.begin_object()
          .member("listener", listener)
          .member("method", route.method)
          .member("path", route.pattern)
          .member("permission", to_string(route.permission))
          .end_object();
    }
  };
  add("main", main);
  add("ops", ops);
  return json.end_array().end_object().take();
}

}  // namespace trialward::api
