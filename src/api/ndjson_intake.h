// A stream of records, one JSON object a line, of any length. Each stream has a window: so many of
// its lines and bytes may wait to be committed at once; when it is full nothing more is read, and
// TCP slows the sender. The bulk lane has room for the windows of all streams that are let in; one
// more is refused with 429.
//
// Answers: at the end one JSON object
//   {"read":n,"stored":n,"repeated":n,"refused":n,"alerts":n,
//    "refusals":[{"line":n,"status":"…","faults":[…]}],"refusals_left_out":n}
// ("alerts": how many were opened; a line is refused with the status that Verdict has), or with
// ?results=all a line per record, in order, as it commits:
//   {"line":n,"id":n,"status":"stored"|"repeated","alerts":[…]}
//   {"line":n,"status":"invalid"…,"faults":[…]}
// and at the end {"summary":{"read":…}}. With ?historical=true its records are data of the past
// (intake/history.h), which takes the permission send_history. Blank lines are counted as lines and
// not answered.
// When the store can no longer be written, the sender is silent for too long or its token is
// revoked, the stream ends early, and "failed" says why; without ?results=all the status is then
// not 200 but the fitting one.
#pragma once

#include "api/route.h"
#include "api/token_slots.h"
#include "intake/intake.h"

namespace trialward::api {

struct NdjsonOptions {
  std::size_t window_items = 512;
  std::size_t window_bytes = 1 << 20;
  std::size_t streams_max = 32;
  std::size_t streams_per_token_max = 8;
  std::size_t refusals_max = 1000;  // listed in a summary
  base::Duration deadline = std::chrono::seconds(60);  // of a line, once read
};

class NdjsonIntake {
 public:
  // The windows of all streams must fit into the bulk lane (checked).
  NdjsonIntake(intake::Intake& intake, const TokenTable& tokens, const base::Clock& clock,
               NdjsonOptions options, const intake::IntakeOptions& lanes);

  // A POST whose body is lines.
  http::Decision accept(const Call& call);
  std::size_t streams() const { return slots_.used(); }

 private:
  class Stream;

  intake::Intake& intake_;
  const TokenTable& tokens_;
  const base::Clock& clock_;
  const NdjsonOptions options_;
  TokenSlots slots_;
};

}  // namespace trialward::api
