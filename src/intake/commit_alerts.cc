// What the commit of a record makes of alerts: they are raised, joined, taken back and told.
#include <algorithm>

#include "intake/committer.h"
#include "store/alert_rows.h"

namespace trialward::intake {

using base::Result;
using base::Status;
using model::StoredRecord;

store::AlertPlace Committer::place_of(const Submission& submission, const CachedSubject& subject,
                                      int shard) {
  return {.study = submission.study->row,
          .subject = subject.row.id,
          .site = subject.row.site,
          .definition = submission.study->definition,
          .shard = shard,
          .escalation = submission.study->study->escalation
                            ? &*submission.study->study->escalation
                            : nullptr};
}

Status Committer::raise(const Submission& submission, const CachedSubject& subject,
                        const StoredRecord& stored, const model::Observation& found,
                        CommandResult& result) {
  const Occasion occasion = Occasion::of(stored);
  auto place = place_of(submission, subject, stored.shard);
  for (const model::Match& match : found.matches) {
    auto historical = is_history(writer_.connection(), occasion, match, found);
    if (!historical) return historical.error();
    place.historical = *historical;
    auto done = raise_again(submission, place, match, &stored, result);
    if (!done) return done;
  }
  return {};
}

Status Committer::raise_again(const Submission& submission, const store::AlertPlace& place,
                              const model::Match& match, const StoredRecord* because,
                              CommandResult& result) {
  const auto& rules = submission.study->monitor->rules();
  auto raised = raise_one(submission, place, rules[match.rule], match, because, result);
  if (!raised) return raised.error();
  if (raised->raised) return {};
  auto again = store::ended_causes(writer_.connection(), raised->alert, match.causes);
  if (!again) return again.error();
  if (again->empty()) return {};
  const store::CauseChange change{.again = std::move(*again),
                                  .holds = true,
                                  .because = because != nullptr ? because->id : 0};
  return revise_one(submission, place, raised->alert, change);
}

Result<store::AlertChange> Committer::raise_one(const Submission& submission,
                                                const store::AlertPlace& place,
                                                const model::RuleInfo& rule,
                                                const model::Match& match,
                                                const StoredRecord* because,
                                                CommandResult& result) {
  const store::Act act{
      .actor = "monitor", .reason = match.detail, .at_ms = submission.received_ms};
  auto change = store::raise_or_join(writer_, place, rule, match, act);
  if (!change) return change;
  result.alerts.push_back(change->alert);
  result.raised += change->raised ? 1 : 0;
  if (change->told && because != nullptr && match.causes == std::vector{because->id}) {
    model::AlertEvent& event = *change->told;
    event.subject = because->record.subject;
    event.causes = {{because->id, because->record.source, because->record.source_id}};
    if (auto done = publish(submission, std::move(event)); !done) return done.error();
    return change;
  }
  for (const std::int64_t number : change->events) {
    if (auto done = publish(submission, number); !done) return done.error();
  }
  return change;
}

// What is left over may be no reason for an alert any more. A record that was corrected is no cause
// of anything, whatever rules there were when it was one.
Status Committer::revise(const Submission& submission, const CachedSubject& subject,
                         const StoredRecord& stored, const std::vector<model::Match>& ended) {
  if (ended.empty() && stored.record.amends == 0) return {};
  store::Connection& connection = writer_.connection();
  const auto& rules = submission.study->monitor->rules();
  store::AlertsOfCauses alerts;
  for (const model::Match& match : ended) {
    const store::CauseQuery query{
        .subject = subject.row.id, .rule = rules[match.rule].id, .group = match.group};
    for (const std::int64_t cause : match.causes) {
      auto done = store::find_alerts_of_cause(connection, query, cause, alerts);
      if (!done) return done;
    }
  }
  if (stored.record.amends != 0) {
    auto done = store::find_alerts_of_cause(connection, {.subject = subject.row.id},
                                            stored.record.amends, alerts);
    if (!done) return done;
  }
  const auto place = place_of(submission, subject, stored.shard);
  for (auto& [alert, found] : alerts) {
    if (found.rule == kRuleFailed) continue;  // it is about the rule
    auto left = store::causes_left(connection, alert, found.causes);
    if (!left) return left.error();
    // A binding by name is what the fuzz build's Clang cannot capture.
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&id = found.rule](const model::RuleInfo& info) {
          return info.id == id;
        });
    const bool holds =
        rule == rules.end()
            ? !left->empty()  // nobody knows the rule any more
            : subject.watch->holds(static_cast<std::size_t>(rule - rules.begin()), found.group,
                                   *left);
    const store::CauseChange change{
        .ended = std::move(found.causes), .holds = holds, .because = stored.id};
    if (auto done = revise_one(submission, place, alert, change); !done) return done;
  }
  return {};
}

Status Committer::revise_one(const Submission& submission, const store::AlertPlace& place,
                             std::int64_t alert, const store::CauseChange& change) {
  const store::Act act{.actor = "monitor", .at_ms = submission.received_ms};
  auto event = store::revise_causes(writer_, place, alert, change, act);
  if (!event) return event.error();
  return publish(submission, *event);
}

Status Committer::publish(const Submission& submission, std::int64_t number) {
  auto events =
      store::read_alert_events(writer_.connection(), submission.study->row, number - 1, 1);
  if (!events) return events.error();
  TW_CHECK(events->size() == 1);
  return publish(submission, std::move(events->front()));
}

Status Committer::publish(const Submission& submission, model::AlertEvent event) {
  // That an alert has arrived is told to nobody outside: that would have to arrive as well. And
  // nobody outside knows of what is about the past.
  if (routes_ != nullptr && !event.historical &&
      event.type != model::AlertEventType::delivered) {
    const ActiveStudy& study = *submission.study;
    const auto targets = routes_->targets(study.study->id, event);
    auto put = store::append_deliveries(writer_, study.row, event.number, targets,
                                        submission.received_ms);
    if (!put) return put;
  }
  publications_.push_back({.study = submission.study,
                           .event = std::move(event),
                           .received = submission.received});
  return {};
}

}  // namespace trialward::intake
