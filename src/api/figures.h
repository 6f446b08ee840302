// The few numbers of a study that its first page shows.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"
#include "intake/intake.h"

namespace trialward::api {

class Figures {
 public:
  Figures(ReadPool& reads, const intake::Intake& intake) : reads_(reads), intake_(intake) {}

  // GET /v1/studies/{study}/figures
  http::Decision get(const Call& call);

 private:
  ReadPool& reads_;
  const intake::Intake& intake_;
};

}  // namespace trialward::api
