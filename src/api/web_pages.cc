#include "api/web_pages.h"

#include <algorithm>

#include "api/web_files.h"

namespace trialward::api {
namespace {

// Vite puts a digest of each file's content into its name there.
constexpr std::string_view kHashedNames = "/p/assets/";
constexpr std::string_view kServiceWorker = "/p/sw.js";
constexpr std::string_view kPatientPage = "/p";
constexpr std::string_view kPatientFiles = "/p/";
// The operations page, with its script and its style, is the other listener's.
constexpr std::string_view kOpsPage = "/operations";

// A page that opens a report's page lends it its own rules, and that one has its style inside it.
// No script, and nothing from elsewhere, comes with that.
constexpr std::string_view kPage = "/";
constexpr const char* kOpenedPages = "style-src 'self' 'unsafe-inline'; ";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether a member of the list, without its parameters, is `wanted` and its weight is not zero.
bool lists(std::string_view header, std::string_view wanted) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view member = header.substr(0, comma);
    const std::size_t semicolon = std::min(member.find(';'), member.size());
    if (http::equal_ignoring_case(trimmed(member.substr(0, semicolon)), wanted)) {
      const std::size_t behind = std::min(semicolon + 1, member.size());
      const std::string_view weight = trimmed(member.substr(behind));
      return !weight.starts_with("q=0") || weight.find_first_of("123456789") != weight.npos;
    }
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
  return false;
}

bool takes_gzip(const http::Request& request) {
  const std::string* accepted = request.header("Accept-Encoding");
  return accepted != nullptr && lists(*accepted, "gzip");
}

http::Response page(const WebFile& file, const http::Request& request) {
  const bool packed = !file.gzip.empty() && takes_gzip(request);
  const std::string_view etag = packed ? file.gzip_etag : file.etag;
  const bool hashed = file.path.starts_with(kHashedNames);
  http::Response response;
  response.with("ETag", std::string(etag))
      .with("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache")
      .with("X-Content-Type-Options", "nosniff")
      .with("Referrer-Policy", "no-referrer")
      .with("Content-Security-Policy",
            std::string("default-src 'self'; ") + (file.path == kPage ? kOpenedPages : "") +
                "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  if (!file.gzip.empty()) response.with("Vary", "Accept-Encoding");
  // Its page is beside its folder, not in it.
  if (file.path == kServiceWorker) {
    response.with("Service-Worker-Allowed", std::string(kPatientPage));
  }
  const std::string* known = request.header("If-None-Match");
  if (known != nullptr && *known == etag) {
    response.status = 304;
    return response;
  }
  if (packed) response.with("Content-Encoding", "gzip");
  response.content_type = std::string(file.content_type);
  response.body = std::string(packed ? file.gzip : file.bytes);
  return response;
}

http::Decision served(const WebFile& file) {
  return http::Accepted{.handler = [&file](std::shared_ptr<http::Exchange> exchange) {
    exchange->respond(page(file, exchange->request()));
  }};
}

http::Decision found(std::string_view folder, std::string_view name) {
  for (const WebFile& file : web_files()) {
    const bool inside = file.path.starts_with(folder);
    if (inside && file.path.substr(folder.size()) == name) return served(file);
  }
  return http::fault_response(404, "there is nothing at this path");
}

bool is_of_ops(const WebFile& file) {
  return file.path.starts_with(kOpsPage);
}

}  // namespace

std::vector<Route> ops_pages() {
  std::vector<Route> routes;
  for (const WebFile& file : web_files()) {
    if (!is_of_ops(file)) continue;
    routes.emplace_back("GET", file.path, Permission::anyone,
                        [&file](const Call&) { return served(file); });
  }
  return routes;
}

std::vector<Route> web_routes() {
  std::vector<Route> routes;
  for (const WebFile& file : web_files()) {
    if (file.path.starts_with(kPatientFiles) || is_of_ops(file)) continue;
    routes.emplace_back("GET", file.path, Permission::anyone,
                        [&file](const Call&) { return served(file); });
  }
  for (const std::string_view folder : {kPatientFiles, kHashedNames}) {
    routes.emplace_back("GET", std::string(folder) + "{file}", Permission::anyone,
                        [folder](const Call& call) { return found(folder, call.parameters[0]); });
  }
  return routes;
}

}  // namespace trialward::api
