#include "api/answers.h"

#include <algorithm>

namespace trialward::api {
namespace {

constexpr std::int64_t kRetryAfterMaxS = 60;

}  // namespace

int status_of(intake::Verdict verdict) {
  using enum intake::Verdict;
  switch (verdict) {
    case stored: return 200;
    case invalid: return 422;
    case conflict: return 409;
    case not_found: return 404;
    case forbidden: return 403;
    case expired: return 504;
    case poison: return 500;
    case cancelled:
    case unavailable: return 503;
  }
  return 500;
}

int status_of(base::Errc code) {
  using enum base::Errc;
  switch (code) {
    case invalid: return 422;
    case not_found: return 404;
    case conflict: return 409;
    case refused: return 429;
    case deadline: return 504;
    case cancelled:
    case retry:
    case unavailable: return 503;
    case corrupt: return 500;
  }
  return 500;
}

http::Response refusal_response(const intake::SubmissionResult& result) {
  http::Response response =
      http::json_response(status_of(result.verdict), model::to_json(result.faults));
  if (response.status == 503 || response.status == 504) response.with("Retry-After", "1");
  return response;
}

http::Response error_response(const base::Error& error) {
  http::Response response = http::fault_response(status_of(error.code), error.message);
  if (response.status == 429 || response.status == 503) response.with("Retry-After", "1");
  return response;
}

http::Response refusal_response(runtime::Refusal refusal, base::Duration backlog) {
  if (refusal == runtime::Refusal::closed) return busy_response("the server is stopping");
  const std::string_view reason = refusal == runtime::Refusal::share_full
                                      ? "too much of this sender waits to be stored; try again"
                                      : "too much waits to be stored; try again";
  const auto s = std::chrono::ceil<std::chrono::seconds>(backlog).count();
  return http::fault_response(429, reason)
      .with("Retry-After", std::to_string(std::clamp<std::int64_t>(s, 1, kRetryAfterMaxS)));
}

http::Response memory_response() {
  return http::fault_response(429, "the server is short of memory; try again")
      .with("Retry-After", "5");
}

http::Response busy_response(std::string_view reason) {
  return http::fault_response(503, reason).with("Retry-After", "1");
}

bool wants_ndjson(const http::Request& head) {
  const std::string* accept = head.header("Accept");
  return accept != nullptr && accept->find(kNdjson) != std::string::npos;
}

}  // namespace trialward::api
