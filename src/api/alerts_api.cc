#include "api/alerts_api.h"

#include <charconv>

#include "api/alert_body.h"
#include "api/decode.h"
#include "api/lists.h"
#include "store/alert_rows.h"

namespace trialward::api {
namespace {

using base::Result;

constexpr base::Duration kAnnotateDeadline = std::chrono::seconds(10);

// A walk through the alerts that a principal may see.
struct AlertWalk {
  store::AlertPage page;

  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto alerts = store::read_alerts(connection, page);
    if (!alerts) return alerts.error();
    return rows_of(*alerts, page, at_end);
  }
  void put_next(base::JsonWriter& json) const { json.member("next", page.after); }
};

// The id in the path; 0 for what is none.
std::int64_t alert_in(const Call& call) { return id_in(call.parameters.front()); }

http::Response no_alert(const Call& call) {
  return http::fault_response(404, "there is no alert '" + call.parameters.front() + "'");
}

model::AlertState state_after(model::AlertEventType type) {
  switch (type) {
    case model::AlertEventType::acknowledged:
      return model::AlertState::acknowledged;
    case model::AlertEventType::assessed:
      return model::AlertState::assessed;
    case model::AlertEventType::reopened:
      return model::AlertState::raised;
    default:
      return model::AlertState::closed;
  }
}

}  // namespace

http::Decision AlertsApi::list(const Call& call) {
  store::AlertPage page{.study = call.study->row,
                        .site = call.principal->site,
                        .status = std::string(call.query.get("status"))};
  if (!page.status.empty() && page.status != "open" && page.status != "acknowledged") {
    return http::fault_response(400, "status is 'open' or 'acknowledged'");
  }
  page.state = std::string(call.query.get("state"));
  if (!page.state.empty() && !model::parse_alert_state(page.state)) {
    return http::fault_response(
        400, "state is 'raised', 'delivered', 'acknowledged', 'assessed' or 'closed'");
  }
  if (!call.query.get("storm").empty()) {
    page.storm = number_in(call.query, "storm", 0, kIdMax);
    if (page.storm <= 0) return http::fault_response(400, "storm is not an alert's id");
  }
  if (const std::string_view wish = call.query.get("historical"); !wish.empty()) {
    if (wish != "true" && wish != "false") {
      return http::fault_response(400, "historical is 'true' or 'false'");
    }
    page.historical = wish == "true";
  }
  if (!call.query.get("after").empty()) {
    page.after = number_in(call.query, "after", 0, kIdMax);
    if (page.after <= 0) return http::fault_response(400, "after is not an alert's id");
  }
  return answer_list(call, {reads_, exports_}, "alerts", AlertWalk{std::move(page)});
}

http::Decision AlertsApi::one(const Call& call) {
  const std::int64_t alert = alert_in(call);
  if (alert == 0) return no_alert(call);
  const store::AlertPage page{.study = call.study->row,
                              .after = alert - 1,
                              .until = alert,
                              .site = call.principal->site,
                              .limit = 1};
  return http::Accepted{.handler = [this, page](std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "alerts.one", {},
        [exchange, page](store::Connection& connection) {
          auto alerts = store::read_alerts(connection, page);
          if (!alerts) return exchange->respond(error_response(alerts.error()));
          if (alerts->empty()) {
            return exchange->respond(
                http::fault_response(404, "there is no alert " + std::to_string(page.until)));
          }
          exchange->respond(http::json_response(200, model::to_json(alerts->front())));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision AlertsApi::history(const Call& call) {
  const std::int64_t alert = alert_in(call);
  if (alert == 0) return no_alert(call);
  const std::int64_t limit = number_in(call.query, "limit", kPageDefault, kPageMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 500");
  std::int64_t after = 0;
  if (!call.query.get("after").empty()) {
    after = number_in(call.query, "after", 0, kIdMax);
    if (after <= 0) return http::fault_response(400, "after is not an event's number");
  }
  return http::Accepted{.handler = [this, alert, after, rows = static_cast<std::size_t>(limit),
                                    study = call.study->row, site = call.principal->site](
                                       std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "alerts.history", {},
        [exchange, alert, after, rows, study, site](store::Connection& connection) {
          auto place = store::alert_site(connection, study, alert);
          if (!place) return exchange->respond(error_response(place.error()));
          if (!site.empty() && *place != site) {
            return exchange->respond(
                http::fault_response(404, "there is no alert " + std::to_string(alert)));
          }
          auto events = store::read_alert_history(connection, study, alert, after, rows);
          if (!events) return exchange->respond(error_response(events.error()));
          base::JsonWriter json;
          json.begin_object().key("events").begin_array();
          for (const model::AlertEvent& event : *events) json.raw(model::to_json(event));
          json.end_array();
          if (events->size() == rows) json.member("next", events->back().number);
          exchange->respond(http::json_response(200, json.end_object().take()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision AlertsApi::acknowledge(const Call& call) {
  return submit(call, model::AlertEventType::acknowledged,
                [](std::string_view body, std::int64_t alert,
                   model::AlertEventType) -> Result<intake::Command, model::Faults> {
                  auto command = parse_acknowledgement(body, alert);
                  if (!command) return command.error();
                  return intake::Command(std::move(*command));
                });
}

http::Decision AlertsApi::change(const Call& call, model::AlertEventType type) {
  return submit(call, type,
                [](std::string_view body, std::int64_t alert,
                   model::AlertEventType of) -> Result<intake::Command, model::Faults> {
                  auto command = parse_alert_change(body, alert, of);
                  if (!command) return command.error();
                  return intake::Command(std::move(*command));
                });
}

http::Decision AlertsApi::submit(const Call& call, model::AlertEventType type, Parse parse) {
  const std::int64_t alert = alert_in(call);
  if (alert == 0) return no_alert(call);
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto ticket = intake_.admit(intake::Lane::safety, kAlertBodyBytesMax,
                              flow_of(*call.principal, *call.study));
  if (!ticket) return refusal_response(ticket.error(), intake_.backlog(intake::Lane::safety));
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kAlertBodyBytesMax,
      .handler = [this, place, alert, type, parse, principal = call.principal,
                  study = call.study](std::shared_ptr<http::Exchange> exchange) {
        const http::Request& request = exchange->request();
        auto command = parse(request.body, alert, type);
        if (!command) {
          return exchange->respond(http::json_response(422, model::to_json(command.error())));
        }
        auto submission = submission_of(*principal, study, clock_, request.received);
        submission.commands.push_back(std::move(*command));
        intake_.submit(std::move(*place), std::move(submission),
                       request.received + kAnnotateDeadline,
                       [exchange, alert, type](const intake::SubmissionResult& result) {
                         if (result.verdict != intake::Verdict::stored) {
                           return exchange->respond(refusal_response(result));
                         }
                         const model::AlertState state = state_after(type);
                         const bool open = state == model::AlertState::raised;
                         base::JsonWriter json;
                         json.begin_object()
                             .member("id", alert)
                             .member("status", open ? "open" : "acknowledged")
                             .member("state", model::to_string(state))
                             .end_object();
                         exchange->respond(http::json_response(200, json.take()));
                       });
      }};
}

http::Decision AlertsApi::stream(const Call& call) {
  if (call.head.method == "HEAD") return head_of_stream("text/event-stream");
  const std::string* header = call.head.header("Last-Event-ID");
  const std::string_view text =
      header != nullptr ? std::string_view(*header) : call.query.get("after");
  AlertStreams::Wish wish{.principal = call.principal, .study = call.study->row};
  if (text.empty()) {
    wish.after = streams_.last_number(wish.study);
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wish.after);
    if (error != std::errc() || end != text.data() + text.size() || wish.after < 0) {
      return http::fault_response(400, "Last-Event-ID is not an event's number");
    }
  }
  return http::Accepted{.handler = [this, wish](std::shared_ptr<http::Exchange> exchange) {
    if (!streams_.subscribe(exchange, wish)) {
      exchange->respond(busy_response("too many subscribers listen already"));
    }
  }};
}

}  // namespace trialward::api
