// What a submission's command does to the outbox, inside the open transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "intake/submission.h"
#include "store/writer.h"

namespace trialward::intake {

// An alert has arrived somewhere: the event that says so, by its number in its study.
struct Arrival {
  std::shared_ptr<const ActiveStudy> study;
  std::int64_t event = 0;
};

struct OutboxOutcome {
  SubmissionResult result;
  std::vector<Arrival> arrivals = {};
};

// `command` is a RecordAttempts, a PruneDeliveries or a ChangeDelivery. Errors: of the store.
base::Result<OutboxOutcome> apply_to_outbox(store::Writer& writer, const Submission& submission,
                                            const Command& command);

}  // namespace trialward::intake
