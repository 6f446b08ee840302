#include "schedule/cycle.h"

#include <algorithm>

#include "runtime/wait.h"

namespace trialward::schedule {

using base::Errc;
using runtime::BreakerState;
using store::SyncState;

namespace {

constexpr int kSavesMax = 5;
constexpr std::size_t kBegunAtOnce = 16;  // between two looks at what has come
constexpr std::size_t kRowsWaiting = 8;   // commits' worth of rows: more subjects wait for them

constexpr std::size_t kPlaceDigits = 16;
constexpr std::string_view kDown = "the partner does not answer";

std::string base_url_of(const Partner& partner, const std::string& study) {
  constexpr std::string_view kPlace = "{study}";
  std::string url = partner.url;
  if (const std::size_t at = url.find(kPlace); at != url.npos) {
    url.replace(at, kPlace.size(), study);
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string place_of(const Partner& partner, const std::string& url) {
  return "@" + base::to_hex(base::sha256(partner.name + "\n" + url)).substr(0, kPlaceDigits);
}

}  // namespace

Cycle::Cycle(Parts parts, const Partner& partner, CycleOptions options)
    : parts_(parts),
      partner_(partner),
      options_(std::move(options)),
      base_url_(base_url_of(partner, options_.study)),
      place_(place_of(partner, base_url_)) {
  report_.dry = options_.dry;
  report_.started_ms = parts_.clock.utc_ms();
}

CycleReport Cycle::run(const runtime::Cancel& cancel) {
  cancel_ = &cancel;
  const auto wake = cancel.on_fire([this](runtime::CancelReason) {
    const std::lock_guard lock(desk_->mutex);
    desk_->changed.notify_all();
  });
  pull();
  work();
  take_back();
  {
    const std::lock_guard lock(mutex_);
    report_.ended_ms = parts_.clock.utc_ms();
    if (report_.error.empty() && stopped()) report_.error = "it was stopped";
    if (report_.error.empty() && down_) report_.error = kDown;
  }
  save_mark();
  return progress();
}

CycleReport Cycle::progress() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

bool Cycle::stopped() const {
  return cancel_->fired() || (options_.on_duty && !options_.on_duty());
}

base::Result<base::Outbound::Id> Cycle::begin_call(base::OutboundRequest request, JobId id) {
  {
    const std::lock_guard lock(desk_->mutex);
    ++desk_->calls_out;
  }
  auto call = parts_.outbound.send(
      std::move(request), [desk = desk_, id](base::OutboundAnswer answer) {
        const std::lock_guard lock(desk->mutex);
        desk->inbox.answers.emplace_back(id, std::move(answer));
        --desk->calls_out;
        desk->changed.notify_all();
      });
  if (call) return call;
  const std::lock_guard lock(desk_->mutex);
  --desk_->calls_out;
  return call;
}

void Cycle::wait(base::TimePoint until) {
  std::unique_lock lock(desk_->mutex);
  const Inbox& inbox = desk_->inbox;
  runtime::wait_until(desk_->changed, lock, parts_.clock, until, [&] {
    return cancel_->fired() || !inbox.answers.empty() || !inbox.committed.empty();
  });
}

base::OutboundRequest Cycle::request_to(std::string url) const {
  base::OutboundRequest request;
  request.name = "schedule sync " + options_.study;
  request.method = "GET";
  request.url = std::move(url);
  request.ca_file = partner_.ca_file;
  request.answer_bytes_max = kCarePlanBytesMax;
  request.deadlines = {.connect = std::min(request.deadlines.connect, partner_.timeout),
                       .header = partner_.timeout,
                       .stall = partner_.timeout,
                       .total = partner_.timeout};
  if (!partner_.token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + partner_.token);
  }
  return request;
}

// A partner whose breaker is open is waited for, but not for ever.
void Cycle::look_at_partner() {
  const base::TimePoint now = parts_.clock.now();
  const runtime::RemoteReport remote = parts_.remote.report();
  const bool waits =
      remote.breaker.state != BreakerState::closed || remote.paused > base::Duration::zero();
  if (!waits) silent_since_.reset();
  if (waits && !silent_since_) silent_since_ = now;
  if (!waits || down_ || now - *silent_since_ < partner_.patience) return;
  down_ = true;
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    Job& job = at->second;
    if (job.state == Job::State::ready && job.sync.step() == PatientSync::Step::call) {
      (job.repeats ? again_ : first_).erase({job.due, at->first});
      job.sync.give_up(kDown);
      finish(job);
      at = jobs_.erase(at);
    } else {
      ++at;
    }
  }
}

void Cycle::work() {
  while (report_.error.empty()) {
    if (stopped()) return;
    wake_ = parts_.clock.now() + kIdle;
    take_inbox();
    look_at_partner();
    const bool more = fill();
    begin_calls();
    const bool last = walked_ && page_.empty() && jobs_.empty();
    save_rows(last);
    if (last && rows_.empty() && storing_.empty()) {
      const std::lock_guard lock(mutex_);
      report_.whole = true;
      return;
    }
    if (!more) wait(wake_);
  }
}

bool Cycle::take_inbox() {
  Inbox inbox;
  {
    const std::lock_guard lock(desk_->mutex);
    std::swap(inbox, desk_->inbox);
  }
  for (auto& [id, answer] : inbox.answers) {
    const auto job = jobs_.find(id);
    TW_CHECK(job != jobs_.end());
    take_answer(id, job->second, answer);
  }
  for (const auto& [id, stored] : inbox.committed) {
    if (id != 0) {
      Job& job = jobs_.at(id);
      job.sync.committed(stored);
      if (stored) {
        const std::lock_guard lock(mutex_);
        report_.accepted += std::ssize(job.sync.accepted());
        report_.conflicts += job.sync.conflict_count();
      }
      move_on(id, job);
      continue;
    }
    if (stored) {
      storing_.clear();
      saves_failed_ = 0;
      continue;
    }
    rows_.insert(rows_.end(), std::make_move_iterator(storing_.begin()),
                 std::make_move_iterator(storing_.end()));
    storing_.clear();
    next_save_ = parts_.clock.now() + kNoRoom;
    if (++saves_failed_ < kSavesMax) continue;
    const std::lock_guard lock(mutex_);
    report_.error = "what it came to could not be stored";
  }
  return !inbox.answers.empty() || !inbox.committed.empty();
}

void Cycle::take_answer(JobId id, Job& job, const base::OutboundAnswer& answer) {
  settle(job.permit, answer);
  const base::TimePoint now = parts_.clock.now();
  const bool well = is_well(answer);
  const bool settled = job.sync.answer(answer);
  {
    const std::lock_guard lock(mutex_);
    report_.failed_calls += well && settled ? 0 : 1;
  }
  if (!settled && down_) job.sync.give_up(kDown);
  if (settled || down_) {
    job.pause.reset();
    job.repeats = false;
    return move_on(id, job);
  }
  job.repeats = true;
  make_ready(id, job, now + job.pause.next());
}

void Cycle::make_ready(JobId id, Job& job, base::TimePoint due) {
  job.state = Job::State::ready;
  job.due = due;
  (job.repeats ? again_ : first_).emplace(due, id);
}

// After a step of its own; it may have ended, and then it is gone.
void Cycle::move_on(JobId id, Job& job) {
  using Step = PatientSync::Step;
  if (job.sync.step() == Step::call && down_) job.sync.give_up(kDown);
  if (job.sync.step() == Step::commit) return commit_said(id, job);
  if (job.sync.step() == Step::call) return make_ready(id, job, parts_.clock.now());
  finish(job);
  jobs_.erase(id);
}

// True: there is more to begin at once.
bool Cycle::fill() {
  const std::size_t jobs_max = partner_.in_flight_max * kJobsPerCall;
  for (std::size_t begun = 0; begun < kBegunAtOnce; ++begun) {
    if (jobs_.size() >= jobs_max) return false;
    if (rows_.size() >= kRowsWaiting * options_.rows_of_commit) return false;
    if (page_.empty() && walked_) return false;
    if (page_.empty() && !read_page()) return false;
    if (page_.empty()) return false;
    store::SyncSubject subject = std::move(page_.back());
    page_.pop_back();
    begin(std::move(subject));
    if (!report_.error.empty()) return false;
  }
  return true;
}

bool Cycle::read_page() {
  auto page = store::read_sync_subjects(
      parts_.reader,
      {.study = options_.study_row, .after = after_, .limit = options_.subjects_of_page});
  if (!page) {
    fail(page.error().message);
    return false;
  }
  walked_ = page->size() < options_.subjects_of_page;
  if (!page->empty()) after_ = page->back().id;
  page_ = std::move(*page);
  std::reverse(page_.begin(), page_.end());
  if (walked_ && page_.empty()) count_strangers();
  return true;
}

void Cycle::fail(std::string why) {
  const std::lock_guard lock(mutex_);
  report_.error = std::move(why);
}

void Cycle::count_strangers() {
  const std::lock_guard lock(mutex_);
  report_.strangers = std::ssize(listed_);
}

void Cycle::take_place_off(store::SyncRow& row) const {
  if (row.digest.ends_with(place_)) {
    row.digest.resize(row.digest.size() - place_.size());
  } else {
    row.version = row.seen = row.digest = "";
  }
}

// Nothing of ours and nothing of theirs can have changed since they were in step.
bool Cycle::is_quiet(const store::SyncSubject& subject, const std::string& listed) const {
  const store::SyncRow& row = subject.row;
  return report_.listed && !row.version.empty() && row.out_since_ms == 0 &&
         (listed.empty() ? !list_whole_ : listed == row.version) &&
         row.last_record == subject.last_record && row.definition == options_.definition &&
         parts_.clock.utc_ms() < row.check_after_ms && !is_turn_of(subject);
}

// A list may leave a change out: the partner was restored from a backup, or its clock ran ahead for
// a while. So everybody is looked at now and then, some in each cycle.
bool Cycle::is_turn_of(const store::SyncSubject& subject) const {
  const store::SyncRow& row = subject.row;
  const auto since = std::chrono::milliseconds(parts_.clock.utc_ms() - row.in_step_ms);
  const bool is_recent = since >= since.zero() && since < kLookAfter;
  if (row.version.empty() || is_recent) return false;
  const std::int64_t turns = std::max<std::int64_t>(1, kLookWithin / partner_.every);
  return (subject.id + options_.number) % turns == 0;
}

void Cycle::begin(store::SyncSubject subject) {
  std::string listed;
  if (auto node = listed_.extract(care_plan_id(subject.subject)); !node.empty()) {
    listed = std::move(node.mapped());
  }
  if (walked_ && page_.empty()) count_strangers();
  {
    const std::lock_guard lock(mutex_);
    ++report_.subjects;
  }
  take_place_off(subject.row);
  store::SyncRow row = subject.row;
  if (is_quiet(subject, listed)) {
    row.state = SyncState::in_step;
    row.conflicts = 0;
    row.note.clear();
    if (!options_.dry) keep(subject, std::move(row));
    const std::lock_guard lock(mutex_);
    ++report_.states[static_cast<std::size_t>(SyncState::in_step)];
    return;
  }
  const bool is_listed = !listed.empty();
  const std::int64_t now_ms = parts_.clock.utc_ms();
  auto plan = parts_.planner.plan(parts_.reader, subject, now_ms);
  PatientSync::Options options{.study = options_.study,
                               .listed = std::move(listed),
                               .unchanged = report_.listed && row.out_since_ms == 0 &&
                                            (!list_whole_ || is_listed),
                               .look = is_turn_of(subject),
                               .dry = options_.dry,
                               .now_ms = now_ms,
                               .definition = options_.definition};
  std::string fault;
  if (!plan) {
    const Errc code = plan.error().code;
    if (code != Errc::invalid && code != Errc::refused) return fail(plan.error().message);
    fault = "it cannot be planned: " + plan.error().message;
  }
  PatientSync sync(std::move(subject), plan ? std::move(*plan) : PatientPlan(), std::move(options));
  if (!fault.empty()) sync.give_up(fault);
  const JobId id = next_job_++;
  auto [at, added] =
      jobs_.emplace(id, Job(std::move(sync), runtime::Backoff(options_.pause, parts_.random)));
  TW_CHECK(added);
  move_on(id, at->second);
}

// What has failed needs the budget's leave; what has not, does not wait for it.
void Cycle::begin_calls() {
  for (Due* due : {&first_, &again_}) {
    while (!due->empty()) {
      const auto [at, id] = *due->begin();
      const base::TimePoint now = parts_.clock.now();
      if (at > now) {
        wake_ = std::min(wake_, at);
        break;
      }
      Job& job = jobs_.at(id);
      if (job.sync.step() == PatientSync::Step::commit) {
        due->erase(due->begin());
        commit_said(id, job);
        continue;
      }
      auto permit = parts_.remote.admit(job.repeats);
      if (!permit) {
        wake_ = std::min(wake_, std::max(permit.error(), now));
        break;
      }
      due->erase(due->begin());
      job.permit = std::move(*permit);
      if (!send(id, job)) break;
    }
  }
}

bool Cycle::send(JobId id, Job& job) {
  PatientCall call = job.sync.call();
  base::OutboundRequest request =
      request_to(base_url_ + "/CarePlan/" + care_plan_id(job.sync.subject().subject));
  request.method = std::move(call.method);
  request.body = std::move(call.body);
  for (auto& header : call.headers) request.headers.push_back(std::move(header));
  job.state = Job::State::out;
  auto sent = begin_call(std::move(request), id);
  if (sent) {
    job.call = *sent;
    const std::lock_guard lock(mutex_);
    ++report_.calls;
    report_.repeated += job.repeats ? 1 : 0;
    return true;
  }
  job.permit.abandoned();
  if (sent.error().code == Errc::invalid) {
    job.sync.give_up(sent.error().message);
    move_on(id, job);
    return true;
  }
  make_ready(id, job, parts_.clock.now() + kNoRoom);
  return false;
}

}  // namespace trialward::schedule
