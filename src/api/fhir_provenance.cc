#include "api/fhir_provenance.h"

#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/resource_rows.h"
#include "api/searchset.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::api {
namespace {

using base::Result;
using store::RecordRow;

std::string id_of_provenance(const ResourceKey& key, int version) {
  return std::string(fhir::to_string(key.type)) + "-" + key.id + "-" + std::to_string(version);
}

std::string provenance_of(const ResourceKey& key, const RecordRow& row, bool unblinded) {
  const model::StoredRecord& stored = row.stored;
  const ResourceVersion version{
      .type = std::string(fhir::to_string(key.type)), .id = key.id, .version = stored.version};
  base::JsonWriter json;
  json.begin_object().member("resourceType", "Provenance");
  json.member("id", id_of_provenance(key, stored.version));
  json.key("target").begin_array().begin_object();
  json.member("reference", location_of(version)).end_object().end_array();
  json.member("recorded", model::format_utc(stored.received_ms));
  const bool shown = unblinded || !model::tells_treatment(stored.record);
  if (shown && !stored.record.reason.empty()) {
    json.key("reason").begin_array().begin_object();
    json.member("text", stored.record.reason).end_object().end_array();
  }
  json.key("activity").begin_object().key("coding").begin_array().begin_object();
  json.member("system", "http://terminology.hl7.org/CodeSystem/v3-DataOperation");
  json.member("code", stored.version == 1 ? "CREATE" : "UPDATE");
  json.end_object().end_array().end_object();
  json.key("agent").begin_array().begin_object();
  json.key("who").begin_object().member("display", stored.actor).end_object().end_object();
  if (!stored.record.author.empty()) {
    json.begin_object().key("type").begin_object().member("text", "author").end_object();
    json.key("who").begin_object().member("display", stored.record.author);
    json.end_object().end_object();
  }
  return json.end_array().end_object().take();
}

// "Observation/17" or "Observation/17/_history/2".
std::optional<ResourceKey> key_in(std::int64_t study, std::string_view text, char separator) {
  const std::size_t slash = text.find(separator);
  const auto type = fhir::parse_resource_type(text.substr(0, slash));
  if (!type || slash == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(slash + 1);
  return ResourceKey{study, *type, std::string(rest.substr(0, rest.find('/')))};
}

}  // namespace

http::Decision FhirProvenance::search(const Call& call) {
  const auto key = key_in(call.study->row, call.query.get("target"), '/');
  if (!key) return outcome_response(400, "target names a resource, as in \"Observation/17\"");
  return answer_read(
      reads_, "fhir.provenance",
      [key = *key, principal = call.principal,
       base = fhir_base(call.head)](store::Connection& connection) -> Result<http::Response> {
        auto versions = read_versions(connection, key, *principal);
        if (!versions) return versions.error();
        Searchset bundle("searchset", base);
        bundle.begin();
        for (const RecordRow& row : *versions) {
          const std::string id = id_of_provenance(key, row.stored.version);
          bundle.entry("Provenance/" + id, provenance_of(key, row, principal->unblinded), "match")
              .end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirProvenance::one(const Call& call) {
  const std::string& id = call.parameters[0];
  const std::size_t dash = id.rfind('-');
  const std::int64_t version = id_in(id.substr(std::min(dash, id.size() - 1) + 1));
  const auto key = key_in(call.study->row, std::string_view(id).substr(0, dash), '-');
  const std::string none = "there is no Provenance/" + id;
  if (!key || version <= 0 || version > INT32_MAX) return outcome_response(404, none);
  return answer_read(reads_, "fhir.provenance",
                     [key = *key, version = static_cast<int>(version), principal = call.principal,
                      none](store::Connection& connection) -> Result<http::Response> {
                       auto row = read_version(connection, key, *principal, version);
                       if (!row) return row.error();
                       if (!*row) return outcome_response(404, none);
                       return fhir_response(200,
                                            provenance_of(key, **row, principal->unblinded));
                     });
}

}  // namespace trialward::api
