#include "api/fhir_writes.h"

#include <algorithm>

#include "api/answers.h"
#include "api/decode.h"
#include "api/fhir_answers.h"
#include "api/fhir_request.h"
#include "fhir/resource_writer.h"
#include "ucum/unit.h"

namespace trialward::api {

using fhir::ResourceType;
using intake::CommandResult;
using intake::SubmissionResult;
using intake::Verdict;
using model::Issues;
using model::IssueSeverity;

namespace {

Returned preference(const http::Request& head) {
  const std::string* prefer = head.header("Prefer");
  if (prefer == nullptr) return Returned::nothing;
  if (prefer->find("return=representation") != std::string::npos) return Returned::resource;
  if (prefer->find("return=OperationOutcome") != std::string::npos) return Returned::outcome;
  return Returned::nothing;
}

std::string header_of(const http::Request& head, std::string_view name) {
  const std::string* value = head.header(name);
  return value != nullptr ? *value : std::string();
}

// X-Correction-Reason, or the reason of the Provenance in X-Provenance.
std::string reason_of(const http::Request& head) {
  std::string reason = header_of(head, "X-Correction-Reason");
  if (!reason.empty()) return reason;
  fhir::JsonTree tree;
  const auto root = tree.parse(header_of(head, "X-Provenance"));
  if (!root) return {};
  for (const fhir::Json one : (*root)["reason"]) {
    if (!one.string("text").empty()) return std::string(one.string("text"));
    for (const fhir::Json coding : one["coding"]) {
      const std::string_view display = coding.string("display");
      return std::string(display.empty() ? coding.string("code") : display);
    }
  }
  return {};
}

}  // namespace

std::optional<FhirRefusal> condition_fault(const std::string& condition,
                                           const FhirContent& content) {
  if (condition.empty()) return std::nullopt;
  const auto query =
      QueryMembers::parse(std::string_view(condition).substr(condition.starts_with('?') ? 1 : 0));
  const bool by_identifier =
      query && query->all().size() == 1 && query->all().front().first == "identifier";
  if (by_identifier && query->get("identifier") == content.resource.identifier) {
    return std::nullopt;
  }
  const std::string words = by_identifier
                                ? "the condition's identifier is not the resource's first, " +
                                      ucum::quoted(content.resource.identifier)
                                : "a condition for creating is about the resource's identifier: "
                                  "identifier=SYSTEM|VALUE";
  return FhirRefusal{400, {{IssueSeverity::error, "notSupported", "", words}}};
}

namespace {

// Adverse events go first.
intake::Lane lane_of_type(ResourceType type) {
  return type == ResourceType::adverse_event ? intake::Lane::safety : intake::Lane::live;
}

}  // namespace

http::Response refuse(const FhirRefusal& refusal) {
  return outcome_response(refusal.status, refusal.issues);
}

model::Faults faults_of(const SubmissionResult& result, const Correction& correction) {
  if (correction.version == 1 || !result.other_content) return result.faults;
  const int newest = std::max(correction.newest, correction.version);
  return {{result.faults.front().path,
           "version " + std::to_string(correction.version - 1) +
               ", which it would correct, is not the newest any more: that is version " +
               std::to_string(newest)}};
}

http::Response refuse(const SubmissionResult& result, ResourceType type,
                      const Correction& correction, const std::string& place) {
  const bool is_update = correction.version > 1;
  http::Response response = as_outcome(refusal_response(result));
  const bool of_content = result.verdict == Verdict::invalid ||
                          result.verdict == Verdict::conflict ||
                          result.verdict == Verdict::forbidden;
  if (!of_content) return response;
  Issues issues = issues_of(faults_of(result, correction), type);
  for (model::Issue& issue : issues) {
    if (result.verdict == Verdict::forbidden) issue.code = "forbidden";
    if (result.verdict == Verdict::conflict)
      issue.code = is_update ? "versionConflict" : "duplicate";
  }
  if (!place.empty()) issues = placed_at(place, std::move(issues));
  const bool late = result.verdict == Verdict::conflict && is_update;
  return outcome_response(late ? 412 : response.status, issues);
}

http::Decision FhirWrites::accept(const Call& call, std::size_t bytes_max, Handle handle,
                                  Purpose purpose) {
  if (parts_.intake.failed()) return busy_response("the store cannot be written");
  if (auto refusal = coding_refusal(call.head)) return std::move(*refusal);
  const std::string_view media = media_type(call.head);
  if (!http::equal_ignoring_case(media, kFhirJson) &&
      !http::equal_ignoring_case(media, "application/json")) {
    return outcome_response(415, "Content-Type must be application/fhir+json");
  }
  auto request = std::make_shared<Request>();
  request->principal = call.principal;
  request->study = call.study;
  request->returned = preference(call.head);
  request->change.reason = reason_of(call.head);
  if (!call.parameters.empty()) {
    const auto type = fhir::parse_resource_type(call.parameters[0]);
    if (!type) {
      return outcome_response(
          404, "resources of the type '" + call.parameters[0] + "' cannot be written here");
    }
    request->type = *type;
    request->if_none_exist = header_of(call.head, "If-None-Exist");
    request->change.if_match = header_of(call.head, "If-Match");
    request->key = {call.study->row, *type, call.parameters.size() > 1 ? call.parameters[1] : ""};
  }
  // An adverse event is one when its body says so; a Bundle may have some.
  const bool may_be_urgent =
      purpose == Purpose::store &&
      (call.parameters.empty() || request->type == ResourceType::adverse_event);
  const auto urgency = may_be_urgent ? Admission::Urgency::unknown : Admission::Urgency::live;
  auto place = parts_.admission.admit(call, bytes_max, urgency);
  if (!place) return as_outcome(std::move(place.error()));
  request->place = std::move(*place);
  return http::Accepted{
      .body_bytes_max = bytes_max,
      .handler = [request, handle = std::move(handle)](std::shared_ptr<http::Exchange> exchange) {
        request->exchange = std::move(exchange);
        handle(request);
      }};
}

FhirSender FhirWrites::sender_of(const Request& request) const {
  return {*request.principal, *request.study, *parts_.studies.at(request.study->row)};
}

std::string FhirWrites::new_source_id(ResourceType type) {
  std::array<std::byte, 16> bytes{};
  parts_.random.fill(bytes);
  return std::string(fhir::to_string(type)) + "/" +
         base::to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// What a new resource is stored under: by its identifier, so that it is stored once.
std::string FhirWrites::source_id_for(const FhirContent& content) {
  const ResourceType type = content.resource.type;
  if (type == ResourceType::patient) return "Patient/" + content.resource.record.subject;
  return content.resource.identifier.empty() ? new_source_id(type)
                                             : source_id_of(type, content.resource.identifier);
}

http::Decision FhirWrites::create(const Call& call) {
  return accept(call, kFhirBytesMax,
                [this](const std::shared_ptr<Request>& request) { create_one(request); });
}

http::Decision FhirWrites::update(const Call& call) {
  return accept(call, kFhirBytesMax,
                [this](const std::shared_ptr<Request>& request) { update_one(request); });
}

void FhirWrites::create_one(const std::shared_ptr<Request>& request) {
  static thread_local FhirDecoder decoder;
  const FhirSender sender = sender_of(*request);
  auto content = decoder.decode(sender, request->exchange->request().body, request->type);
  if (!content) return request->exchange->respond(refuse(content.error()));
  if (const auto fault = condition_fault(request->if_none_exist, *content)) {
    return request->exchange->respond(refuse(*fault));
  }
  const std::string source_id = source_id_for(*content);
  request->notes = std::move(content->notes);
  request->key.id = content->resource.record.subject;  // of a Patient; others get a number
  Prepared prepared = prepare(sender, std::move(*content), source_id, {}, parts_.clock.utc_ms());
  for (intake::Command& command : prepared.commands) {
    std::get<intake::AppendRecord>(command).if_none_exist = !request->if_none_exist.empty();
  }
  store(request, std::move(prepared));
}

void FhirWrites::update_one(const std::shared_ptr<Request>& request) {
  static thread_local FhirDecoder decoder;
  auto content = decoder.decode(sender_of(*request), request->exchange->request().body,
                                request->type, fhir::Intent::correct);
  if (!content) return request->exchange->respond(refuse(content.error()));
  request->notes = std::move(content->notes);
  // Shared, because what a pool is given is copyable.
  auto shared = std::make_shared<FhirContent>(std::move(*content));
  parts_.reads.run(
      ReadClass::view, "fhir.update", {},
      [this, request, shared](store::Connection& connection) {
        request->change.now_ms = parts_.clock.utc_ms();
        auto update = prepare_update(connection, sender_of(*request), std::move(*shared),
                                     request->key, request->change);
        if (!update) return request->exchange->respond(refuse(update.error()));
        request->correction = update->correction;
        store(request, std::move(update->prepared));
      },
      [request](std::string_view reason) {
        request->exchange->respond(as_outcome(busy_response(reason)));
      });
}

void FhirWrites::store(const std::shared_ptr<Request>& request, Prepared prepared) {
  const http::Request& head = request->exchange->request();
  if (!prepared.issues.empty()) {
    return request->exchange->respond(outcome_response(422, prepared.issues));
  }
  if (auto late =
          Admission::settle(*request->place, lane_of_type(request->type), head.body.size())) {
    return request->exchange->respond(as_outcome(std::move(*late)));
  }
  auto submission = submission_of(*request->principal, request->study, parts_.clock, head.received);
  submission.commands = std::move(prepared.commands);
  const std::int64_t received_ms = submission.received_ms;
  parts_.intake.submit(std::move(request->place->ticket), std::move(submission),
                       head.received + options_.deadline,
                       [this, request, received_ms](const SubmissionResult& result) {
                         answer(request, result, received_ms);
                       });
}

void FhirWrites::answer(const std::shared_ptr<Request>& request, const SubmissionResult& result,
                        std::int64_t received_ms) {
  const int written = request->correction.version;
  const bool is_update = written > 1;
  if (result.verdict != Verdict::stored) {
    return request->exchange->respond(refuse(result, request->type, request->correction));
  }
  const CommandResult& own = result.results.front();
  ResourceVersion version{.type = std::string(fhir::to_string(request->type)),
                          .id = request->key.id,
                          .version = written,
                          .updated_ms = received_ms};
  if (request->type != ResourceType::patient && !is_update) version.id = std::to_string(own.id);
  const int status = own.repeated || is_update ? 200 : 201;
  if (request->returned == Returned::resource) {
    return respond_with_resource(request, {request->study->row, request->type, version.id}, status);
  }
  http::Response response = request->returned == Returned::outcome
                                ? outcome_response(status, request->notes)
                                : http::Response{.status = status};
  // When what was there already was stored is not known here, nor what became of it since.
  if (!own.repeated) response = with_version(std::move(response), version);
  request->exchange->respond(std::move(response.with(
      "Location", "/fhir/" + (own.repeated && !is_update ? version.type + "/" + version.id
                                                         : location_of(version)))));
}

void FhirWrites::respond_with_resource(const std::shared_ptr<Request>& request, ResourceKey key,
                                       int status) {
  parts_.reads.run(
      ReadClass::view, "fhir.written", {},
      [request, key, status](store::Connection& connection) {
        auto row = read_version(connection, key, *request->principal, kNewest);
        if (!row || !*row) {
          // It is stored: that it cannot be read again is no reason to say otherwise.
          return request->exchange->respond(http::Response{.status = status}.with(
              "Location", "/fhir/" + std::string(fhir::to_string(key.type)) + "/" + key.id));
        }
        const model::StoredRecord& stored = (*row)->stored;
        const ResourceVersion version{.type = std::string(fhir::to_string(key.type)),
                                      .id = key.id,
                                      .version = stored.version,
                                      .updated_ms = stored.received_ms};
        request->exchange->respond(
            with_version(fhir_response(status, fhir::to_resource(*request->study->study, stored,
                                                                 request->principal->unblinded)),
                         version)
                .with("Location", "/fhir/" + location_of(version)));
      },
      [request, status](std::string_view) {
        request->exchange->respond(http::Response{.status = status});
      });
}

http::Decision FhirWrites::validate(const Call& call) {
  return accept(
      call, kFhirBytesMax,
      [this](const std::shared_ptr<Request>& request) { validate_one(request); }, Purpose::look);
}

void FhirWrites::validate_one(const std::shared_ptr<Request>& request) {
  static thread_local FhirDecoder decoder;
  http::Exchange& exchange = *request->exchange;
  const FhirSender sender = sender_of(*request);
  auto content = decoder.decode(sender, exchange.request().body, request->type);
  request->place.reset();
  if (!content) return exchange.respond(outcome_response(200, content.error().issues));
  Issues issues = std::move(content->notes);
  const std::string source_id = source_id_for(*content);
  Prepared prepared = prepare(sender, std::move(*content), source_id, {}, parts_.clock.utc_ms());
  model::add_issues(issues, std::move(prepared.issues));
  for (const intake::Command& command : prepared.commands) {
    model::add_issues(
        issues, issues_of(std::get<intake::AppendRecord>(command).faults, request->type));
  }
  exchange.respond(outcome_response(200, issues));
}

}  // namespace trialward::api
