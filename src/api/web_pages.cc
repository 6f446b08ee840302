#include "api/web_pages.h"

#include "api/web_files.h"

namespace trialward::api {
namespace {

http::Response page(const WebFile& file, const http::Request& request) {
  http::Response response;
  response.with("ETag", std::string(file.etag))
      .with("Cache-Control", "no-cache")
      .with("X-Content-Type-Options", "nosniff")
      .with("Referrer-Policy", "no-referrer")
      .with("Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  const std::string* known = request.header("If-None-Match");
  if (known != nullptr && *known == file.etag) {
    response.status = 304;
    return response;
  }
  response.content_type = std::string(file.content_type);
  response.body = std::string(file.bytes);
  return response;
}

}  // namespace

std::vector<Route> web_routes() {
  std::vector<Route> routes;
  for (const WebFile& file : web_files()) {
    routes.emplace_back("GET", file.path, Permission::anyone, [&file](const Call&) {
      return http::Accepted{.handler = [&file](std::shared_ptr<http::Exchange> exchange) {
        exchange->respond(page(file, exchange->request()));
      }};
    });
  }
  return routes;
}

}  // namespace trialward::api
