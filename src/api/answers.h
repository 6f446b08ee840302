// The one place in which failures become HTTP.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "intake/submission.h"
#include "runtime/lane_book.h"

namespace trialward::api {

inline constexpr std::string_view kNdjson = "application/x-ndjson";

int status_of(intake::Verdict verdict);
int status_of(base::Errc code);

// The refusal of a submission. (What was stored is answered by its own route.)
http::Response refusal_response(const intake::SubmissionResult& result);
http::Response error_response(const base::Error& error);
// 429 when a lane is full, with Retry-After from what waits; 503 when the server stops.
http::Response refusal_response(runtime::Refusal refusal, base::Duration backlog);
// 429: less urgent than what the process still has memory for.
http::Response memory_response();
// 503: a read that did not get its turn.
http::Response busy_response(std::string_view reason);

// Whether the request prefers a stream of lines.
bool wants_ndjson(const http::Request& head);

}  // namespace trialward::api
