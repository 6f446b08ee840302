#include "api/fhir_answers.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <utility>

#include "api/answers.h"
#include "fhir/json.h"
#include "fhir/operation_outcome.h"

namespace trialward::api {
namespace {

using fhir::ResourceType;
using model::IssueSeverity;

std::string_view code_of(int status) {
  switch (status) {
    case 401:
      return "login";
    case 403:
      return "forbidden";
    case 404:
      return "notFound";
    case 405:
    case 406:
    case 415:
    case 501:
      return "notSupported";
    case 409:
      return "conflict";
    case 412:
    case 428:
      return "versionConflict";
    case 413:
      return "tooLong";
    case 422:
      return "businessRule";
    case 429:
      return "throttled";
    case 503:
      return "transient";
    case 408:
    case 504:
      return "timeout";
    default:
      return status >= 500 ? "exception" : "invalidRequest";
  }
}

}  // namespace

http::Response fhir_response(int status, std::string body) {
  http::Response response{.status = status, .body = std::move(body)};
  response.content_type = std::string(kFhirJson) + "; charset=utf-8";
  return response;
}

http::Response outcome_response(int status, const model::Issues& issues) {
  return fhir_response(status, fhir::operation_outcome(issues));
}

http::Response outcome_response(int status, std::string_view words, std::string_view expression) {
  return outcome_response(status, {{.severity = IssueSeverity::error,
                                    .code = std::string(code_of(status)),
                                    .path = std::string(expression),
                                    .words = std::string(words)}});
}

http::Response as_outcome(http::Response refusal) {
  if (refusal.status < 400 || refusal.content_type.starts_with(kFhirJson)) return refusal;
  fhir::JsonTree tree;
  const auto root = tree.parse(refusal.body);
  if (!root || !(*root)["faults"].is(fhir::Json::Type::array)) return refusal;
  model::Issues issues;
  for (const fhir::Json fault : (*root)["faults"]) {
    model::add_issue(issues, {.severity = IssueSeverity::error,
                              .code = std::string(code_of(refusal.status)),
                              .path = std::string(fault.string("path")),
                              .words = std::string(fault.string("reason"))});
  }
  http::Response response = outcome_response(refusal.status, issues);
  response.headers = std::move(refusal.headers);
  return response;
}

model::Issues issues_of(const model::Faults& faults, ResourceType type) {
  model::Issues issues;
  const std::string path(fhir::to_string(type));
  for (model::Fault fault : faults) {
    // "/3/code": of a command of several.
    const std::size_t slash = fault.path.find('/', 1);
    if (fault.path.size() > 1 && std::isdigit(static_cast<unsigned char>(fault.path[1])) != 0) {
      fault.path.erase(0, std::min(slash, fault.path.size()));
    }
    for (model::Issue& issue : fhir::issues_of(type, path, {fault})) {
      const bool stranger =
          fault.path == "/subject" && fault.reason.find("not enrolled") != std::string::npos;
      if (stranger) issue.code = "subjectUnknown";
      model::add_issue(issues, std::move(issue));
    }
  }
  return issues;
}

model::Issues placed_at(const std::string& place, model::Issues issues) {
  for (model::Issue& issue : issues) {
    issue.path = place + issue.path.substr(std::min(issue.path.find('.'), issue.path.size()));
  }
  return issues;
}

http::Decision answer_read(ReadPool& reads, std::string name, ReadAnswer answer) {
  return http::Accepted{.handler = [&reads, name = std::move(name), answer = std::move(answer)](
                                       const std::shared_ptr<http::Exchange>& exchange) {
    reads.run(
        ReadClass::view, name, {},
        [exchange, answer](store::Connection& connection) {
          auto response = answer(connection);
          exchange->respond(response ? std::move(*response)
                                     : as_outcome(error_response(response.error())));
        },
        [exchange](std::string_view reason) {
          exchange->respond(as_outcome(busy_response(reason)));
        });
  }};
}

std::string location_of(const ResourceVersion& version) {
  return version.type + "/" + version.id + "/_history/" + std::to_string(version.version);
}

std::string etag_of(int version) { return "W/\"" + std::to_string(version) + "\""; }

http::Response with_version(http::Response response, const ResourceVersion& version) {
  const std::time_t seconds = version.updated_ms / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char date[64];
  const std::size_t size = std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return response.with("ETag", etag_of(version.version))
      .with("Last-Modified", std::string(date, size));
}

}  // namespace trialward::api
