// The routes that take records in.
#pragma once

#include "api/ndjson_intake.h"
#include "api/route.h"
#include "intake/intake.h"

namespace trialward::api {

struct RecordsOptions {
  base::Duration deadline = std::chrono::seconds(10);  // from the last byte to its commit
};

class RecordsApi {
 public:
  RecordsApi(intake::Intake& intake, NdjsonIntake& streams, const base::Clock& clock,
             RecordsOptions options)
      : intake_(intake), streams_(streams), clock_(clock), options_(options) {}

  // POST /v1/studies/{study}/records
  http::Decision post(const Call& call);

 private:
  http::Decision post_one(const Call& call);

  intake::Intake& intake_;
  NdjsonIntake& streams_;
  const base::Clock& clock_;
  const RecordsOptions options_;
};

}  // namespace trialward::api
