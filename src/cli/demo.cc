#include "cli/demo.h"

#include <simdjson.h>

#include <iostream>
#include <sstream>

#include "base/json_writer.h"
#include "base/milliseconds.h"
#include "model/effective_time.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr base::Duration kInterval = std::chrono::seconds(1);
constexpr base::Duration kDeadline = std::chrono::seconds(35);
constexpr std::uint64_t kSubjects = 24;
constexpr std::uint64_t kRecordsMax = 4;  // a run
constexpr std::int64_t kEnrolledDays = 8;

constexpr std::string_view kTokenName = "serve-demo";  // by which a later run knows them

std::string study_path(const std::string& rest) {
  return std::string("/v1/studies/") + kDemoStudy + rest;
}

}  // namespace

Demo::Demo(DemoPlace place, runtime::TaskList& tasks, base::Random& random)
    : place_(std::move(place)),
      clock_(tasks.clock()),
      random_(random),
      started_ms_(clock_.utc_ms()),
      trickle_({.name = "demo", .interval = kInterval, .deadline = kDeadline},
               [this](const runtime::Cancel&) { return send(); }, random, tasks) {}

Status Demo::begin() {
  auto client = ControlClient::open(place_.store_path);
  if (!client) return client.error();
  client_ = std::move(*client);
  if (auto revoked = revoke_old_tokens(); !revoked) return revoked;
  auto safety = make_token("safety");
  if (!safety) return safety.error();
  auto feed = make_token("feed");
  if (!feed) return feed.error();
  auto coordinator = make_token("coordinator");
  if (!coordinator) return coordinator.error();
  auto code = invite_patient();
  if (!code) return code.error();
  std::cout << "\nThe demo study '" << kDemoStudy << "' receives invented data.\n\n"
            << "  Look:  " << place_.url << "/#token=" << *safety << "\n"
            << "         " << place_.url << "/site#token=" << *coordinator
            << "  as a site's staff\n"
            << "         " << place_.url << "/p#code=" << *code << "  as a patient\n\n"
            << "  Send:  curl " << place_.url << study_path("/records") << " \\\n"
            << "           -H 'Authorization: Bearer " << *feed << "' \\\n"
            << "           -H 'Content-Type: application/json' \\\n"
            << "           -d '{\"source\":\"me\",\"source_id\":\"1\",\"subject\":\"SUBJ-1\","
               "\"kind\":\"lab\",\"code\":\"ALT\",\"value\":200,\"unit\":\"U/L\"}'\n\n"
            << "  Stop:  Ctrl-C" << std::endl;
  trickle_.start();
  return {};
}

Status Demo::revoke_old_tokens() {
  const std::string path = study_path("/tokens");
  auto list = client_->send({.method = "GET", .path = path, .accept = "application/x-ndjson"});
  if (!list) return list.error();
  if (list->status != 200) return Error{Errc::unavailable, reason_of(*list)};
  simdjson::dom::parser parser;
  std::istringstream lines(list->body);
  for (std::string line; std::getline(lines, line);) {
    simdjson::dom::element token;
    std::string_view name;
    std::int64_t id = 0;
    bool revoked = true;
    if (parser.parse(line).get(token) != simdjson::SUCCESS ||
        token["name"].get(name) != simdjson::SUCCESS || name != kTokenName ||
        token["id"].get(id) != simdjson::SUCCESS ||
        token["revoked"].get(revoked) != simdjson::SUCCESS || revoked) {
      continue;
    }
    auto answer = client_->send({.method = "DELETE", .path = path + "/" + std::to_string(id)});
    if (!answer) return answer.error();
    if (answer->status != 204) return Error{Errc::unavailable, reason_of(*answer)};
  }
  return {};
}

Result<std::string> Demo::make_token(const char* role) {
  base::JsonWriter wish;
  wish.begin_object().member("role", role).member("name", kTokenName).member("expires_days", 1);
  const std::string body = wish.end_object().take();
  auto answer = client_->send({.path = study_path("/tokens"), .body = body});
  if (!answer) return answer.error();
  simdjson::dom::parser parser;
  std::string_view token;
  if (answer->status != 201 ||
      parser.parse(answer->body)["token"].get(token) != simdjson::SUCCESS) {
    return Error{Errc::unavailable, "the demo got no token: " + reason_of(*answer)};
  }
  return std::string(token);
}

// A patient of today, enrolled long enough ago that a questionnaire is due.
Result<std::string> Demo::invite_patient() {
  const std::int64_t enrolled_ms = started_ms_ - kEnrolledDays * base::kDayMs;
  const std::string day = model::format_utc(enrolled_ms).substr(0, 10);
  const std::string subject = "SUBJ-" + day.substr(0, 4) + day.substr(5, 2) + day.substr(8, 2);
  base::JsonWriter record;
  record.begin_object().member("source", "demo").member("source_id", subject);
  record.member("subject", subject).member("kind", "demographics").member("effective", day);
  const std::string body = record.end_object().take();
  auto stored = client_->send({.path = study_path("/records"), .body = body});
  if (!stored) return stored.error();
  if (stored->status != 200 && stored->status != 201) {
    return Error{Errc::unavailable, "the demo has no patient: " + reason_of(*stored)};
  }
  const std::string path = study_path("/subjects/" + subject + "/invitations");
  auto answer = client_->send({.path = path, .body = "{}"});
  if (!answer) return answer.error();
  simdjson::dom::parser parser;
  std::string_view code;
  if (answer->status != 201 ||
      parser.parse(answer->body)["code"].get(code) != simdjson::SUCCESS) {
    return Error{Errc::unavailable, "the demo got no code: " + reason_of(*answer)};
  }
  return std::string(code);
}

Status Demo::send() {
  std::string lines;
  const std::uint64_t count = 1 + random_.below(kRecordsMax);
  for (std::uint64_t i = 0; i < count; ++i) lines += invented_record(++sent_) + "\n";
  auto answer = client_->send({.path = study_path("/records"),
                               .content_type = "application/x-ndjson",
                               .body = lines});
  if (!answer) return answer.error();
  if (answer->status != 200) return Error{Errc::unavailable, reason_of(*answer)};
  return {};
}

std::string Demo::invented_record(std::uint64_t number) {
  struct Analyte {
    const char* code;
    const char* unit;
    std::uint64_t from, to;
  };
  static constexpr Analyte kLabs[] = {
      {"ALT", "U/L", 12, 50}, {"AST", "U/L", 12, 45}, {"ALP", "U/L", 40, 120}};
  base::JsonWriter json;
  json.begin_object()
      .member("source", "demo-" + std::to_string(started_ms_))
      .member("source_id", std::to_string(number))
      .member("subject", "SUBJ-" + std::to_string(1 + random_.below(kSubjects)))
      .member("effective", model::format_utc(clock_.utc_ms()));
  const std::uint64_t kind = random_.below(100);
  if (kind < 60) {
    json.member("kind", "vital").member("code", "8867-4").member("unit", "/min");
    json.member("value", 55 + random_.below(50));
  } else if (kind < 98) {
    const Analyte& lab = kLabs[random_.below(std::size(kLabs))];
    // Now and then a liver value that must alarm.
    const std::uint64_t factor = random_.below(20) == 0 ? 5 : 1;
    json.member("kind", "lab").member("code", lab.code).member("unit", lab.unit);
    json.member("value", factor * (lab.from + random_.below(lab.to - lab.from)));
  } else {
    json.member("kind", "adverse_event").member("code", "Syncope").member("value", "Fainted");
    json.member("serious", random_.below(3) == 0).member("severity", "MODERATE");
  }
  return json.end_object().take();
}

}  // namespace trialward::cli
