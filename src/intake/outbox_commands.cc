#include "intake/outbox_commands.h"

#include <algorithm>

#include "store/alert_rows.h"

namespace trialward::intake {

using base::Result;

namespace {

// An alert that has arrived somewhere is a delivered one.
Result<std::vector<Arrival>> note_arrivals(store::Writer& writer, const Submission& submission,
                                           const RecordAttempts& command,
                                           const std::vector<store::Delivered>& arrived) {
  std::vector<Arrival> arrivals;
  const store::Act act{.actor = submission.actor, .at_ms = submission.received_ms};
  for (const store::Delivered& one : arrived) {
    const auto study =
        std::find_if(command.studies.begin(), command.studies.end(),
                     [&one](const auto& active) { return active->row == one.study; });
    if (study == command.studies.end()) continue;  // it is not served any more
    auto first = store::first_arrival(writer.connection(), one.alert, one.event);
    if (!first) return first.error();
    if (!*first) continue;
    const store::AlertStep step{.type = model::AlertEventType::delivered,
                                .detail = {.target = one.target}};
    auto number = store::step_alert(writer, one.study, one.alert, step, act);
    if (!number) return number.error();
    arrivals.push_back({*study, *number});
  }
  return arrivals;
}

}  // namespace

Result<OutboxOutcome> apply_to_outbox(store::Writer& writer, const Submission& submission,
                                      const Command& command) {
  if (const auto* record = std::get_if<RecordAttempts>(&command)) {
    auto delivered = store::record_attempts(writer, record->attempts, submission.actor,
                                            submission.received_ms);
    if (!delivered) return delivered.error();
    auto arrivals = note_arrivals(writer, submission, *record, *delivered);
    if (!arrivals) return arrivals.error();
    const auto count = static_cast<std::int64_t>(delivered->size());
    return OutboxOutcome{.result = SubmissionResult::stored({.id = count}),
                         .arrivals = std::move(*arrivals)};
  }
  if (const auto* prune = std::get_if<PruneDeliveries>(&command)) {
    auto gone = store::prune_deliveries(writer.connection(), prune->before_ms, prune->limit);
    if (!gone) return gone.error();
    return OutboxOutcome{.result = SubmissionResult::stored({.id = *gone})};
  }
  const auto& change = std::get<ChangeDelivery>(command);
  const store::Act act{
      .actor = submission.actor, .reason = change.reason, .at_ms = submission.received_ms};
  auto done = store::change_delivery(writer, submission.study->row, submission.site,
                                     change.delivery, change.change, act);
  if (done) return OutboxOutcome{.result = SubmissionResult::stored({.id = change.delivery})};
  auto refused = refusal_of(done.error());
  if (!refused) return refused.error();
  return OutboxOutcome{.result = std::move(*refused)};
}

}  // namespace trialward::intake
