#include "api/fhir_reads.h"

#include <set>

#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/searchset.h"
#include "base/json_writer.h"
#include "fhir/resource_writer.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using fhir::ResourceType;
using store::RecordRow;

constexpr std::string_view kQuestionnaire = "Questionnaire";

ResourceVersion version_of(const RecordRow& row, ResourceType type) {
  return {.type = std::string(fhir::to_string(type)),
          .id = fhir::id_of(row.stored, type),
          .version = row.stored.version,
          .updated_ms = row.stored.received_ms};
}

http::Response resource_response(const model::Study& study, const RecordRow& row, ResourceType type,
                                 bool unblinded) {
  return with_version(fhir_response(200, fhir::to_resource(study, row.stored, unblinded)),
                      version_of(row, type));
}

http::Response no_such(std::string_view type, std::string_view id) {
  return outcome_response(
      404, "there is no " + std::string(type) + "/" + std::string(id) + " for this token");
}

// The subject as a Patient: as it came, else as its demographics tell of it, else that it is there.
Result<std::string> patient_of(store::Connection& connection, const intake::ActiveStudy& study,
                               const Principal& principal, const std::string& subject) {
  auto row =
      read_version(connection, {study.row, ResourceType::patient, subject}, principal, kNewest);
  if (!row) return row.error();
  if (*row) return fhir::to_resource(*study.study, (*row)->stored, principal.unblinded);
  auto demographics = read_demographics(connection, study.row, subject, principal);
  if (!demographics) return demographics.error();
  if (*demographics) return fhir::to_patient(*study.study, (*demographics)->stored);
  base::JsonWriter json;
  return json.begin_object()
      .member("resourceType", "Patient")
      .member("id", subject)
      .end_object()
      .take();
}

std::optional<std::string> form_filter_fault(const QueryMembers& query) {
  for (const auto& [name, value] : query.all()) {
    if (name != "url" && name != "version" && name != "_id" && name != "_format") return name;
  }
  return std::nullopt;
}

// The resource under the id that it has here.
std::string form_json(const StudyForm& form) {
  const fhir::Json root = form.reader.root();
  base::JsonWriter json;
  json.begin_object().member("resourceType", kQuestionnaire).member("id", form.id);
  for (const fhir::Json member : root) {
    if (member.name() != "resourceType" && member.name() != "id") {
      json.raw_member(member.name(), member.raw());
    }
  }
  return json.end_object().take();
}

}  // namespace

http::Decision FhirReads::questionnaire(const Call& call) {
  const StudyForm* form = studies_.at(call.study->row)->by_id(call.parameters[1]);
  if (form == nullptr) return no_such(kQuestionnaire, call.parameters[1]);
  return answer_now([form] { return fhir_response(200, form_json(*form)); });
}

http::Decision FhirReads::read(const Call& call) {
  if (call.parameters[0] == kQuestionnaire) return questionnaire(call);
  return one(call, kNewest);
}

http::Decision FhirReads::version(const Call& call) {
  const std::int64_t version = id_in(call.parameters[2]);
  if (version == 0 || version > INT32_MAX) return no_such(call.parameters[0], call.parameters[1]);
  return one(call, static_cast<int>(version));
}

http::Decision FhirReads::one(const Call& call, int version) {
  const auto type = fhir::parse_resource_type(call.parameters[0]);
  if (!type) return outcome_response(404, "there are no resources of this type");
  const ResourceKey key{call.study->row, *type, call.parameters[1]};
  const std::string* known = call.head.header("If-None-Match");
  return answer_read(
      reads_, "fhir.read",
      [key, version, principal = call.principal, study = call.study,
       known = known != nullptr ? *known : std::string()](
          store::Connection& connection) -> Result<http::Response> {
        auto row = read_version(connection, key, *principal, version);
        if (!row) return row.error();
        if (*row) {
          if (known == etag_of((*row)->stored.version)) {
            return with_version(http::Response{.status = 304}, version_of(**row, key.type));
          }
          return resource_response(*study->study, **row, key.type, principal->unblinded);
        }
        if (key.type == ResourceType::patient && version == kNewest) {
          auto subject = store::find_subject(connection, key.study, key.id);
          if (!subject) return subject.error();
          const bool shown = *subject &&
                             (principal->site.empty() || principal->site == (*subject)->site) &&
                             (principal->subject.empty() || principal->subject == key.id);
          if (shown) {
            auto patient = patient_of(connection, *study, *principal, key.id);
            if (!patient) return patient.error();
            return fhir_response(200, std::move(*patient));
          }
        }
        return no_such(fhir::to_string(key.type), key.id);
      });
}

http::Decision FhirReads::history(const Call& call) {
  const auto type = fhir::parse_resource_type(call.parameters[0]);
  if (!type) return outcome_response(404, "there are no resources of this type");
  const ResourceKey key{call.study->row, *type, call.parameters[1]};
  return answer_read(
      reads_, "fhir.history",
      [key, principal = call.principal, study = call.study,
       base = fhir_base(call.head)](store::Connection& connection) -> Result<http::Response> {
        auto rows = read_versions(connection, key, *principal);
        if (!rows) return rows.error();
        if (rows->empty()) return no_such(fhir::to_string(key.type), key.id);
        Searchset bundle("history", base);
        bundle.begin();
        for (const RecordRow& row : *rows) {
          const ResourceVersion version = version_of(row, key.type);
          const std::string place = version.type + "/" + version.id;
          auto& json = bundle.entry(
              place, fhir::to_resource(*study->study, row.stored, principal->unblinded), "");
          const bool first = version.version == 1;
          json.key("request").begin_object().member("method", first ? "POST" : "PUT");
          json.member("url", first ? version.type : place).end_object();
          json.key("response").begin_object().member("status", first ? "201" : "200");
          json.member("etag", etag_of(version.version));
          json.member("lastModified", model::format_utc(version.updated_ms))
              .end_object()
              .end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirReads::search_forms(const Call& call) {
  if (const auto unknown = form_filter_fault(call.query)) {
    return outcome_response(
        400, "a Questionnaire is searched by url, version and _id, not by '" + *unknown + "'");
  }
  return answer_now(
      [forms = studies_.at(call.study->row), query = call.query, base = fhir_base(call.head)] {
        Searchset bundle("searchset", base);
        bundle.begin();
        for (const auto& form : forms->all()) {
          const model::Questionnaire& one = form->form.questionnaire;
          const auto fits = [&](std::string_view name, std::string_view value) {
            return query.get(name).empty() || query.get(name) == value;
          };
          if (!fits("url", one.url) || !fits("version", one.version) || !fits("_id", form->id)) {
            continue;
          }
          bundle.entry("Questionnaire/" + form->id, form_json(*form), "match").end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirReads::search(const Call& call) {
  if (call.parameters[0] == kQuestionnaire) return search_forms(call);
  const auto type = fhir::parse_resource_type(call.parameters[0]);
  if (!type) return outcome_response(404, "there are no resources of this type");
  auto search = FhirSearch::parse(*type, call.query, call.principal->subject);
  if (!search) return outcome_response(400, search.error());
  // Call holds the head by reference: what is needed later is copied.
  return answer_read(
      reads_, "fhir.search",
      [search = std::move(*search), type = *type, principal = call.principal, study = call.study,
       base = fhir_base(call.head)](store::Connection& connection) -> Result<http::Response> {
        auto page = search.run(connection, *study->study, study->row, *principal);
        if (!page) return page.error();
        const std::string name(fhir::to_string(type));
        Searchset bundle("searchset", base);
        bundle.link_pages(name, search.query(), page->cursor);
        bundle.begin();
        std::set<std::string> subjects;
        for (const RecordRow& row : page->rows) {
          const std::string resource =
              fhir::to_resource(*study->study, row.stored, principal->unblinded);
          bundle.entry(name + "/" + fhir::id_of(row.stored, type), resource, "match").end_object();
          if (search.includes_subject()) subjects.insert(row.stored.record.subject);
        }
        for (const std::string& subject : subjects) {
          auto patient = patient_of(connection, *study, *principal, subject);
          if (!patient) return patient.error();
          bundle.entry("Patient/" + subject, *patient, "include").end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

}  // namespace trialward::api
