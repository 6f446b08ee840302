// The way of schedule/ to the store's one writer: as DeliveryLedger's, by the bulk lane, so that it
// costs patients' data nothing when there is much of them. Any thread.
#pragma once

#include "api/route.h"
#include "intake/intake.h"
#include "schedule/partner.h"

namespace trialward::api {

class SyncLedger final : public schedule::Ledger {
 public:
  // `actor`: whose the changes are, in the audit trail.
  SyncLedger(intake::Intake& intake, StudyPointer study, std::string actor,
             const base::Clock& clock)
      : intake_(intake), study_(std::move(study)), actor_(std::move(actor)), clock_(clock) {}

  bool store(std::vector<store::SubjectSync> subjects, std::optional<store::SyncMark> mark,
             std::function<void(bool stored)> done) override;

 private:
  intake::Intake& intake_;
  const StudyPointer study_;
  const std::string actor_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
