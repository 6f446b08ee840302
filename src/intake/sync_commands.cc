#include "intake/sync_commands.h"

#include "model/record.h"
#include "store/alert_rows.h"

namespace trialward::intake {

using base::Errc;
using base::Result;
using base::Status;
using Alarm = store::SubjectSync::Alarm;

namespace {

Status append_said(store::Writer& writer, const Submission& submission,
                   const store::SubjectSync& one, int shard) {
  std::int64_t refused = -1;  // so far; -1: nobody has counted
  for (const store::AppointmentRow& said : one.appointments) {
    store::AppointmentRow row = said;
    if (row.state == "refused") {
      if (refused < 0) {
        auto counted = store::count_refused(writer.connection(), one.id);
        if (!counted) return counted.error();
        refused = *counted;
      }
      if (refused >= kRefusedOfSubject) continue;
      if (++refused == kRefusedOfSubject) row.note += "; what is refused after this is not kept";
    }
    const std::string action = "appointment." + row.state;
    const store::Act act{.actor = submission.actor,
                         .action = action,
                         .reason = kSyncReason,
                         .at_ms = submission.received_ms};
    auto done =
        store::append_appointment(writer, submission.study->row, one.id, shard, row, act);
    if (!done) return done;
  }
  return {};
}

// No record is the cause: it is about the subject's schedule as a whole.
Result<std::int64_t> raise_alarm(store::Writer& writer, const Submission& submission,
                                 const store::SubjectSync& one, int shard,
                                 AlertOutcome& outcome) {
  static const model::RuleInfo kRule{
      .id = std::string(kOutOfStep),
      .title = "The schedule is out of step with the partner's for too long",
      .severity = model::AlertSeverity::warning};
  const ActiveStudy& study = *submission.study;
  const store::AlertPlace place{
      .study = study.row,
      .subject = one.id,
      .site = one.site,
      .definition = study.definition,
      .shard = shard,
      .escalation = study.study->escalation ? &*study.study->escalation : nullptr};
  const store::Act act{
      .actor = submission.actor, .reason = one.row.note, .at_ms = submission.received_ms};
  auto change = store::raise_or_join(writer, place, kRule, {}, act);
  if (!change) return change.error();
  outcome.events.insert(outcome.events.end(), change->events.begin(), change->events.end());
  if (change->raised) return change->alert;
  // One that is open from the last time holds again.
  const store::Revision again{.holds = true, .reason = one.row.note};
  auto event = store::revise_alert(writer, study.row, change->alert, again, act);
  if (!event) return event.error();
  if (*event) outcome.events.push_back(**event);
  return change->alert;
}

// In whatever state it is: who has acknowledged it is told as well that it does not hold any more.
Status end_alarm(store::Writer& writer, const Submission& submission,
                 const store::SubjectSync& one, AlertOutcome& outcome) {
  auto known = store::is_alert_of(writer.connection(), one.alert, one.id, kOutOfStep);
  if (!known) return known.error();
  auto alert = *known ? Result<std::int64_t>(one.alert)
                      : store::open_alert_of(writer.connection(), one.id, kOutOfStep);
  if (!alert) return alert.error();
  if (*alert == 0) return {};
  const store::Act act{.actor = submission.actor, .at_ms = submission.received_ms};
  const store::Revision ended{.holds = false, .reason = "it is in step again"};
  auto event = store::revise_alert(writer, submission.study->row, *alert, ended, act);
  if (!event) return event.error();
  if (*event) outcome.events.push_back(**event);
  return {};
}

}  // namespace

Result<AlertOutcome> apply_sync(store::Writer& writer, const Submission& submission,
                               const SyncSubjects& command) {
  const ActiveStudy& study = *submission.study;
  AlertOutcome outcome;
  outcome.result = SubmissionResult::stored({});
  for (const store::SubjectSync& one : command.subjects) {
    const int shard = model::shard_of(study.study->id, one.subject);
    store::SyncRow row = one.row;
    Status done = append_said(writer, submission, one, shard);
    if (done && one.alarm == Alarm::raise) {
      auto alert = raise_alarm(writer, submission, one, shard, outcome);
      if (!alert) return alert.error();
      row.alert = *alert;
    }
    if (done && one.alarm == Alarm::end) done = end_alarm(writer, submission, one, outcome);
    if (done) done = store::put_sync_row(writer.connection(), study.row, one.id, row);
    if (!done) return done.error();
  }
  if (command.mark) {
    auto done = store::put_sync_mark(writer.connection(), study.row, *command.mark);
    if (!done) return done.error();
  }
  return outcome;
}

}  // namespace trialward::intake
