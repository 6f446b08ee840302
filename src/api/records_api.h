// The routes that take records in.
#pragma once

#include "api/admission.h"
#include "api/ndjson_intake.h"
#include "api/route.h"
#include "intake/intake.h"
#include "runtime/memory_ladder.h"

namespace trialward::api {

struct RecordsOptions {
  base::Duration deadline = std::chrono::seconds(10);  // from the last byte to its commit
};

class RecordsApi {
 public:
  RecordsApi(intake::Intake& intake, NdjsonIntake& streams, Admission& admission,
             const runtime::MemoryLadder& memory, const base::Clock& clock, RecordsOptions options)
      : intake_(intake),
        streams_(streams),
        admission_(admission),
        memory_(memory),
        clock_(clock),
        options_(options) {}

  // POST /v1/studies/{study}/records
  http::Decision post(const Call& call);

 private:
  http::Decision post_one(const Call& call);
  void submit(Admission::Place& place, const Principal& principal, const StudyPointer& study,
              const std::shared_ptr<http::Exchange>& exchange);

  intake::Intake& intake_;
  NdjsonIntake& streams_;
  Admission& admission_;
  const runtime::MemoryLadder& memory_;
  const base::Clock& clock_;
  const RecordsOptions options_;
};

}  // namespace trialward::api
