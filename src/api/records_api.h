// The routes that take records in.
#pragma once

#include "api/ndjson_intake.h"
#include "api/route.h"
#include "intake/intake.h"
#include "runtime/memory_ladder.h"

namespace trialward::api {

struct RecordsOptions {
  base::Duration deadline = std::chrono::seconds(10);  // from the last byte to its commit
  // Bodies on their way, each with a place in the live lane: no token's take more than a quarter
  // of its bytes, however slowly they come.
  std::size_t bodies_max = 4096;
  std::size_t bodies_per_token_max = 256;
  // Of these, those that have a place in the safety lane because the live one is full.
  std::size_t doubtful_bodies_max = 128;
  std::size_t doubtful_bodies_per_token_max = 16;
};

class RecordsApi {
 public:
  RecordsApi(intake::Intake& intake, NdjsonIntake& streams, const runtime::MemoryLadder& memory,
             const base::Clock& clock, RecordsOptions options)
      : intake_(intake),
        streams_(streams),
        memory_(memory),
        clock_(clock),
        options_(options),
        bodies_(options.bodies_max, options.bodies_per_token_max),
        doubtful_bodies_(options.doubtful_bodies_max, options.doubtful_bodies_per_token_max) {}

  // POST /v1/studies/{study}/records
  http::Decision post(const Call& call);

 private:
  struct Place;

  http::Decision post_one(const Call& call);
  base::Result<Place, http::Response> admit(const Call& call);
  void submit(Place& place, const Principal& principal, const StudyPointer& study,
              const std::shared_ptr<http::Exchange>& exchange);

  intake::Intake& intake_;
  NdjsonIntake& streams_;
  const runtime::MemoryLadder& memory_;
  const base::Clock& clock_;
  const RecordsOptions options_;
  TokenSlots bodies_, doubtful_bodies_;
};

}  // namespace trialward::api
