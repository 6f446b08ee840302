// What a route is, and how a request finds its own: path and method, token, study, permission, in
// this order, before any byte of the body is read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/principal.h"
#include "api/token_table.h"
#include "api/url.h"
#include "http/server.h"
#include "intake/submission.h"

namespace trialward::api {

using StudyPointer = std::shared_ptr<const intake::ActiveStudy>;
using Studies = std::map<std::string, StudyPointer, std::less<>>;  // by study id; never changes

// A request that may be handled.
struct Call {
  const http::Request& head;
  std::shared_ptr<const Principal> principal;  // null on a route for anyone
  StudyPointer study;                          // null on a route without {study}
  std::vector<std::string> parameters;         // what stood at {…} other than {study}
  QueryMembers query;
};

// Every route has a permission: there is no constructor without one.
struct Route {
  using Handle = std::function<http::Decision(const Call&)>;
  using Members = std::vector<std::string_view>;

  Route(std::string_view method_, std::string_view pattern_, Permission permission_,
        Handle handle_, std::optional<Members> query_ = std::nullopt)
      : method(method_),
        pattern(pattern_),
        permission(permission_),
        handle(std::move(handle_)),
        query(std::move(query_)) {}

  std::string method;
  std::string pattern;  // "/v1/studies/{study}/records"
  Permission permission;
  Handle handle;
  std::optional<Members> query;  // the members that its query may have; nothing: any
  bool query_repeats = false;    // a member may occur several times
};

// Immutable; its decide() is an http::Admit for any thread.
class Router {
 public:
  Router(std::vector<Route> routes, const TokenTable& tokens, const Studies& studies,
         const base::Clock& clock);

  http::Decision decide(const http::Request& head) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Found;
  std::shared_ptr<const Principal> authenticate(const http::Request& head) const;

  const std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // of routes_, split
  const TokenTable& tokens_;
  const Studies& studies_;
  const base::Clock& clock_;
  const std::shared_ptr<const Principal> local_admin_;
};

// What both listeners have, for /ops/routes.
std::string routes_json(const Router& main, const Router& ops);

// An answer that needs neither body nor thread.
http::Decision answer_now(std::function<http::Response()> make);
// The answer to a HEAD where a GET would be answered by a stream: nothing is read for it.
http::Decision head_of_stream(std::string content_type);

}  // namespace trialward::api
