// How a cycle has written down what it came to: what the partner said, how far each subject is in
// step, and last up to where the list of changes was read.
#include <algorithm>

#include "model/effective_time.h"
#include "runtime/wait.h"
#include "schedule/cycle.h"

namespace trialward::schedule {

using store::SyncState;
using Alarm = store::SubjectSync::Alarm;

namespace {

store::AppointmentRow row_of(const OccurrenceKey& key, std::string_view state,
                             const std::string& partner, const std::string& version) {
  return {.activity = key.activity,
          .number = key.number,
          .event = key.event,
          .state = std::string(state),
          .partner = partner,
          .version = version};
}

}  // namespace

void Cycle::commit_said(JobId id, Job& job) {
  const PatientSync& sync = job.sync;
  store::SubjectSync one{.id = sync.subject().id,
                         .subject = sync.subject().subject,
                         .site = sync.subject().site,
                         .row = sync.subject().row};
  for (const Accepted& said : sync.accepted()) {
    auto row = row_of(said.key, to_string(said.after.status), partner_.name, sync.theirs());
    row.start_ms = said.after.start_ms;
    row.end_ms = said.after.end_ms;
    one.appointments.push_back(std::move(row));
  }
  // Nobody fills the store with what is refused.
  std::int64_t left = sync.conflict_count();
  for (const Conflict& conflict : sync.conflicts()) {
    if (refused_ == kRefusedOfCycle) break;
    ++refused_;
    --left;
    auto row = row_of(conflict.key, "refused", partner_.name, sync.theirs());
    row.start_ms = row.end_ms = conflict.start_ms;
    row.note = std::string(to_string(conflict.theirs)) + ": " + std::string(conflict.why);
    const bool last = &conflict == &sync.conflicts().back() || refused_ == kRefusedOfCycle;
    if (last && left > 0) row.note += "; and " + std::to_string(left) + " more";
    one.appointments.push_back(std::move(row));
  }
  // Should it end here, the next cycle looks again.
  one.row.seen = sync.theirs();
  if (one.row.out_since_ms == 0) one.row.out_since_ms = parts_.clock.utc_ms();
  one.row.state = SyncState::unreachable;
  one.row.note = "it was not finished";
  std::vector<store::SubjectSync> subjects;
  subjects.push_back(std::move(one));
  if (store_now(std::move(subjects), std::nullopt, id)) {
    job.state = Job::State::committing;
  } else {
    make_ready(id, job, parts_.clock.now() + kNoRoom);
  }
}

bool Cycle::store_now(std::vector<store::SubjectSync> subjects,
                      std::optional<store::SyncMark> mark, JobId id) {
  for (store::SubjectSync& one : subjects) one.row.digest += place_;
  {
    const std::lock_guard lock(desk_->mutex);
    ++desk_->commits_out;
  }
  const bool taken =
      parts_.ledger.store(std::move(subjects), std::move(mark), [desk = desk_, id](bool stored) {
        const std::lock_guard lock(desk->mutex);
        desk->inbox.committed.emplace_back(id, stored);
        --desk->commits_out;
        desk->changed.notify_all();
      });
  if (taken) return true;
  const std::lock_guard lock(desk_->mutex);
  --desk_->commits_out;
  return false;
}

void Cycle::finish(Job& job) {
  const PatientSync& sync = job.sync;
  {
    const std::lock_guard lock(mutex_);
    ++report_.states[static_cast<std::size_t>(sync.state())];
    report_.pushed += sync.pushes() ? 1 : 0;
    report_.looked += sync.looks() ? 1 : 0;
    report_.unlisted = report_.unlisted || sync.unlisted();
    if (options_.dry) {
      report_.accepted += std::ssize(sync.accepted());
      report_.conflicts += sync.conflict_count();
    }
  }
  if (options_.dry) return note_difference(sync);
  keep(sync.subject(), sync.row());
}

void Cycle::keep(const store::SyncSubject& subject, store::SyncRow row) {
  Alarm alarm = Alarm::none;
  const std::int64_t out_ms = row.out_since_ms == 0 ? 0 : parts_.clock.utc_ms() - row.out_since_ms;
  std::int64_t alert = 0;
  if (row.alert != 0 && row.out_since_ms == 0) {
    alarm = Alarm::end;
    alert = std::exchange(row.alert, 0);
  } else if (row.alert == 0 && options_.out_of_step_max_ms > 0 &&
             out_ms > options_.out_of_step_max_ms) {
    alarm = Alarm::raise;  // the store notes which alert it is
  }
  store::SyncRow before = subject.row;
  before.checked_ms = row.checked_ms;
  if (before == row && alarm == Alarm::none) return;
  rows_.push_back({.id = subject.id,
                   .subject = subject.subject,
                   .site = subject.site,
                   .row = std::move(row),
                   .alarm = alarm,
                   .alert = alert});
}

void Cycle::save_rows(bool all) {
  const base::TimePoint now = parts_.clock.now();
  if (options_.dry || rows_.empty() || !storing_.empty()) return;
  if (!all && rows_.size() < options_.rows_of_commit) return;
  if (now < next_save_) {
    wake_ = std::min(wake_, next_save_);
    return;
  }
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(rows_.size(), options_.rows_of_commit));
  storing_.assign(rows_.begin(), rows_.begin() + count);
  rows_.erase(rows_.begin(), rows_.begin() + count);
  if (store_now(storing_, std::nullopt, 0)) return;
  rows_.insert(rows_.end(), storing_.begin(), storing_.end());
  storing_.clear();
  next_save_ = now + kNoRoom;
  wake_ = std::min(wake_, next_save_);
}

// True: the store has done what it was given. One that does not answer is not waited for for ever
// when the cycle is stopped; what it does later is found by the next cycle.
bool Cycle::await_commits() {
  std::unique_lock lock(desk_->mutex);
  const auto done = [this] { return desk_->commits_out == 0; };
  desk_->changed.wait(lock, [&] { return done() || cancel_->fired(); });
  return runtime::wait_until(desk_->changed, lock, parts_.clock, parts_.clock.now() + kStoreWait,
                             done);
}

// No call of it is out afterwards. What had ended is still stored, if there is room.
void Cycle::take_back() {
  for (auto& [id, job] : jobs_) {
    if (job.state == Job::State::out) parts_.outbound.cancel(job.call);
  }
  Inbox inbox;
  {
    std::unique_lock lock(desk_->mutex);
    // Each ends soon, as the Outbound promises.
    desk_->changed.wait(lock, [this] { return desk_->calls_out == 0; });
    std::swap(inbox, desk_->inbox);
  }
  for (auto& [id, answer] : inbox.answers) {
    if (const auto job = jobs_.find(id); job != jobs_.end()) {
      settle(job->second.permit, answer);
    }
  }
  jobs_.clear();
  first_.clear();
  again_.clear();
}

void Cycle::save_mark() {
  if (options_.dry || !await_commits()) return;
  store::SyncMark mark{.partner = partner_.name + place_};
  const CycleReport report = progress();
  if (report.whole && report.listed && newest_listed_ms_) {
    // What is dated in the future must not hide what comes until then.
    seen_until_ms_ = std::min(*newest_listed_ms_, *partner_now_ms_);
  }
  if (seen_until_ms_) mark.seen_until = model::format_utc(*seen_until_ms_);
  mark.cycle = to_json(report);
  // What had ended when it was stopped goes along.
  rows_.insert(rows_.end(), storing_.begin(), storing_.end());
  storing_.clear();
  if (store_now(std::move(rows_), std::move(mark), 0)) (void)await_commits();
}

}  // namespace trialward::schedule
