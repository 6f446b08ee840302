#include "api/alerts_api.h"

#include <simdjson.h>

#include <charconv>
#include <limits>

#include "api/answers.h"
#include "api/decode.h"
#include "api/reads_api.h"
#include "base/json_writer.h"
#include "store/alert_rows.h"

namespace trialward::api {
namespace {

using base::Result;

constexpr std::int64_t kPageDefault = 100;
constexpr std::int64_t kPageMax = 500;
constexpr std::size_t kExportRows = 200;
constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kNoteBytesMax = 16 << 10;
constexpr base::Duration kDeadline = std::chrono::seconds(10);

// {"note":"text"}: the text, which may not be empty; or what is wrong.
Result<std::string, model::Faults> parse_note(std::string_view body) {
  const auto fault = [](std::string path, std::string reason) {
    return model::Faults{{std::move(path), std::move(reason)}};
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(body)).get(object) != simdjson::SUCCESS) {
    return fault("", "expected a JSON object {\"note\":\"…\"}");
  }
  std::string note;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (key != "note") return fault("/" + std::string(key), "unknown member");
    if (value.get(text) != simdjson::SUCCESS) return fault("/note", "expected a text");
    note = std::string(text);
  }
  if (note.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fault("/note", "a note is needed: what was done about the alert");
  }
  return note;
}

}  // namespace

http::Decision AlertsApi::list(const Call& call) {
  store::AlertPage page{.study = call.study->row,
                        .site = call.principal->site,
                        .status = std::string(call.query.get("status"))};
  if (!page.status.empty() && page.status != "open" && page.status != "acknowledged") {
    return http::fault_response(400, "status is 'open' or 'acknowledged'");
  }
  if (!call.query.get("after").empty()) {
    page.after = number_in(call.query, "after", 0, kIdMax);
    if (page.after <= 0) return http::fault_response(400, "after is not an alert's id");
  }
  if (wants_ndjson(call.head)) {
    page.limit = kExportRows;
    return exports_.answer(call, "alerts.export",
                           [page](store::Connection& connection) mutable -> Result<Page> {
                             auto alerts = store::read_alerts(connection, page);
                             if (!alerts) return alerts.error();
                             Page text{.last = alerts->size() < page.limit};
                             for (const model::Alert& alert : *alerts) {
                               if (text.text.size() >= kPageBytes) {
                                 text.last = false;
                                 break;
                               }
                               text.text += model::to_json(alert) + "\n";
                               page.after = alert.id;
                             }
                             return text;
                           });
  }
  const std::int64_t limit = number_in(call.query, "limit", kPageDefault, kPageMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 500");
  page.limit = static_cast<std::size_t>(limit);
  return http::Accepted{.handler = [this, page](std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "alerts.page", {},
        [exchange, page](store::Connection& connection) {
          auto alerts = store::read_alerts(connection, page);
          if (!alerts) return exchange->respond(error_response(alerts.error()));
          base::JsonWriter json;
          json.begin_object().key("alerts").begin_array();
          for (const model::Alert& alert : *alerts) json.raw(model::to_json(alert));
          json.end_array();
          if (alerts->size() == page.limit) json.member("next", alerts->back().id);
          exchange->respond(http::json_response(200, json.end_object().take()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision AlertsApi::acknowledge(const Call& call) {
  const std::string& id = call.parameters.front();
  std::int64_t alert = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), alert);
  if (error != std::errc() || end != id.data() + id.size() || alert <= 0) {
    return http::fault_response(404, "there is no alert '" + id + "'");
  }
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto ticket = intake_.admit(intake::Lane::safety, kNoteBytesMax,
                              flow_of(*call.principal, *call.study));
  if (!ticket) return refusal_response(ticket.error(), intake_.backlog(intake::Lane::safety));
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kNoteBytesMax,
      .handler = [this, place, alert, principal = call.principal,
                  study = call.study](std::shared_ptr<http::Exchange> exchange) {
        const http::Request& request = exchange->request();
        auto note = parse_note(request.body);
        if (!note) {
          return exchange->respond(http::json_response(422, model::to_json(note.error())));
        }
        auto submission = submission_of(*principal, study, clock_, request.received);
        submission.commands.emplace_back(
            intake::AcknowledgeAlert{.alert = alert, .note = std::move(*note)});
        intake_.submit(std::move(*place), std::move(submission), request.received + kDeadline,
                       [exchange, alert](const intake::SubmissionResult& result) {
                         if (result.verdict != intake::Verdict::stored) {
                           return exchange->respond(refusal_response(result));
                         }
                         base::JsonWriter json;
                         json.begin_object()
                             .member("id", alert)
                             .member("status", "acknowledged")
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
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), wish.after);
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
