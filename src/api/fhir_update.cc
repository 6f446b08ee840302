#include "api/fhir_update.h"

#include <map>

#include "api/lists.h"

namespace trialward::api {
namespace {

using base::Result;
using fhir::ResourceType;
using model::IssueSeverity;
using store::RecordRow;

FhirRefusal refusal(int status, std::string code, std::string words, std::string path = {}) {
  return {status, {{IssueSeverity::error, std::move(code), std::move(path), std::move(words)}}};
}

FhirRefusal refusal_of(const base::Error& error) {
  return refusal(error.code == base::Errc::corrupt ? 500 : 503, "transient", error.message);
}

// W/"2" → 2; 0 when it is none.
int version_in(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return 0;
  const std::int64_t version = id_in(etag.substr(1, etag.size() - 2));
  return version > INT32_MAX ? 0 : static_cast<int>(version);
}

// What is told of a part that the resource has no more.
model::Record withdrawn(const model::Record& record) {
  model::Record gone;
  gone.kind = record.kind;
  gone.code = record.code;
  gone.system = record.system;
  gone.value.not_done = "no longer part of the resource";
  return gone;
}

// Which records of the version before the new ones correct, in their order; parts that are gone
// are added, to be withdrawn.
base::Result<Amendment, FhirRefusal> amendment_of(store::Connection& connection,
                                                  const RecordRow& before,
                                                  const std::string& reason,
                                                  fhir::ResourceContent& resource) {
  auto parts = read_parts(connection, before);
  if (!parts) return refusal_of(parts.error());
  std::map<std::string, const RecordRow*> by_source_id;
  for (const RecordRow& part : *parts) by_source_id.emplace(part.stored.record.source_id, &part);
  const std::string& source_id = before.stored.record.source_id;
  Amendment amendment{.amended = {before.stored.id}, .reason = reason};
  for (const fhir::ResourcePart& part : resource.parts) {
    const auto found = by_source_id.find(part_source_id(source_id, part.name));
    amendment.amended.push_back(found != by_source_id.end() ? found->second->stored.id : 0);
    if (found != by_source_id.end()) by_source_id.erase(found);
  }
  for (const auto& [id, part] : by_source_id) {
    resource.parts.push_back({id.substr(source_id.size() + 1), withdrawn(part->stored.record)});
    amendment.amended.push_back(part->stored.id);
  }
  return amendment;
}

}  // namespace

base::Result<PreparedUpdate, FhirRefusal> prepare_update(store::Connection& connection,
                                                         const FhirSender& sender,
                                                         FhirContent content,
                                                         const ResourceKey& key,
                                                         const FhirChange& change) {
  const std::string place(fhir::to_string(key.type));
  if (content.resource.id != key.id) {
    return refusal(400, "invalidValue", "must be the id in the URL, '" + key.id + "'",
                   place + ".id");
  }
  auto newest = read_version(connection, key, sender.principal, kNewest);
  if (!newest) return refusal_of(newest.error());
  const std::string name = place + "/" + key.id;
  if (!*newest) {
    if (key.type != ResourceType::patient) {
      return refusal(404, "notFound", "there is no " + name + " for this token");
    }
    if (!change.if_match.empty()) {
      return refusal(412, "versionConflict", name + " has no version yet");
    }
    return PreparedUpdate{prepare(sender, std::move(content), name, {}, change.now_ms), key.id, {}};
  }
  if (change.if_match.empty()) {
    return refusal(428, "versionConflict",
                   "a correction must name the version that it corrects: If-Match: W/\"" +
                       std::to_string((*newest)->stored.version) + "\"");
  }
  if (change.reason.empty()) {
    return refusal(422, "reasonMissing",
                   "a correction needs a reason: the header X-Correction-Reason, or X-Provenance "
                   "with a Provenance that has one");
  }
  const int before = version_in(change.if_match);
  auto row = before == 0 ? Result<std::optional<RecordRow>>(std::nullopt)
                         : read_version(connection, key, sender.principal, before);
  if (!row) return refusal_of(row.error());
  if (!*row) return refusal(412, "versionConflict", name + " has no version " + change.if_match);
  auto amendment = amendment_of(connection, **row, change.reason, content.resource);
  if (!amendment) return amendment.error();
  // The same for a retry, which has its first answer again.
  const std::string source_id = name + "/" + std::to_string(before + 1);
  return PreparedUpdate{prepare(sender, std::move(content), source_id, *amendment, change.now_ms),
                        key.id,
                        {.version = before + 1, .newest = (*newest)->stored.version}};
}

}  // namespace trialward::api
