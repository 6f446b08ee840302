#include "api/deliveries_api.h"

#include <simdjson.h>

#include "api/decode.h"
#include "api/lists.h"

namespace trialward::api {
namespace {

using base::Result;

constexpr std::size_t kReasonBytesMax = 16 << 10;
constexpr base::Duration kResendDeadline = std::chrono::seconds(10);

// A walk through the deliveries that a principal may see.
struct DeliveryWalk {
  store::DeliveryPage page;

  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto rows = store::read_deliveries(connection, page);
    if (!rows) return rows.error();
    return rows_of(*rows, page, at_end);
  }
  void put_next(base::JsonWriter& json) const { json.member("next", page.after); }
};

// {"reason":"text"}: the text, which may not be empty; or what is wrong.
Result<std::string, model::Faults> parse_reason(std::string_view body) {
  const auto fault = [](std::string path, std::string reason) {
    return model::Faults{{std::move(path), std::move(reason)}};
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(body)).get(object) != simdjson::SUCCESS) {
    return fault("", "expected a JSON object {\"reason\":\"…\"}");
  }
  std::string reason;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (key != "reason") return fault("/" + std::string(key), "unknown member");
    if (value.get(text) != simdjson::SUCCESS) return fault("/reason", "expected a text");
    reason = std::string(text);
  }
  if (reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fault("/reason", "a reason is needed: it stands in the audit trail");
  }
  return reason;
}

}  // namespace

http::Decision DeliveriesApi::list(const Call& call) {
  DeliveryWalk walk;
  walk.page = {.study = call.study->row,
               .site = call.principal->site,
               .target = std::string(call.query.get("target"))};
  if (const std::string_view status = call.query.get("status"); !status.empty()) {
    walk.page.state = store::parse_delivery_state(status);
    if (!walk.page.state) {
      return http::fault_response(400, "status is pending, delivered, dead or discarded");
    }
  }
  for (const auto& [name, into] :
       {std::pair{"after", &walk.page.after}, {"alert", &walk.page.alert}}) {
    if (call.query.get(name).empty()) continue;
    *into = number_in(call.query, name, 0, kIdMax);
    if (*into <= 0) return http::fault_response(400, std::string(name) + " is not an id");
  }
  return answer_list(call, {reads_, exports_}, "deliveries", walk);
}

http::Decision DeliveriesApi::change(const Call& call, store::DeliveryChange change) {
  const std::int64_t delivery = id_in(call.parameters.front());
  if (delivery == 0) {
    return http::fault_response(404, "there is no delivery '" + call.parameters.front() + "'");
  }
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto ticket =
      intake_.admit(intake::Lane::safety, kReasonBytesMax, flow_of(*call.principal, *call.study));
  if (!ticket) return refusal_response(ticket.error(), intake_.backlog(intake::Lane::safety));
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kReasonBytesMax,
      .handler = [this, place, delivery, change, principal = call.principal,
                  study = call.study](std::shared_ptr<http::Exchange> exchange) {
        const http::Request& request = exchange->request();
        auto reason = parse_reason(request.body);
        if (!reason) {
          return exchange->respond(http::json_response(422, model::to_json(reason.error())));
        }
        auto submission = submission_of(*principal, study, clock_, request.received);
        submission.commands.emplace_back(intake::ChangeDelivery{
            .delivery = delivery, .change = change, .reason = std::move(*reason)});
        intake_.submit(std::move(*place), std::move(submission), request.received + kResendDeadline,
                       [this, exchange, delivery, change](const intake::SubmissionResult& result) {
                         if (result.verdict != intake::Verdict::stored) {
                           return exchange->respond(refusal_response(result));
                         }
                         const bool resend = change == store::DeliveryChange::resend;
                         if (resend) resent_(delivery);
                         base::JsonWriter json;
                         json.begin_object()
                             .member("id", delivery)
                             .member("status", resend ? "pending" : "discarded")
                             .end_object();
                         exchange->respond(http::json_response(200, json.take()));
                       });
      }};
}

}  // namespace trialward::api
