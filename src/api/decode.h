// From what a principal sends to a submission that may be committed.
#pragma once

#include <string_view>

#include "api/principal.h"
#include "intake/intake.h"
#include "model/decode_record.h"

namespace trialward::api {

struct Decoded {
  intake::AppendRecord command;
  model::Faults faults;  // empty: command is ready, to be refused perhaps
  int status = 422;      // of the refusal: 422, or 403 when the record is not the principal's
};

Decoded decode_for(const Principal& principal, const intake::ActiveStudy& study,
                   model::RecordDecoder& decoder, std::string_view json, std::int64_t now_ms);

// What of a record is not the principal's to send.
model::Faults out_of_scope(const Principal& principal, const model::Record& record);

// A principal's submission, still without commands; and whose turns it takes in the queue.
intake::Submission submission_of(const Principal& principal,
                                 std::shared_ptr<const intake::ActiveStudy> study,
                                 const base::Clock& clock, base::TimePoint received);
runtime::Flow flow_of(const Principal& principal, const intake::ActiveStudy& study);

// Adverse events go by the safety lane, whatever way they came.
intake::Lane lane_of(const model::Record& record, intake::Lane otherwise);

}  // namespace trialward::api
