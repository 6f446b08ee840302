// What schedule/ wants to know of a subject's plan, from epro/: which occurrences have their time,
// what became of them, and until when that can stay so without a record. Its thread is the
// caller's.
#pragma once

#include "api/route.h"
#include "schedule/partner.h"

namespace trialward::api {

class SyncPlanner final : public schedule::Planner {
 public:
  // The study has a schedule.
  explicit SyncPlanner(StudyPointer study) : study_(std::move(study)) {}

  base::Result<schedule::PatientPlan> plan(store::Connection& connection,
                                           const store::SyncSubject& subject,
                                           std::int64_t now_ms) override;

 private:
  const StudyPointer study_;
};

}  // namespace trialward::api
