#include "intake/alert_commands.h"

#include "store/alert_rows.h"
#include "store/alert_states.h"
#include "store/alert_waits.h"
#include "store/read_back.h"
#include "store/storm_rows.h"

namespace trialward::intake {

using base::Errc;
using base::Error;
using base::Result;
using model::AlertEventType;

namespace {

constexpr std::int64_t kLateMs = 1000;  // an escalation that comes so much after it was due

AlertOutcome refuse(Verdict verdict, model::Faults faults) {
  return {.result = {.verdict = verdict, .faults = std::move(faults)}};
}

AlertOutcome done(std::int64_t alert, std::int64_t event) {
  return {.result = {.results = {CommandResult{.id = alert}}}, .events = {event}};
}

store::Act act_of(const Submission& submission, std::string_view note) {
  return {.actor = submission.actor, .reason = note, .at_ms = submission.received_ms};
}

const model::Escalation* escalation_of(const Submission& submission) {
  const auto& escalation = submission.study->study->escalation;
  return escalation ? &*escalation : nullptr;
}

Result<AlertOutcome> step(store::Writer& writer, const Submission& submission, std::int64_t alert,
                          const store::AlertStep& step, std::string_view note) {
  auto number = store::step_alert(writer, submission.study->row, alert, step,
                                  act_of(submission, note));
  if (!number) return number.error();
  return done(alert, *number);
}

Result<AlertOutcome> acknowledge(store::Writer& writer, const Submission& submission,
                                 const AcknowledgeAlert& command) {
  auto life = store::read_alert_life(writer.connection(), command.alert);
  if (!life) return life.error();
  store::AlertStep acknowledged{.type = AlertEventType::acknowledged};
  // What cannot be acknowledged at all is told first, by step(): no value would make it right.
  if (*life && (*life)->open()) {
    auto values = store::read_back_of(writer.connection(), command.alert);
    if (!values) return values.error();
    auto faults = store::compare_read_back(*values, command.values);
    if (!faults.empty()) return refuse(Verdict::conflict, std::move(faults));
    for (model::ReadBack& value : *values) value.effective.clear();
    acknowledged.detail.values = std::move(*values);
  }
  return step(writer, submission, command.alert, acknowledged, command.note);
}

// An alert of the same subject that is no duplicate itself; and whoever has duplicates keeps them.
Result<model::Faults> merge_faults(store::Connection& connection, std::int64_t study,
                                   const ChangeAlert& command) {
  const std::int64_t other = command.detail.duplicate_of;
  const auto fault = [](std::string reason) {
    return model::Faults{{"/duplicate_of", std::move(reason)}};
  };
  const std::string name = "alert " + std::to_string(other);
  if (other == command.alert) return fault("an alert is no duplicate of itself");
  auto same = connection.integer(
      "SELECT b.subject = a.subject FROM alerts a JOIN alerts b ON b.id = $1 AND "
      "b.study = a.study WHERE a.id = $2 AND a.study = $3",
      {other, command.alert, study});
  if (!same && same.error().code != Errc::not_found) return same.error();
  if (!same) return fault("there is no " + name);
  if (*same == 0) return fault(name + " is of another subject");
  auto life = store::read_alert_life(connection, other);
  if (!life) return life.error();
  if (*life && (*life)->duplicate_of != 0) {
    return fault(name + " is a duplicate itself, of alert " +
                 std::to_string((*life)->duplicate_of));
  }
  auto duplicates = connection.integer(
      "SELECT count(*) FROM alert_states WHERE duplicate_of = $1 AND duplicate_of <> 0",
      {command.alert});
  if (!duplicates) return duplicates.error();
  if (*duplicates != 0) return fault("it has duplicates of its own; reopen them first");
  return model::Faults();
}

Result<AlertOutcome> change(store::Writer& writer, const Submission& submission,
                            const ChangeAlert& command) {
  store::AlertStep wish{.type = command.type, .detail = command.detail};
  if (command.type == AlertEventType::merged) {
    auto place = store::alert_site(writer.connection(), submission.study->row, command.alert);
    if (!place) return place.error();
    auto faults = merge_faults(writer.connection(), submission.study->row, command);
    if (!faults) return faults.error();
    if (!faults->empty()) return refuse(Verdict::conflict, std::move(*faults));
  }
  const model::Escalation* escalation = escalation_of(submission);
  if (command.type == AlertEventType::reopened && escalation != nullptr) {
    auto severity = store::alert_severity(writer.connection(), command.alert);
    if (!severity) return severity.error();
    if (const model::EscalationTier* tier = escalation->tier(*severity, 1)) {
      wish.detail.targets = tier->targets;
      wish.detail.tier = 1;
    }
  }
  return step(writer, submission, command.alert, wish, command.note);
}

Result<AlertOutcome> escalate(store::Writer& writer, const Submission& submission,
                              const EscalateAlert& command) {
  const std::string name = "alert " + std::to_string(command.alert);
  auto wait = store::read_wait(writer.connection(), command.alert, command.storm);
  if (!wait) return wait.error();
  if (!*wait || (*wait)->tier != command.told) {
    return Error{Errc::conflict, name + " does not wait for tier " + std::to_string(command.told)};
  }
  const model::Escalation* escalation = escalation_of(submission);
  const auto next = escalation != nullptr
                        ? escalation->next((*wait)->severity, command.told)
                        : std::nullopt;
  if (!next) return Error{Errc::conflict, name + ": there is nobody to tell next"};
  const std::int64_t late_ms = writer.steady_ms() - ((*wait)->since_ms + next->after_ms);
  if (late_ms < 0) return Error{Errc::conflict, name + ": the time of its tier is not over"};
  store::AlertStep told{.type = AlertEventType::escalated};
  told.detail.tier = next->tier;
  told.detail.targets = escalation->tier((*wait)->severity, next->tier)->targets;
  if (late_ms >= kLateMs) told.detail.late_ms = late_ms;
  if (command.storm) {
    told.detail.storm = command.alert;
    told.detail.count = (*wait)->count;
  }
  auto number = store::step_alert(writer, submission.study->row, command.alert, told,
                                  act_of(submission, ""));
  if (!number) return number.error();
  if (command.storm) {
    auto put = store::storm_told(writer, command.alert, next->tier, submission.received_ms);
    if (!put) return put.error();
  }
  return done(command.alert, *number);
}

}  // namespace

Result<AlertOutcome> apply_to_alert(store::Writer& writer, const Submission& submission,
                                    const Command& command) {
  if (const auto* escalation = std::get_if<EscalateAlert>(&command)) {
    return escalate(writer, submission, *escalation);
  }
  const auto* acknowledged = std::get_if<AcknowledgeAlert>(&command);
  const std::int64_t alert =
      acknowledged != nullptr ? acknowledged->alert : std::get<ChangeAlert>(command).alert;
  if (!submission.site.empty()) {
    auto site = store::alert_site(writer.connection(), submission.study->row, alert);
    if (!site) return site.error();
    if (*site != submission.site) {
      return refuse(Verdict::forbidden, {{"", "the alert is of another site"}});
    }
  }
  if (acknowledged != nullptr) return acknowledge(writer, submission, *acknowledged);
  return change(writer, submission, std::get<ChangeAlert>(command));
}

}  // namespace trialward::intake
