#include "api/records_api.h"

#include <algorithm>
#include <charconv>

#include "api/answers.h"
#include "api/decode.h"
#include "base/json_writer.h"

namespace trialward::api {
namespace {

std::string_view media_type(const http::Request& head) {
  const std::string* header = head.header("Content-Type");
  if (header == nullptr) return {};
  const std::string_view type = std::string_view(*header).substr(0, header->find(';'));
  return type.substr(0, type.find_last_not_of(' ') + 1);
}

// The bytes to reserve: what the head announces, else the most that a record may have.
std::size_t announced_bytes(const http::Request& head) {
  const std::string* header = head.header("Content-Length");
  std::size_t bytes = model::kRecordBytesMax;
  if (header != nullptr) {
    (void)std::from_chars(header->data(), header->data() + header->size(), bytes);
  }
  return std::min(bytes, model::kRecordBytesMax);
}

http::Response stored_response(const intake::CommandResult& result) {
  base::JsonWriter json;
  json.begin_object()
      .member("id", result.id)
      .member("status", result.repeated ? "repeated" : "stored")
      .key("alerts")
      .begin_array();
  for (const std::int64_t alert : result.alerts) json.value(alert);
  json.end_array();
  model::write_unusable(json, result.flags);
  json.end_object();
  return http::json_response(result.repeated ? 200 : 201, json.take());
}

}  // namespace

// A record's place in a lane while its body comes.
struct RecordsApi::Place {
  intake::Intake::Ticket ticket;
  TokenSlots::Slot body;
  TokenSlots::Slot doubtful_body = nullptr;
  // The answer to all but an adverse event, which is known for one when the body is here: live
  // records are refused at present. The place is then in the safety lane.
  std::optional<http::Response> unless_safety = std::nullopt;
};

http::Decision RecordsApi::post(const Call& call) {
  const std::string* coding = call.head.header("Content-Encoding");
  if (coding != nullptr && !http::equal_ignoring_case(*coding, "identity")) {
    return http::fault_response(415, "a body is taken as it is, not in the coding '" + *coding +
                                         "'")
        .with("Accept-Encoding", "identity");
  }
  const std::string_view type = media_type(call.head);
  if (http::equal_ignoring_case(type, kNdjson)) {
    return memory_.step() == runtime::MemoryStep::calm ? streams_.accept(call) : memory_response();
  }
  if (http::equal_ignoring_case(type, "application/json")) {
    if (!call.query.get("historical").empty()) {
      return http::fault_response(400, "historical data comes as application/x-ndjson");
    }
    return post_one(call);
  }
  return http::fault_response(415, "Content-Type must be application/json or application/x-ndjson");
}

base::Result<RecordsApi::Place, http::Response> RecordsApi::admit(const Call& call) {
  const std::int64_t token = call.principal->token;
  const std::size_t bytes = announced_bytes(call.head);
  const runtime::Flow flow = flow_of(*call.principal, *call.study);
  auto body = bodies_.take(token);
  if (body == nullptr) {
    return refusal_response(runtime::Refusal::share_full, intake_.backlog(intake::Lane::live));
  }
  http::Response refusal;
  if (memory_.step() == runtime::MemoryStep::scarce) {
    refusal = memory_response();
  } else {
    auto live = intake_.admit(intake::Lane::live, bytes, flow);
    if (live) return Place{.ticket = std::move(*live), .body = std::move(body)};
    refusal = refusal_response(live.error(), intake_.backlog(intake::Lane::live));
  }
  auto doubtful = doubtful_bodies_.take(token);
  if (doubtful == nullptr) return refusal;
  auto safety = intake_.admit(intake::Lane::safety, bytes, flow);
  if (!safety) return refusal;
  return Place{.ticket = std::move(*safety),
               .body = std::move(body),
               .doubtful_body = std::move(doubtful),
               .unless_safety = std::move(refusal)};
}

http::Decision RecordsApi::post_one(const Call& call) {
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto admitted = admit(call);
  if (!admitted) return std::move(admitted.error());
  // Shared, because a handler is copyable: it is called once.
  auto place = std::make_shared<Place>(std::move(*admitted));
  return http::Accepted{
      .body_bytes_max = model::kRecordBytesMax,
      .handler = [this, place, principal = call.principal,
                  study = call.study](const std::shared_ptr<http::Exchange>& exchange) {
        submit(*place, *principal, study, exchange);
      }};
}

void RecordsApi::submit(Place& place, const Principal& principal, const StudyPointer& study,
                        const std::shared_ptr<http::Exchange>& exchange) {
  static thread_local model::RecordDecoder decoder;
  place.body.reset();
  place.doubtful_body.reset();
  const http::Request& request = exchange->request();
  auto decoded = decode_for(principal, *study, decoder, request.body, clock_.utc_ms());
  if (!decoded.faults.empty()) {
    return exchange->respond(http::json_response(decoded.status, model::to_json(decoded.faults)));
  }
  const intake::Lane lane = lane_of(decoded.command.record, intake::Lane::live);
  if (place.unless_safety && lane != intake::Lane::safety) {
    return exchange->respond(std::move(*place.unless_safety));
  }
  // A full safety lane leaves it its place in the live one.
  (void)place.ticket.change(static_cast<std::size_t>(lane), request.body.size());
  auto submission = submission_of(principal, study, clock_, request.received);
  submission.commands.emplace_back(std::move(decoded.command));
  intake_.submit(std::move(place.ticket), std::move(submission),
                 request.received + options_.deadline,
                 [exchange](const intake::SubmissionResult& result) {
                   exchange->respond(result.verdict == intake::Verdict::stored
                                         ? stored_response(result.results.front())
                                         : refusal_response(result));
                 });
}

}  // namespace trialward::api
