#include "api/records_api.h"

#include "api/answers.h"
#include "api/decode.h"
#include "base/json_writer.h"

namespace trialward::api {
namespace {

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

http::Decision RecordsApi::post(const Call& call) {
  if (auto refusal = coding_refusal(call.head)) return std::move(*refusal);
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

http::Decision RecordsApi::post_one(const Call& call) {
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto admitted = admission_.admit(call, model::kRecordBytesMax, Admission::Urgency::unknown);
  if (!admitted) return std::move(admitted.error());
  // Shared, because a handler is copyable: it is called once.
  auto place = std::make_shared<Admission::Place>(std::move(*admitted));
  return http::Accepted{
      .body_bytes_max = model::kRecordBytesMax,
      .handler = [this, place, principal = call.principal,
                  study = call.study](const std::shared_ptr<http::Exchange>& exchange) {
        submit(*place, *principal, study, exchange);
      }};
}

void RecordsApi::submit(Admission::Place& place, const Principal& principal,
                        const StudyPointer& study,
                        const std::shared_ptr<http::Exchange>& exchange) {
  static thread_local model::RecordDecoder decoder;
  const http::Request& request = exchange->request();
  auto decoded = decode_for(principal, *study, decoder, request.body, clock_.utc_ms());
  if (!decoded.faults.empty()) {
    return exchange->respond(http::json_response(decoded.status, model::to_json(decoded.faults)));
  }
  const intake::Lane lane = lane_of(decoded.command.record, intake::Lane::live);
  if (auto refusal = Admission::settle(place, lane, request.body.size())) {
    return exchange->respond(std::move(*refusal));
  }
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
