#include "api/patient_api.h"

#include <algorithm>

#include "api/answers.h"
#include "api/decode.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "base/milliseconds.h"
#include "epro/subject_plan.h"
#include "fhir/canonical_json.h"
#include "model/decode_record.h"
#include "model/effective_time.h"
#include "model/wall_clock.h"
#include "store/record_rows.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using intake::SubmissionResult;
using intake::Verdict;

constexpr std::size_t kBodyBytesMax = 4 << 10;
constexpr std::size_t kTicketBytes = 4 << 10;
constexpr base::Duration kDeadline = std::chrono::seconds(10);

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeDigits = 10;

std::string make_code(base::Random& random) {
  std::string code;
  for (std::size_t i = 0; i < kCodeDigits; ++i) code += kDigits[random.below(kDigits.size())];
  return code;
}

// As people read it: "K7Q2M-9XTAB".
std::string in_groups(std::string_view code) {
  return std::string(code.substr(0, kCodeDigits / 2)) + "-" +
         std::string(code.substr(kCodeDigits / 2));
}

// What somebody typed as make_code() has it; letters that are taken for digits are those digits.
std::string normal_code(std::string_view typed) {
  std::string code;
  for (char c : typed) {
    if ('a' <= c && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kDigits.find(c) != std::string_view::npos) code += c;
    if (code.size() > kCodeDigits) break;
  }
  return code;
}

// What a code's hash is of: nothing that is a token begins so.
std::string code_text(const std::string& code) { return "code:" + code; }

http::Response not_there(std::string_view subject) {
  return http::fault_response(404,
                              "there is no subject '" + std::string(subject) + "' for this token");
}

std::string day_text(std::int64_t day) {
  return model::format_utc(day * base::kDayMs).substr(0, std::string_view("2026-01-31").size());
}

// An occurrence of an activity that is to be answered now.
void write_due(base::JsonWriter& json, const model::Activity& activity, const epro::Occurrence& one,
               const StudyForm& form) {
  const model::Questionnaire& asked = form.form.questionnaire;
  json.begin_object().member("activity", activity.id);
  json.member("title", activity.title.empty() ? activity.id : activity.title);
  json.member("occurrence", one.number);
  json.member("questionnaire", asked.url + (asked.version.empty() ? "" : "|" + asked.version));
  json.member("state", epro::to_string(one.state));
  if (one.times && one.times->windowed) {
    const epro::PlannedTimes& times = *one.times;
    if (times.by_clock) {
      json.member("from", model::format_utc(times.from_ms));
      if (times.until_ms != epro::kNever) json.member("until", model::format_utc(times.until_ms));
    } else {
      json.member("from", day_text(times.first_day));
      if (times.last_day != epro::kNever) json.member("until", day_text(times.last_day));
    }
  }
  json.end_object();
}

// What is due by the schedule; without one whatever the study asks.
base::Status write_all_due(base::JsonWriter& json, store::Connection& connection,
                           const model::Study& study, const Forms& forms,
                           const store::SubjectPlace& place, std::int64_t now_ms) {
  if (!study.schedule) {
    for (const auto& form : forms.all()) {
      const model::Activity any{.id = form->id, .title = form->form.questionnaire.title};
      write_due(json, any, {.state = epro::OccurrenceState::open}, *form);
    }
    return {};
  }
  auto plan = epro::plan_subject(connection, study, place, {.now_ms = now_ms});
  if (!plan) return plan.error();
  for (const epro::Occurrence& one : plan->plan.occurrences) {
    const model::Activity& activity = study.schedule->activities[one.activity];
    const bool now =
        one.state == epro::OccurrenceState::open || one.state == epro::OccurrenceState::late;
    if (!now || activity.is_visit()) continue;
    const StudyForm* form = forms.telling(activity.codes);
    if (form != nullptr) write_due(json, activity, one, *form);
  }
  return {};
}

Result<std::string> home_json(store::Connection& connection, const Principal& principal,
                              const model::Study& study, std::int64_t row, const Forms& forms,
                              std::int64_t now_ms) {
  auto subject = store::find_subject(connection, row, principal.subject);
  if (!subject) return subject.error();
  if (!*subject) return Error{Errc::not_found, "'" + principal.subject + "' is not enrolled"};
  const epro::PatientSettings& settings = forms.patient();
  base::JsonWriter json;
  json.begin_object().member("subject", principal.subject);
  json.key("study").begin_object().member("id", study.id).member("title", study.title);
  json.key("contact").begin_object().key("text");
  epro::write_words(json, settings.contact);
  json.key("phones");
  epro::write_phones(json, settings.phones);
  json.end_object().end_object().key("languages").begin_array();
  for (const std::string& language : settings.languages) json.value(language);
  json.end_array().key("due").begin_array();
  const store::SubjectPlace place{.id = (*subject)->id,
                                  .subject = principal.subject,
                                  .site = (*subject)->site,
                                  .last_record = (*subject)->last_record};
  if (auto due = write_all_due(json, connection, study, forms, place, now_ms); !due) {
    return due.error();
  }
  json.end_array().key("help").begin_array();
  for (const epro::HelpText& help : settings.help) epro::write_help(json, help);
  return json.end_array().end_object().take();
}

// The code and the device's name in a request to enrol.
struct Enrolment {
  std::string code, device;
};
std::optional<Enrolment> parse_enrolment(std::string_view body) {
  fhir::JsonTree tree;
  const auto root = tree.parse(body);
  if (!root) return std::nullopt;
  Enrolment wish{.code = normal_code(root->string("code")),
                 .device = std::string((*root)["device"].string("name"))};
  constexpr std::size_t kNameMax = 60;
  if (wish.device.size() > kNameMax || wish.device.empty()) wish.device = "a device";
  return wish;
}

// A response that does not fit, as a record: what it is about is only taken where it is sound.
intake::AppendRecord misfit_of(const Principal& principal, const Forms& forms, fhir::Json response,
                               std::string_view outcome) {
  model::Record record;
  record.subject = principal.subject;
  record.source = principal.own_source();
  record.kind = model::Kind::questionnaire;
  record.original = std::string(response.raw());
  std::string reason;
  const StudyForm* form = forms.find(response.string("questionnaire"), reason);
  record.code = form != nullptr ? form->form.settings.code : "QuestionnaireResponse";
  const std::string_view authored = response.string("authored");
  if (model::check_effective(authored)) record.effective = std::string(authored);
  // Sent again it is the same, whatever we said of it.
  const base::Digest content = base::sha256(fhir::canonical_json(response));
  record.source_id = "misfit/" + base::to_hex(content);
  record.attributes = {{"outcome", std::string(outcome.substr(0, model::kTextCharsMax / 4))}};
  if (!model::check_form(record).empty()) record.attributes.clear();
  intake::AppendRecord command;
  command.flags = model::kUnfit;
  // What else it may be is kept, and shown as nothing.
  if (response.string("resourceType") == "QuestionnaireResponse") {
    command.flags |= model::kResource;
  }
  command.content = content;
  command.record = std::move(record);
  return command;
}

// A walk through what does not fit.
struct MisfitWalk {
  struct Place {
    std::size_t limit = 0;
    std::int64_t after = 0;
  };
  Place page;
  std::int64_t study = 0;
  std::string site;
  bool unblinded = false;

  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    constexpr std::size_t kRowsMax = 20;  // each may be large
    const std::size_t limit = std::min(page.limit, kRowsMax);
    auto rows = store::read_unfit(connection, study, page.after, limit);
    if (!rows) return rows.error();
    at_end = rows->size() < limit;
    std::vector<std::string> records;
    for (const store::RecordRow& row : *rows) {
      page.after = row.stored.id;
      const bool shown = site.empty() || row.stored.record.site == site;
      if (shown && row.stored.amended_by == 0) {
        records.push_back(model::to_json(row.stored, unblinded));
      }
    }
    return records;
  }
  void put_next(base::JsonWriter& json) const { json.member("next", page.after); }
};

}  // namespace

std::vector<Route> PatientApi::routes() {
  using enum Permission;
  const std::string study = "/v1/studies/{study}";
  std::vector<Route> routes;
  const auto add = [&](std::string_view method, const std::string& pattern, Permission permission,
                       http::Decision (PatientApi::*handle)(const Call&),
                       Route::Members query = {}) {
    routes.emplace_back(
        method, pattern, permission,
        [this, handle](const Call& call) { return (this->*handle)(call); }, std::move(query));
  };
  add("POST", study + "/subjects/{subject}/invitations", invite_patients, &PatientApi::invite);
  add("GET", study + "/misfits", read_records, &PatientApi::misfits, {"after", "limit"});
  add("POST", "/p/api/enrol", anyone, &PatientApi::enrol);
  add("GET", "/p/api/home", read_records, &PatientApi::home);
  add("POST", "/p/api/misfits", write_records, &PatientApi::keep_misfit);
  return routes;
}

bool TryLimit::admits(const std::string& address, base::TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = tries_.find(address);
  return found == tries_.end() || found->second.until <= now || found->second.count < kTriesMax;
}

void TryLimit::failed(const std::string& address, base::TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (tries_.size() >= kAddressesMax) {
    std::erase_if(tries_, [now](const auto& one) { return one.second.until <= now; });
    // All of them try at present: who has begun first has tried enough.
    const auto oldest = std::min_element(
        tries_.begin(), tries_.end(),
        [](const auto& a, const auto& b) { return a.second.until < b.second.until; });
    if (tries_.size() >= kAddressesMax) tries_.erase(oldest);
  }
  Tries& tries = tries_[address];
  if (tries.until <= now) tries = {0, now + kTriesWindow};
  ++tries.count;
}

StudyPointer PatientApi::study_of(const Principal& principal) const {
  for (const auto& [id, study] : parts_.studies) {
    if (study->row == principal.study) return study;
  }
  return nullptr;
}

http::Decision PatientApi::invite(const Call& call) {
  if (!call.principal->source.empty()) {
    return http::fault_response(403,
                                "a token of one source makes no patient's token, which sees all");
  }
  auto ticket = parts_.intake.admit(intake::Lane::safety, kTicketBytes,
                                    flow_of(*call.principal, *call.study));
  if (!ticket) {
    return refusal_response(ticket.error(), parts_.intake.backlog(intake::Lane::safety));
  }
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kBodyBytesMax,
      .handler = [this, place, subject = call.parameters.front(), principal = call.principal,
                  study = call.study](const std::shared_ptr<http::Exchange>& exchange) {
        parts_.reads.run(
            ReadClass::view, "invitation", {},
            [this, place, subject, principal, study, exchange](store::Connection& connection) {
              auto row = store::find_subject(connection, study->row, subject);
              if (!row) return exchange->respond(error_response(row.error()));
              if (!*row || (!principal->site.empty() && principal->site != (*row)->site)) {
                return exchange->respond(not_there(subject));
              }
              const std::string code = make_code(parts_.random);
              const std::int64_t now_ms = parts_.clock.utc_ms();
              store::TokenRow token{.hash = base::sha256(code_text(code)),
                                    .name = "invitation",
                                    .role = std::string(to_string(Role::invitation)),
                                    .study = study->row,
                                    .site = (*row)->site,
                                    .subject = subject,
                                    .created_ms = now_ms,
                                    .expires_ms = now_ms + kInvitationDays * base::kDayMs};
              if (principal->expires_ms) {
                token.expires_ms = std::min(*token.expires_ms, *principal->expires_ms);
              }
              const base::TimePoint now = parts_.clock.now();
              auto submission = submission_of(*principal, study, parts_.clock, now);
              submission.commands.emplace_back(
                  intake::CreateToken{.token = token, .name_may_recur = true});
              parts_.intake.submit(
                  std::move(*place), std::move(submission), now + kDeadline,
                  [this, token, code, exchange](const SubmissionResult& result) mutable {
                    if (result.verdict != Verdict::stored) {
                      return exchange->respond(refusal_response(result));
                    }
                    token.id = result.results.front().id;
                    if (auto added = parts_.tokens.add(token); !added) {
                      return exchange->respond(error_response(added.error()));
                    }
                    base::JsonWriter json;
                    json.begin_object().member("id", token.id).member("code", in_groups(code));
                    json.member("subject", token.subject);
                    json.member("expires", model::format_utc(*token.expires_ms));
                    exchange->respond(http::json_response(201, json.end_object().take()));
                  });
            },
            [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
      }};
}

http::Decision PatientApi::enrol(const Call&) {
  return http::Accepted{.body_bytes_max = kBodyBytesMax,
                        .handler = [this](const std::shared_ptr<http::Exchange>& exchange) {
                          take_code(exchange);
                        }};
}

void PatientApi::take_code(const std::shared_ptr<http::Exchange>& exchange) {
  const http::Request& request = exchange->request();
  const base::TimePoint now = parts_.clock.now();
  // Whoever has a right code is let in, whatever others behind the same address have tried: a code
  // has 50 bits.
  const auto refuse = [&](http::Response wrong) {
    if (!tries_.admits(request.peer, now)) {
      wrong = http::fault_response(429, "too many wrong codes; wait ten minutes")
                  .with("Retry-After", "600");
    }
    tries_.failed(request.peer, now);
    exchange->respond(std::move(wrong));
  };
  const auto wish = parse_enrolment(request.body);
  if (!wish) {
    return exchange->respond(http::fault_response(400, "expected {\"code\":…,\"device\":{…}}"));
  }
  const std::int64_t now_ms = parts_.clock.utc_ms();
  const auto invitation = parts_.tokens.find(code_text(wish->code), now_ms);
  const StudyPointer study = invitation != nullptr ? study_of(*invitation) : nullptr;
  if (study == nullptr) {
    return refuse(
        http::fault_response(410, "there is no such code, or it was used, or its time is over"));
  }
  // A place in the queue is for whoever has a code.
  auto ticket = parts_.intake.admit(intake::Lane::safety, kTicketBytes);
  if (!ticket) {
    return exchange->respond(
        refusal_response(ticket.error(), parts_.intake.backlog(intake::Lane::safety)));
  }
  store::TokenRow row{.name = invitation->subject + " on " + wish->device,
                      .role = std::string(to_string(Role::patient)),
                      .study = study->row,
                      .site = invitation->site,
                      .subject = invitation->subject,
                      .created_ms = now_ms,
                      .expires_ms = now_ms + kDeviceDays * base::kDayMs};
  const std::string token = make_token(parts_.random, row);
  auto submission = submission_of(*invitation, study, parts_.clock, now);
  submission.commands.emplace_back(intake::RevokeToken{invitation->token});
  submission.commands.emplace_back(intake::CreateToken{.token = row, .name_may_recur = true});
  parts_.intake.submit(
      std::move(*ticket), std::move(submission), now + kDeadline,
      [this, exchange, study, row, token,
       invitation = invitation->token](const SubmissionResult& result) mutable {
        if (result.verdict == Verdict::conflict || result.verdict == Verdict::not_found) {
          return exchange->respond(http::fault_response(410, "the code was used already"));
        }
        if (result.verdict != Verdict::stored) return exchange->respond(refusal_response(result));
        parts_.tokens.revoke(invitation);
        row.id = result.results.back().id;
        if (auto added = parts_.tokens.add(row); !added) {
          return exchange->respond(error_response(added.error()));
        }
        base::JsonWriter json;
        json.begin_object().member("token", token).member("subject", row.subject);
        json.key("study").begin_object().member("id", study->study->id);
        json.member("title", study->study->title).end_object();
        json.member("questionnaires", "/fhir/Questionnaire");
        json.member("expires", model::format_utc(*row.expires_ms));
        exchange->respond(http::json_response(201, json.end_object().take()));
      });
}

http::Decision PatientApi::home(const Call& call) {
  const StudyPointer study = study_of(*call.principal);
  if (study == nullptr || call.principal->subject.empty()) {
    return http::fault_response(403, "this is for a patient's token");
  }
  return http::Accepted{.handler = [this, study, principal = call.principal](
                                       const std::shared_ptr<http::Exchange>& exchange) {
    parts_.reads.run(
        ReadClass::view, "patient.home", {},
        [this, study, principal, exchange](store::Connection& connection) {
          auto json = home_json(connection, *principal, *study->study, study->row,
                                *parts_.forms.at(study->row), parts_.clock.utc_ms());
          exchange->respond(json ? http::json_response(200, std::move(*json))
                                 : error_response(json.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision PatientApi::keep_misfit(const Call& call) {
  const StudyPointer study = study_of(*call.principal);
  if (study == nullptr || call.principal->subject.empty()) {
    return http::fault_response(403, "this is for a patient's token");
  }
  auto ticket =
      parts_.intake.admit(intake::Lane::live, kMisfitBytesMax, flow_of(*call.principal, *study));
  if (!ticket) {
    return refusal_response(ticket.error(), parts_.intake.backlog(intake::Lane::live));
  }
  auto place = std::make_shared<intake::Intake::Ticket>(std::move(*ticket));
  return http::Accepted{
      .body_bytes_max = kMisfitBytesMax,
      .handler = [this, place, study,
                  principal = call.principal](const std::shared_ptr<http::Exchange>& exchange) {
        const http::Request& request = exchange->request();
        fhir::JsonTree tree;
        const auto root = tree.parse(request.body);
        const fhir::Json response = root ? (*root)["response"] : fhir::Json();
        if (!response.is(fhir::Json::Type::object)) {
          return exchange->respond(
              http::fault_response(400, "expected {\"response\":{…},\"outcome\":{…}}"));
        }
        const fhir::Json outcome = (*root)["outcome"];
        auto submission = submission_of(*principal, study, parts_.clock, request.received);
        submission.commands.emplace_back(misfit_of(*principal, *parts_.forms.at(study->row),
                                                   response, outcome ? outcome.raw() : ""));
        parts_.intake.submit(std::move(*place), std::move(submission), request.received + kDeadline,
                             [exchange](const SubmissionResult& result) {
                               exchange->respond(result.verdict == Verdict::stored
                                                     ? http::Response{.status = 202}
                                                     : refusal_response(result));
                             });
      }};
}

http::Decision PatientApi::misfits(const Call& call) {
  if (!call.principal->subject.empty() || !call.principal->source.empty()) {
    return http::fault_response(403, "what does not fit is for a site's staff");
  }
  MisfitWalk walk{.study = call.study->row,
                  .site = call.principal->site,
                  .unblinded = call.principal->unblinded};
  if (!call.query.get("after").empty()) {
    walk.page.after = number_in(call.query, "after", 0, kIdMax);
    if (walk.page.after <= 0) return http::fault_response(400, "after is not a record's id");
  }
  return answer_list(call, {parts_.reads, parts_.exports}, "misfits", walk);
}

}  // namespace trialward::api
