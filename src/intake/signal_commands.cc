#include "intake/signal_commands.h"

#include <algorithm>

#include "model/record.h"
#include "store/alert_rows.h"
#include "store/signal_rows.h"

namespace trialward::intake {

using base::Result;

Result<AlertOutcome> apply_signals(store::Writer& writer, const Submission& submission,
                                   const SignalSchedule& command, std::int64_t last_record) {
  const ActiveStudy& study = *submission.study;
  AlertOutcome outcome{.result = SubmissionResult::stored({})};
  auto changed = store::records_since(writer.connection(), last_record, command.last_record,
                                      command.kinds);
  if (!changed) return changed.error();
  if (*changed) return outcome;
  // Whoever sends this has read the store a while ago.
  auto there = store::alerts_of_subject(writer.connection(), command.id, kSignalRules);
  if (!there) return there.error();
  auto enrolled = store::enrolled_ms(writer.connection(), command.id);
  if (!enrolled) return enrolled.error();
  store::AlertPlace place{
      .study = study.row,
      .subject = command.id,
      .site = command.site,
      .definition = study.definition,
      .shard = model::shard_of(study.study->id, command.subject),
      .escalation = study.study->escalation ? &*study.study->escalation : nullptr};
  const store::Act act{.actor = submission.actor, .at_ms = submission.received_ms};
  for (const SignalSchedule::Signal& one : command.signals) {
    const auto known =
        std::find_if(there->rbegin(), there->rend(), [&one](const store::SubjectAlert& alert) {
          return alert.rule == one.rule.id && alert.group == one.group;
        });
    if (known != there->rend()) {
      const store::Revision revision{.holds = one.holds, .reason = one.note};
      auto event = store::revise_alert(writer, study.row, known->alert, revision, act);
      if (!event) return event.error();
      if (*event) outcome.events.push_back(**event);
    } else if (one.holds) {
      place.historical = one.due_ms < *enrolled;
      store::Act raising = act;
      raising.reason = one.note;
      auto change = store::raise_or_join(writer, place, one.rule, {.group = one.group}, raising);
      if (!change) return change.error();
      outcome.events.insert(outcome.events.end(), change->events.begin(), change->events.end());
    }
  }
  return outcome;
}

}  // namespace trialward::intake
