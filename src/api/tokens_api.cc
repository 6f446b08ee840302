#include "api/tokens_api.h"

#include <simdjson.h>

#include <charconv>
#include <limits>

#include "api/answers.h"
#include "api/decode.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "base/milliseconds.h"
#include "model/decode_record.h"
#include "model/effective_time.h"

namespace trialward::api {
namespace {

using base::kDayMs;
constexpr std::size_t kWishBytesMax = 4 << 10;
constexpr std::size_t kTicketBytes = 4 << 10;
constexpr std::int64_t kDaysMax = 3650;
constexpr base::Duration kTokenDeadline = std::chrono::seconds(10);

// Reads one member of a wish into `row`; the fault's reason, or "".
std::string read_member(std::string_view key, simdjson::dom::element value, std::int64_t now_ms,
                        store::TokenRow& row) {
  if (key == "unblinded") {
    return value.get(row.unblinded) == simdjson::SUCCESS ? "" : "expected true or false";
  }
  if (key == "expires_days") {
    std::int64_t days = 0;
    if (value.get(days) != simdjson::SUCCESS || days < 1 || days > kDaysMax) {
      return "expected a number of days from 1 to 3650";
    }
    row.expires_ms = now_ms + days * kDayMs;
    return "";
  }
  std::string* text = key == "role"      ? &row.role
                      : key == "name"    ? &row.name
                      : key == "site"    ? &row.site
                      : key == "subject" ? &row.subject
                      : key == "source"  ? &row.source
                                         : nullptr;
  if (text == nullptr) return "unknown member";
  std::string_view view;
  if (value.get(view) != simdjson::SUCCESS || view.empty() || view.size() > model::kIdCharsMax) {
    return "expected a text of 1 to 128 characters";
  }
  *text = std::string(view);
  return "";
}

// Whether a token of this site and source is its business.
bool may_see(const Principal& maker, std::string_view site, std::string_view source) {
  return (maker.site.empty() || maker.site == site) &&
         (maker.source.empty() || maker.source == source);
}

// A token makes none that may do more than it may itself. A feed's is told whether what it sends is
// what is stored already, also of a blinded record.
model::Faults bind_to_maker(const Principal& maker, store::TokenRow& row) {
  model::Faults faults;
  const bool blinded = !maker.unblinded && maker.token != 0;
  if (blinded && row.unblinded) {
    faults.push_back({"/unblinded",
                      "an unblinded token is made on the server's own machine, or "
                      "by an unblinded one"});
  }
  if (blinded && row.role == to_string(Role::feed)) {
    faults.push_back({"/role",
                      "a feed's token is made on the server's own machine, or by an "
                      "unblinded one"});
  }
  if (!maker.site.empty() && row.site != maker.site) {
    faults.push_back({"/site", "this token may only make tokens of its own site"});
  }
  if (!maker.source.empty() && row.source != maker.source) {
    faults.push_back({"/source", "this token may only make tokens of its own source"});
  }
  if (maker.expires_ms) {
    if (!row.expires_ms) row.expires_ms = maker.expires_ms;
    if (*row.expires_ms > *maker.expires_ms) {
      faults.push_back({"/expires_days", "this token expires before that itself"});
    }
  }
  return faults;
}

// A walk through the tokens of a study that an administrator may see.
struct TokenWalk {
  std::int64_t study = 0;
  std::string site, source;  // the administrator's
  std::int64_t after = 0;
  std::int64_t limit = 0;

  // Those of the next page. `at_end` when there are none behind it.
  base::Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto rows = store::read_tokens(connection,
                                   {.study = study, .site = site, .after = after, .limit = limit});
    if (!rows) return rows.error();
    at_end = std::ssize(*rows) < limit;
    std::vector<std::string> tokens;
    for (const store::TokenRow& row : *rows) {
      if (source.empty() || row.source == source) tokens.push_back(token_json(row));
    }
    if (!rows->empty()) after = rows->back().id;
    return tokens;
  }
};

}  // namespace

std::string token_json(const store::TokenRow& row) {
  base::JsonWriter json;
  json.begin_object()
      .member("id", row.id)
      .member("role", row.role)
      .member_if("name", row.name)
      .member_if("site", row.site)
      .member_if("subject", row.subject)
      .member_if("source", row.source)
      .member("unblinded", row.unblinded)
      .member("created", model::format_utc(row.created_ms));
  if (row.expires_ms) json.member("expires", model::format_utc(*row.expires_ms));
  return json.member("revoked", row.revoked).end_object().take();
}

base::Result<store::TokenRow, model::Faults> parse_token_wish(std::string_view json,
                                                              const intake::ActiveStudy& study,
                                                              std::int64_t now_ms) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(json)).get(object) != simdjson::SUCCESS) {
    return model::Faults{{"", "expected a JSON object with the member role"}};
  }
  store::TokenRow row{.study = study.row, .created_ms = now_ms};
  model::Faults faults;
  for (const auto& [key, value] : object) {
    std::string reason = read_member(key, value, now_ms, row);
    if (!reason.empty()) faults.push_back({"/" + std::string(key), std::move(reason)});
  }
  const auto role = parse_role(row.role);
  if (!role || *role == Role::invitation) {
    faults.push_back({"/role", "'" + row.role + "' is not a role; expected one of " + role_list()});
  } else if (*role == Role::patient && row.subject.empty()) {
    faults.push_back({"/subject", "a patient's token names its subject"});
  } else if (*role != Role::patient && !row.subject.empty()) {
    faults.push_back({"/subject", "only a patient's token names a subject"});
  }
  if (!row.subject.empty() && !study.study->subject_id_fits(row.subject)) {
    faults.push_back({"/subject", "'" + row.subject + "' is not a subject id of the study"});
  }
  if (!row.site.empty() && study.study->site(row.site) == nullptr) {
    faults.push_back({"/site", "'" + row.site + "' is not a site of the study"});
  }
  if (!row.name.empty() && row.name.find_first_not_of("0123456789") == std::string::npos) {
    faults.push_back({"/name", "a name of digits alone is taken for a token's number"});
  }
  if (!faults.empty()) return faults;
  return row;
}

void TokensApi::submit(intake::Intake::Ticket ticket, const Principal& principal,
                       const StudyPointer& study, intake::Command command,
                       std::shared_ptr<http::Exchange> exchange, Done done) {
  const base::TimePoint now = clock_.now();
  auto submission = submission_of(principal, study, clock_, now);
  submission.commands.push_back(std::move(command));
  intake_.submit(std::move(ticket), std::move(submission), now + kTokenDeadline,
                 [exchange, done = std::move(done)](const intake::SubmissionResult& result) {
                   exchange->respond(result.verdict == intake::Verdict::stored
                                         ? done(result)
                                         : refusal_response(result));
                 });
}

http::Decision TokensApi::list(const Call& call) {
  TokenWalk walk{.study = call.study->row,
                 .site = call.principal->site,
                 .source = call.principal->source,
                 .limit = kPageMax};
  if (!call.query.get("after").empty()) {
    walk.after = number_in(call.query, "after", 0, std::numeric_limits<std::int64_t>::max());
    if (walk.after <= 0) return http::fault_response(400, "after is not a token's id");
  }
  if (wants_ndjson(call.head)) {
    return exports_.answer(call, "tokens.export", lines_of(walk));
  }
  walk.limit = number_in(call.query, "limit", kPageDefault, kPageMax);
  if (walk.limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 500");
  return http::Accepted{.handler = [this, walk](std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "tokens.page", {},
        [exchange, walk](store::Connection& connection) mutable {
          bool at_end = false;
          auto tokens = walk.next(connection, at_end);
          if (!tokens) return exchange->respond(error_response(tokens.error()));
          base::JsonWriter json;
          json.begin_object().key("tokens").begin_array();
          for (const std::string& token : *tokens) json.raw(token);
          json.end_array();
          if (!at_end) json.member("next", walk.after);
          exchange->respond(http::json_response(200, json.end_object().take()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision TokensApi::create(const Call& call) {
  auto ticket =
      intake_.admit(intake::Lane::safety, kTicketBytes, flow_of(*call.principal, *call.study));
  if (!ticket) return refusal_response(ticket.error(), intake_.backlog(intake::Lane::safety));
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kWishBytesMax,
      .handler = [this, place, principal = call.principal,
                  study = call.study](std::shared_ptr<http::Exchange> exchange) {
        auto wish = parse_token_wish(exchange->request().body, *study, clock_.utc_ms());
        if (!wish) {
          return exchange->respond(http::json_response(422, model::to_json(wish.error())));
        }
        store::TokenRow row = std::move(*wish);
        if (const model::Faults faults = bind_to_maker(*principal, row); !faults.empty()) {
          return exchange->respond(http::json_response(403, model::to_json(faults)));
        }
        const std::string token = make_token(random_, row);
        intake::CreateToken create{.token = row, .name_may_recur = principal->token == 0};
        submit(std::move(*place), *principal, study, std::move(create), exchange,
               [this, row, token](const intake::SubmissionResult& result) mutable {
                 row.id = result.results.front().id;
                 if (auto added = tokens_.add(row); !added) return error_response(added.error());
                 base::JsonWriter json;
                 json.begin_object().member("id", row.id).member("token", token).end_object();
                 return http::json_response(201, json.take());
               });
      }};
}

http::Decision TokensApi::revoke(const Call& call) {
  const std::string& text = call.parameters.front();
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool is_id = error == std::errc() && end == text.data() + text.size();
  const auto holder = is_id ? tokens_.holder(id) : nullptr;
  if (holder == nullptr || holder->study != call.study->row ||
      !may_see(*call.principal, holder->site, holder->source)) {
    return http::fault_response(404, "there is no valid token '" + text + "' to revoke");
  }
  auto ticket =
      intake_.admit(intake::Lane::safety, kTicketBytes, flow_of(*call.principal, *call.study));
  if (!ticket) return refusal_response(ticket.error(), intake_.backlog(intake::Lane::safety));
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{.handler = [this, place, id, principal = call.principal,
                                    study = call.study](std::shared_ptr<http::Exchange> exchange) {
    submit(std::move(*place), *principal, study, intake::RevokeToken{id}, exchange,
           [this, id](const intake::SubmissionResult&) {
             tokens_.revoke(id);
             return http::Response{.status = 204};
           });
  }};
}

http::Decision TokensApi::describe(const Call& call, const Studies& studies) {
  const Principal& principal = *call.principal;
  base::JsonWriter json;
  json.begin_object()
      .member("name", principal.name)
      .member("role", to_string(principal.role))
      .member_if("site", principal.site)
      .member_if("subject", principal.subject)
      .member_if("source", principal.source)
      .member("unblinded", principal.unblinded)
      .key("studies")
      .begin_array();
  for (const auto& [id, study] : studies) {
    if (principal.study != 0 && principal.study != study->row) continue;
    json.begin_object()
        .member("id", id)
        .member("title", study->study->title)
        .member("definition", study->study->hash)
        .end_object();
  }
  json.end_array().end_object();
  return answer_now([body = json.take()] { return http::json_response(200, body); });
}

}  // namespace trialward::api
