// FhirWrites::bundle: Bundles of type transaction (one submission) and batch (one for each entry).
#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <set>

#include "api/answers.h"
#include "api/decode.h"
#include "api/fhir_answers.h"
#include "api/fhir_bundle.h"
#include "api/fhir_request.h"
#include "base/json_writer.h"

namespace trialward::api {

using fhir::ResourceType;
using intake::CommandResult;
using intake::SubmissionResult;
using intake::Verdict;
using model::Issues;

namespace {

// An entry on its way.
struct Planned {
  BundleEntry entry;
  std::optional<FhirContent> content;
  std::optional<FhirRefusal> refusal;
  Prepared prepared;
  std::string id;           // of a Patient, or of what is corrected
  Correction correction;
  std::size_t command = 0;  // of a transaction: the index of its first
  std::size_t commands = 0;
  std::vector<Resolved::Place> places = {};  // where it refers to what gets its id with it
  std::string answer;  // its entry in the Bundle that answers

  // Whom it is about, once it is prepared.
  const std::string& subject() const {
    return std::get<intake::AppendRecord>(prepared.commands.front()).record.subject;
  }
  std::string resource_place() const { return entry.place + ".resource"; }
};

std::string entry_of_outcome(int status, const Issues& issues) {
  base::JsonWriter json;
  json.begin_object().key("response").begin_object();
  json.member("status", std::to_string(status) + " " + std::string(http::reason_phrase(status)));
  json.raw_member("outcome", outcome_response(status, issues).body);
  return json.end_object().end_object().take();
}

std::string entry_of_stored(const Planned& planned, const CommandResult& own,
                            std::int64_t received_ms) {
  ResourceVersion version{.type = std::string(fhir::to_string(planned.entry.type)),
                          .id = planned.id.empty() ? std::to_string(own.id) : planned.id,
                          .version = planned.correction.version,
                          .updated_ms = received_ms};
  const bool is_new = !own.repeated && version.version == 1;
  base::JsonWriter json;
  json.begin_object().key("response").begin_object();
  json.member("status", is_new ? "201 Created" : "200 OK");
  json.member("location", own.repeated && version.version == 1 ? version.type + "/" + version.id
                                                               : location_of(version));
  if (!own.repeated) {
    json.member("etag", etag_of(version.version));
    json.member("lastModified", model::format_utc(received_ms));
  }
  return json.end_object().end_object().take();
}

http::Response bundle_response(std::string_view type, const std::vector<Planned>& planned) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "Bundle").member("type", type);
  json.key("entry").begin_array();
  for (const Planned& one : planned) json.raw(one.answer);
  return fhir_response(200, json.end_array().end_object().take());
}

void decode(const FhirSender& sender, Planned& one) {
  static thread_local FhirDecoder decoder;
  if (!one.entry.issues.empty()) {
    one.refusal = FhirRefusal{400, one.entry.issues};
    return;
  }
  auto content = decoder.decode(sender, one.entry.resource, one.entry.type,
                                one.entry.is_put ? fhir::Intent::correct : fhir::Intent::create);
  if (content) {
    one.refusal = condition_fault(one.entry.if_none_exist, *content);
    one.content = std::move(*content);
  } else {
    one.refusal = FhirRefusal{content.error().status,
                              placed_at(one.resource_place(), content.error().issues)};
  }
}

// What the entries' fullUrls stand for. A Patient's id is in it; that of what is PUT in the URL;
// others get theirs when they are stored, and those of a batch each by itself.
References references_to(const std::vector<Planned>& planned, bool transaction) {
  References references;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const Planned& one = planned[i];
    const BundleEntry& entry = one.entry;
    if (entry.full_url.empty()) continue;
    BundleTarget target;
    if (entry.type == ResourceType::patient) {
      if (!one.id.empty()) target.text = "Patient/" + one.id;
    } else if (!entry.issues.empty()) {
      // It is refused.
    } else if (entry.is_put) {
      target.text = std::string(fhir::to_string(entry.type)) + "/" + entry.id;
    } else if (transaction) {
      target = {.text = {}, .entry = &entry, .index = i};
    }
    const auto [place, added] = references.emplace(entry.full_url, std::move(target));
    if (!added) place->second.ambiguous = true;
  }
  return references;
}

// Reads the entries' resources. Patients come first: what refers to one by its entry's fullUrl is
// about the subject that it is.
void decode_all(const FhirSender& sender, std::vector<Planned>& planned, bool transaction) {
  for (Planned& one : planned) {
    if (one.entry.type != ResourceType::patient) continue;
    decode(sender, one);
    if (one.content) one.id = one.content->resource.record.subject;
  }
  References references = references_to(planned, transaction);
  for (Planned& one : planned) {
    if (!one.entry.issues.empty()) {
      decode(sender, one);
      continue;
    }
    Resolved resolved = resolve_references(one.entry, references);
    one.places = std::move(resolved.places);
    if (!resolved.issues.empty()) {
      one.refusal = FhirRefusal{422, std::move(resolved.issues)};
      continue;
    }
    const bool is_read = one.entry.type == ResourceType::patient;
    if (is_read && resolved.text == one.entry.resource) continue;
    one.entry.resource = std::move(resolved.text);
    decode(sender, one);
  }
}

}  // namespace

// A Bundle on its way; its entries' answers are gathered by whoever has them.
struct FhirWrites::Transaction {
  std::shared_ptr<Request> request;
  bool transaction = false;
  std::vector<Planned> planned;
  std::atomic<std::size_t> open = 0;  // entries of a batch that are not answered yet

  void respond() {
    request->exchange->respond(
        bundle_response(transaction ? "transaction-response" : "batch-response", planned));
  }
  void answered() {
    if (--open == 0) respond();
  }
  // The refusal of the whole: that of its first entry at fault, with the issues of all.
  std::optional<FhirRefusal> refusal() const {
    std::optional<FhirRefusal> all;
    for (const Planned& one : planned) {
      if (!one.refusal) continue;
      if (!all) all = FhirRefusal{one.refusal->status, {}};
      model::add_issues(all->issues, one.refusal->issues);
    }
    return all;
  }
};

http::Decision FhirWrites::bundle(const Call& call) {
  return accept(call, kBundleBytesMax,
                [this](const std::shared_ptr<Request>& request) { take_bundle(request); });
}

void FhirWrites::take_bundle(const std::shared_ptr<Request>& request) {
  auto read = read_bundle(request->exchange->request().body);
  if (!read) return request->exchange->respond(outcome_response(400, read.error()));
  auto work = std::make_shared<Transaction>();
  work->request = request;
  work->transaction = read->transaction;
  bool has_update = false;
  for (BundleEntry& entry : read->entries) {
    has_update |= entry.is_put;
    work->planned.push_back({.entry = std::move(entry)});
  }
  decode_all(sender_of(*request), work->planned, work->transaction);
  if (!has_update) return carry_out(work);
  parts_.reads.run(
      ReadClass::view, "fhir.bundle", {},
      [this, work](store::Connection& connection) {
        for (Planned& one : work->planned) {
          if (one.refusal || !one.entry.is_put) continue;
          const FhirChange change{.if_match = one.entry.if_match,
                                  .reason = work->request->change.reason,
                                  .now_ms = parts_.clock.utc_ms()};
          const ResourceKey key{work->request->study->row, one.entry.type, one.entry.id};
          auto update = prepare_update(connection, sender_of(*work->request),
                                       std::move(*one.content), key, change);
          if (!update) {
            one.refusal = FhirRefusal{update.error().status,
                                      placed_at(one.resource_place(), update.error().issues)};
            continue;
          }
          one.prepared = std::move(update->prepared);
          one.id = update->id;
          one.correction = update->correction;
        }
        carry_out(work);
      },
      [request](std::string_view reason) {
        request->exchange->respond(as_outcome(busy_response(reason)));
      });
}

void FhirWrites::carry_out(const std::shared_ptr<Transaction>& work) {
  for (Planned& one : work->planned) {
    if (one.refusal) continue;
    if (!one.entry.is_put) {
      const std::string source_id = source_id_for(*one.content);
      one.prepared = prepare(sender_of(*work->request), std::move(*one.content), source_id, {},
                             parts_.clock.utc_ms());
      for (intake::Command& command : one.prepared.commands) {
        std::get<intake::AppendRecord>(command).if_none_exist = !one.entry.if_none_exist.empty();
      }
    }
    if (!one.prepared.issues.empty()) {
      one.refusal =
          FhirRefusal{422, placed_at(one.resource_place(), std::move(one.prepared.issues))};
    }
  }
  if (work->planned.empty()) return work->respond();
  work->transaction ? store_at_once(work) : store_each(work);
}

void FhirWrites::store_at_once(const std::shared_ptr<Transaction>& work) {
  Request& request = *work->request;
  if (const auto refusal = work->refusal()) return request.exchange->respond(refuse(*refusal));
  const http::Request& head = request.exchange->request();
  auto submission = submission_of(*request.principal, request.study, parts_.clock, head.received);
  for (Planned& one : work->planned) {
    one.command = submission.commands.size();
    one.commands = one.prepared.commands.size();
    std::move(one.prepared.commands.begin(), one.prepared.commands.end(),
              std::back_inserter(submission.commands));
  }
  if (submission.commands.size() > kTransactionRecordsMax) {
    return request.exchange->respond(outcome_response(
        422, model::one_error("tooMany", "Bundle.entry",
                              "a transaction becomes at most " +
                                  std::to_string(kTransactionRecordsMax) + " records, not " +
                                  std::to_string(submission.commands.size()))));
  }
  for (const Planned& one : work->planned) {
    auto& command = std::get<intake::AppendRecord>(submission.commands[one.command]);
    for (const Resolved::Place& place : one.places) {
      const Planned& target = work->planned[place.entry];
      command.links.push_back({.at = place.at,
                               .size = place.size,
                               .command = target.command,
                               .type = std::string(fhir::to_string(target.entry.type))});
    }
  }
  const bool urgent = std::any_of(work->planned.begin(), work->planned.end(), [](const auto& one) {
    return one.entry.type == ResourceType::adverse_event;
  });
  const intake::Lane lane = urgent ? intake::Lane::safety : intake::Lane::live;
  if (auto late = Admission::settle(*request.place, lane, head.body.size())) {
    return request.exchange->respond(as_outcome(std::move(*late)));
  }
  const std::int64_t received_ms = submission.received_ms;
  parts_.intake.submit(
      std::move(request.place->ticket), std::move(submission), head.received + options_.deadline,
      [work, received_ms](const SubmissionResult& result) {
        if (result.verdict == Verdict::stored) {
          for (Planned& one : work->planned) {
            one.answer = entry_of_stored(one, result.results[one.command], received_ms);
          }
          return work->respond();
        }
        work->request->exchange->respond(refuse_transaction(*work, result));
      });
}

http::Response FhirWrites::refuse_transaction(const Transaction& work,
                                              const SubmissionResult& result) {
  // "/12/code": of the entry that has the command.
  std::size_t index = 0;
  if (!result.faults.empty() && result.faults.front().path.starts_with('/')) {
    const std::string& path = result.faults.front().path;
    (void)std::from_chars(path.data() + 1, path.data() + path.size(), index);
  }
  for (const Planned& one : work.planned) {
    if (index < one.command || index >= one.command + one.commands) continue;
    return refuse(result, one.entry.type, one.correction, one.resource_place());
  }
  return refuse(result, ResourceType::observation, {});
}

namespace {

// What is stored in the lane for what is urgent: adverse events; and, so that they do not overtake
// them, the Patients that they are about: a lane keeps the order.
std::vector<intake::Lane> lanes_of(const std::vector<Planned>& planned) {
  std::set<std::string_view> urgent;
  for (const Planned& one : planned) {
    if (!one.refusal && one.entry.type == ResourceType::adverse_event) urgent.insert(one.subject());
  }
  std::vector<intake::Lane> lanes;
  for (const Planned& one : planned) {
    const bool first = !one.refusal && (one.entry.type == ResourceType::adverse_event ||
                                        (one.entry.type == ResourceType::patient &&
                                         urgent.contains(one.subject())));
    lanes.push_back(first ? intake::Lane::safety : intake::Lane::live);
  }
  return lanes;
}

}  // namespace

void FhirWrites::store_each(const std::shared_ptr<Transaction>& work) {
  Request& request = *work->request;
  const http::Request& head = request.exchange->request();
  const runtime::Flow flow = flow_of(*request.principal, *request.study);
  work->open = work->planned.size() + 1;
  const std::vector<intake::Lane> lanes = lanes_of(work->planned);
  // Of these subjects, in these lanes: what comes after builds on what was not taken.
  std::set<std::pair<intake::Lane, std::string>> throttled;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Planned& one = work->planned[i];
    if (one.refusal) {
      one.answer = entry_of_outcome(one.refusal->status, one.refusal->issues);
      work->answered();
      continue;
    }
    const intake::Lane lane = lanes[i];
    const std::pair whose(lane, one.subject());
    auto ticket = throttled.contains(whose)
                      ? base::Result<intake::Intake::Ticket, runtime::Refusal>(
                            runtime::Refusal::items_full)
                      : parts_.intake.admit(lane, one.entry.resource.size(), flow);
    if (!ticket) {
      throttled.insert(whose);
      const http::Response refusal = refusal_response(ticket.error(), parts_.intake.backlog(lane));
      one.answer = entry_of_outcome(refusal.status,
                                    {{model::IssueSeverity::error, "throttled", one.entry.place,
                                      "too much waits to be stored; try again"}});
      work->answered();
      continue;
    }
    auto submission = submission_of(*request.principal, request.study, parts_.clock, head.received);
    submission.commands = std::move(one.prepared.commands);
    const std::int64_t received_ms = submission.received_ms;
    parts_.intake.submit(
        std::move(*ticket), std::move(submission), head.received + options_.deadline,
        [work, &one, received_ms](const SubmissionResult& result) {
          if (result.verdict == Verdict::stored) {
            one.answer = entry_of_stored(one, result.results.front(), received_ms);
          } else {
            const int status = refuse(result, one.entry.type, one.correction).status;
            const model::Faults faults = faults_of(result, one.correction);
            one.answer = entry_of_outcome(
                status, placed_at(one.resource_place(), issues_of(faults, one.entry.type)));
          }
          work->answered();
        });
  }
  work->answered();
}

}  // namespace trialward::api
