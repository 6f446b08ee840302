#include "base/json_writer.h"
#include "model/effective_time.h"
#include "schedule/cycle.h"

namespace trialward::schedule {

std::string to_json(const CycleReport& report) {
  base::JsonWriter json;
  json.begin_object()
      .member("dry_run", report.dry)
      .member("whole", report.whole)
      .member("listed", report.listed)
      .member("listed_whole", report.listed_whole)
      .member("started_at", model::format_utc(report.started_ms));
  if (report.ended_ms != 0) json.member("ended_at", model::format_utc(report.ended_ms));
  json.member("subjects", report.subjects);
  for (std::size_t i = 1; i < store::kSyncStates; ++i) {
    std::string name(store::to_string(static_cast<store::SyncState>(i)));
    if (const std::size_t at = name.find('-'); at != name.npos) name[at] = '_';
    json.member(name, report.states[i]);
  }
  json.member("calls", report.calls)
      .member("failed_calls", report.failed_calls)
      .member("repeated_calls", report.repeated)
      .member("listed_changes", report.listed_changes)
      .member("strangers", report.strangers)
      .member("looked_at", report.looked)
      .member("pushed", report.pushed)
      .member("accepted", report.accepted)
      .member("conflicts", report.conflicts)
      .member_if("error", report.error);
  return json.end_object().take();
}

// What would change of one subject.
void Cycle::note_difference(const PatientSync& sync) {
  const auto& accepted = sync.accepted();
  const auto& conflicts = sync.conflicts();
  if (accepted.empty() && conflicts.empty() && !sync.pushes() &&
      sync.state() != store::SyncState::unreachable) {
    return;
  }
  base::JsonWriter json;
  json.begin_object().member("subject", sync.subject().subject).member("site",
                                                                       sync.subject().site);
  json.member("state", store::to_string(sync.state())).member_if("note", sync.row().note);
  json.member("push", sync.pushes()).key("accept").begin_array();
  const auto occurrence = [&json](const OccurrenceKey& key) {
    json.begin_object()
        .member("activity", key.activity)
        .member("number", key.number)
        .member("event", key.event);
  };
  const auto time = [&json](const char* name, std::int64_t ms) {
    if (ms != 0) json.member(name, model::format_utc(ms));
  };
  for (std::size_t i = 0; i < accepted.size() && i < kAcceptedListed; ++i) {
    const Accepted& one = accepted[i];
    occurrence(one.key);
    json.member("from", to_string(one.before.status)).member("to", to_string(one.after.status));
    time("from_start", one.before.start_ms);
    time("to_start", one.after.start_ms);
    if (one.before.end_ms != one.before.start_ms) time("from_end", one.before.end_ms);
    if (one.after.end_ms != one.after.start_ms) time("to_end", one.after.end_ms);
    json.end_object();
  }
  json.end_array().key("conflicts").begin_array();
  for (const Conflict& one : conflicts) {
    occurrence(one.key);
    json.member("theirs", to_string(one.theirs));
    time("start", one.start_ms);
    json.member("why", one.why).end_object();
  }
  json.end_array();
  if (accepted.size() > kAcceptedListed || sync.conflict_count() > std::ssize(conflicts)) {
    json.member("cut", true);
  }
  json.end_object();
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = difference_bytes_ + json.text().size();
  if (report_.differences.size() == kDifferencesMax || bytes > kDifferencesBytesMax) {
    ++report_.differences_left_out;
    return;
  }
  difference_bytes_ = bytes;
  report_.differences.push_back(json.take());
}

}  // namespace trialward::schedule
