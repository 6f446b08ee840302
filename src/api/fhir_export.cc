#include "api/fhir_export.h"

#include <algorithm>
#include <optional>

#include "api/answers.h"
#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/resource_rows.h"
#include "api/searchset.h"
#include "base/json_writer.h"
#include "fhir/resource_writer.h"
#include "fhir/search_text.h"
#include "model/effective_time.h"
#include "store/record_rows.h"

namespace trialward::api {
namespace {

using base::Result;
using fhir::ResourceType;

constexpr std::size_t kFilesRows = 64;  // read at a time: each may have a large original
constexpr std::string_view kFhirNdjson = "application/fhir+ndjson";

// The types that are asked for; none of them when one is not known.
std::vector<ResourceType> types_in(std::string_view text) {
  std::vector<ResourceType> types;
  if (text.empty()) {
    for (std::size_t i = 0; i < fhir::kResourceTypes; ++i) {
      types.push_back(static_cast<ResourceType>(i));
    }
    return types;
  }
  for (const std::string_view name : fhir::split_commas(text)) {
    const auto type = fhir::parse_resource_type(name);
    if (!type) return {};
    types.push_back(*type);
  }
  return types;
}

// A walk through the newest versions of one type's resources.
struct ResourceWalk {
  StudyPointer study;
  std::shared_ptr<const Principal> principal;
  ResourceType type = ResourceType::observation;
  std::int64_t since_ms = 0;
  store::RecordPage page;

  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto rows = store::read_page(connection, page);
    if (!rows) return rows.error();
    at_end = rows->size() < page.limit;
    std::vector<std::string> lines;
    std::size_t bytes = 0;
    for (store::RecordRow& row : *rows) {
      if (bytes >= kPageBytes) {
        at_end = false;
        break;
      }
      page.after_id = row.stored.id;
      const model::StoredRecord& stored = row.stored;
      const bool left_out = stored.amended_by != 0 || stored.received_ms < since_ms ||
                            (stored.flags & model::kUnfit) != 0 || fhir::type_of(stored) != type;
      if (left_out) continue;
      auto shown = is_version_shown(connection, *principal, row.stored);
      if (!shown) return shown.error();
      if (!*shown) continue;
      lines.push_back(fhir::to_resource(*study->study, stored, principal->unblinded));
      bytes += lines.back().size();
    }
    return lines;
  }
};

// "until=…&since=…", of what an export is about.
std::string scope_of(const QueryMembers& query) {
  return "until=" + percent_encode(query.get("until")) +
         "&since=" + percent_encode(query.get("since"));
}

}  // namespace

http::Decision FhirExport::begin(const Call& call) {
  const std::string_view format = call.query.get("_outputFormat");
  if (!format.empty() && format.find("ndjson") == std::string_view::npos) {
    return outcome_response(400, "_outputFormat: an export is application/fhir+ndjson");
  }
  if (types_in(call.query.get("_type")).empty()) {
    return outcome_response(400, "_type names a type of resource that is not exported");
  }
  std::int64_t since_ms = 0;
  if (const std::string_view since = call.query.get("_since"); !since.empty()) {
    const auto instant = model::parse_instant(since);
    if (!instant) return outcome_response(400, "_since is no instant with an offset");
    since_ms = *instant;
  }
  const std::string* prefer = call.head.header("Prefer");
  if (prefer == nullptr || prefer->find("respond-async") == std::string::npos) {
    return outcome_response(400, "an export is asked for with Prefer: respond-async");
  }
  const std::string status =
      fhir_base(call.head) + "/$export-status?_type=" + percent_encode(call.query.get("_type")) +
      "&since=" + std::to_string(since_ms) + "&at=" + std::to_string(clock_.utc_ms()) + "&until=";
  return http::Accepted{.handler = [this, status](const std::shared_ptr<http::Exchange>& exchange) {
    reads_.run(
        ReadClass::exports, "fhir.export", {},
        [exchange, status](store::Connection& connection) {
          const auto last = store::last_record(connection);
          if (!last) return exchange->respond(as_outcome(error_response(last.error())));
          exchange->respond(http::Response{.status = 202}.with("Content-Location",
                                                               status + std::to_string(*last)));
        },
        [exchange](std::string_view reason) {
          exchange->respond(as_outcome(busy_response(reason)));
        });
  }};
}

http::Decision FhirExport::status(const Call& call) {
  const auto types = types_in(call.query.get("_type"));
  const std::int64_t at_ms = id_in(call.query.get("at"));
  const std::string scope = scope_of(call.query);
  if (types.empty() || at_ms == 0) return outcome_response(404, "there is no such export");
  return answer_now([types, at_ms, scope, base = fhir_base(call.head)] {
    base::JsonWriter json;
    json.begin_object().member("transactionTime", model::format_utc(at_ms));
    json.member("request", base + "/$export").member("requiresAccessToken", true);
    json.key("output").begin_array();
    for (const ResourceType type : types) {
      const std::string name(fhir::to_string(type));
      json.begin_object().member("type", name);
      json.member("url", base + "/$export-file?_type=" + name + "&" + scope).end_object();
    }
    json.end_array().key("error").begin_array().end_array();
    return http::json_response(200, json.end_object().take());
  });
}

http::Decision FhirExport::cancel(const Call&) {
  return answer_now([] { return http::Response{.status = 202}; });
}

http::Decision FhirExport::file(const Call& call) {
  const auto type = fhir::parse_resource_type(call.query.get("_type"));
  const std::int64_t until = id_in(call.query.get("until"));
  const std::string_view since = call.query.get("since");
  const bool whole = since == "0" || id_in(since) != 0;
  if (!type || !whole) return outcome_response(404, "there is no such file");
  ResourceWalk walk{
      .study = call.study, .principal = call.principal, .type = *type, .since_ms = id_in(since)};
  walk.page.study = call.study->row;
  walk.page.until_id = until;
  walk.page.limit = kFilesRows;
  return exports_.answer(call, "fhir.export", lines_of(walk), kFhirNdjson);
}

}  // namespace trialward::api
