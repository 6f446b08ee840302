#include "reports/report_jobs.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/log.h"

namespace trialward::reports {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::array<std::string_view, 5> kStates = {"waiting", "running", "done", "failed",
                                                     "cancelled"};

bool over(RunState state) { return state != RunState::waiting && state != RunState::running; }

runtime::QueueOptions queue_options(const ReportJobsOptions& options) {
  return {.lanes = {{.name = "reports",
                     .items_max = options.waiting_max,
                     .bytes_max = options.waiting_max,  // each counts as one
                     .share = options.user_share}},
          .aging = options.deadline};
}

// Whether a file is one of an earlier run's.
bool is_result(const std::string& name) {
  return name.find_first_not_of(kHex) == 2 * kIdBytes && name[2 * kIdBytes] == '.';
}

void remove_files(const std::vector<ResultFile>& files) {
  for (const ResultFile& file : files) {
    std::error_code error;
    std::filesystem::remove(file.path, error);
    if (error) base::log_warning("reports: cannot remove " + file.path + ": " + error.message());
  }
}

std::uint64_t bytes_of(const std::vector<ResultFile>& files) {
  std::uint64_t bytes = 0;
  for (const ResultFile& file : files) bytes += file.bytes;
  return bytes;
}

}  // namespace

std::string_view to_string(RunState state) { return kStates[static_cast<std::size_t>(state)]; }

bool JobView::ended() const {
  return std::all_of(runs.begin(), runs.end(), [](const RunView& run) { return over(run.state); });
}

struct ReportJobs::Run {
  std::string id;
  Wish wish;
  base::TimePoint deadline;
  const runtime::Cancel cancel;
  RunView view;
  std::uint64_t version = 0;  // that the result must hold; settled once it is under way
  base::TimePoint told;       // of its progress
  std::size_t jobs = 0;       // that want it
};

struct ReportJobs::Job {
  std::string id;
  JobOwner owner;
  std::int64_t created_ms = 0;
  base::TimePoint created;
  std::vector<RunPointer> runs;
  Watchers watchers;

  bool ended() const {
    return std::all_of(runs.begin(), runs.end(),
                       [](const RunPointer& run) { return over(run->view.state); });
  }
};

// A run on its way through the pool. Whoever lets it go last decides: one that was not begun by
// then was dropped.
class ReportJobs::Turn {
 public:
  Turn(ReportJobs& jobs, RunPointer run) : jobs_(jobs), run_(std::move(run)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (begun_) return;
    const bool late = jobs_.clock_.now() >= run_->deadline;
    jobs_.end(run_, late ? RunState::failed : RunState::cancelled,
              late ? "it waited past its deadline" : "");
  }
  void run(const runtime::Cancel& cancel) {
    begun_ = true;
    jobs_.run(run_, cancel);
  }

 private:
  ReportJobs& jobs_;
  const RunPointer run_;
  bool begun_ = false;
};

Result<std::unique_ptr<ReportJobs>> ReportJobs::open(ReportJobsOptions options,
                                                     runtime::TaskList& tasks,
                                                     base::Random& random) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directory(options.folder, error);
  if (!error) {
    fs::permissions(options.folder, fs::perms::owner_all, error);
  }
  if (!error) {
    for (const auto& file : fs::directory_iterator(options.folder, error)) {
      if (!is_result(file.path().filename().string())) continue;
      fs::remove(file.path(), error);
      if (error) break;
    }
  }
  if (error) return Error{Errc::unavailable, options.folder + ": " + error.message()};
  return std::unique_ptr<ReportJobs>(new ReportJobs(std::move(options), tasks, random));
}

ReportJobs::ReportJobs(ReportJobsOptions options, runtime::TaskList& tasks, base::Random& random)
    : options_(std::move(options)),
      clock_(tasks.clock()),
      random_(random),
      waiting_(queue_options(options_), clock_),
      pool_({.name = "report", .threads = options_.at_once, .queued_max = options_.at_once},
            tasks) {}

ReportJobs::~ReportJobs() { stop(); }

std::string ReportJobs::make_id() {
  std::array<std::byte, kIdBytes> bytes{};
  random_.fill(bytes);
  std::string id;
  for (const std::byte byte : bytes) {
    id += kHex[static_cast<std::size_t>(byte >> 4)];
    id += kHex[static_cast<std::size_t>(byte & std::byte{15})];
  }
  return id;
}

Result<std::string> ReportJobs::submit(JobOwner owner, std::vector<Wish> wishes) {
  if (wishes.empty()) return Error{Errc::invalid, "no reports are asked for"};
  if (wishes.size() > options_.reports_per_job_max) {
    return Error{Errc::invalid, "at most " + std::to_string(options_.reports_per_job_max) +
                                    " reports in one request"};
  }
  auto job = std::make_unique<Job>();
  job->id = make_id();
  job->owner = owner;
  job->created_ms = clock_.utc_ms();
  job->created = clock_.now();
  const std::string id = job->id;
  std::optional<Error> refused;
  Later later;
  {
    const std::lock_guard lock(mutex_);
    make_room(later);
    make_room_of(owner, later);
    auto added = add_runs(*job, wishes);
    if (added) {
      jobs_.push_back(std::move(job));
    } else {
      ++stats_.refused;
      refused = added.error();
    }
  }
  follow_up(later);
  if (refused) return *refused;
  begin_runs();
  return id;
}

// All or none.
Status ReportJobs::add_runs(Job& job, std::vector<Wish>& wishes) {
  if (stopped_) return Error{Errc::refused, "the server is stopping"};
  if (jobs_of(job.owner) >= options_.user_jobs_max) {
    return Error{Errc::refused, "too many of your report jobs are under way; try again later"};
  }
  if (jobs_.size() >= options_.jobs_max) {
    return Error{Errc::refused, "too many report jobs are known; try again later"};
  }
  const runtime::Flow flow(static_cast<std::uint64_t>(job.owner.study),
                           static_cast<std::uint64_t>(job.owner.user));
  std::map<std::string, RunPointer> fresh;
  std::vector<runtime::BoundedQueue<RunPointer>::Ticket> tickets;
  std::vector<std::uint64_t> versions;
  std::uint64_t shared = 0;
  for (Wish& wish : wishes) {
    versions.push_back(wish.version);
    RunPointer run = same_run(wish);
    if (run == nullptr) {
      const auto same = fresh.find(wish.key);
      if (same != fresh.end()) run = same->second;
    }
    if (run != nullptr) {
      ++shared;
    } else {
      auto ticket = waiting_.reserve(0, 1, flow);
      if (!ticket) {
        return Error{Errc::refused, ticket.error() == runtime::Refusal::share_full
                                        ? "too many of your reports wait already"
                                        : "too many reports wait already"};
      }
      tickets.push_back(std::move(*ticket));
      run = std::make_shared<Run>();
      run->id = make_id();
      run->deadline = clock_.now() + options_.deadline;
      run->view.report = wish.report;
      run->view.request = wish.request;
      run->view.name = wish.name;
      run->wish = std::move(wish);
      fresh.emplace(run->wish.key, run);
    }
    job.runs.push_back(std::move(run));
  }
  for (std::size_t i = 0; i < job.runs.size(); ++i) {
    Run& run = *job.runs[i];
    ++run.jobs;
    if (run.view.state != RunState::waiting) continue;
    run.version = std::max(run.version, versions[i]);
    run.deadline = clock_.now() + options_.deadline;  // whoever joins it has all of his time
  }
  stats_.shared += shared;
  // In the order in which they were asked for.
  auto ticket = tickets.begin();
  for (const RunPointer& run : job.runs) {
    const auto pending = fresh.find(run->wish.key);
    if (pending == fresh.end()) continue;
    by_key_.insert_or_assign(run->wish.key, run);
    ++stats_.waiting;
    const auto refused = waiting_.push(std::move(*ticket++), run, run->deadline);
    TW_CHECK(!refused);  // it is closed with the lock held
    fresh.erase(pending);
  }
  return {};
}

ReportJobs::RunPointer ReportJobs::same_run(const Wish& wish) const {
  const auto known = by_key_.find(wish.key);
  if (known == by_key_.end()) return nullptr;
  const Run& run = *known->second;
  const bool holds_all = run.view.state == RunState::waiting || wish.version <= run.version;
  return holds_all ? known->second : nullptr;
}

ReportJobs::Job* ReportJobs::find(const std::string& id) const {
  const auto found =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->id == id; });
  return found == jobs_.end() ? nullptr : found->get();
}

JobView ReportJobs::view_of(const Job& job) {
  JobView view{.id = job.id, .owner = job.owner, .created_ms = job.created_ms, .runs = {}};
  for (const RunPointer& run : job.runs) view.runs.push_back(run->view);
  return view;
}

std::optional<JobView> ReportJobs::view(const std::string& job) const {
  const std::lock_guard lock(mutex_);
  const Job* found = find(job);
  return found == nullptr ? std::nullopt : std::optional(view_of(*found));
}

std::vector<JobView> ReportJobs::of_owner(const JobOwner& owner, std::size_t limit) const {
  std::vector<JobView> views;
  const std::lock_guard lock(mutex_);
  std::any_of(jobs_.rbegin(), jobs_.rend(), [&](const auto& job) {
    if (job->owner == owner) views.push_back(view_of(*job));
    return views.size() == limit;
  });
  return views;
}

bool ReportJobs::watch(const std::string& job, std::weak_ptr<JobWatcher> watcher) {
  const std::lock_guard lock(mutex_);
  Job* found = find(job);
  if (found == nullptr) return false;
  std::erase_if(found->watchers, [](const auto& one) { return one.expired(); });
  found->watchers.push_back(std::move(watcher));
  return true;
}

void ReportJobs::tell(const Watchers& watchers) {
  for (const std::weak_ptr<JobWatcher>& one : watchers) {
    if (const auto watcher = one.lock()) watcher->changed();
  }
}

bool ReportJobs::cancel(const std::string& id) {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    const auto job =
        std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& one) { return one->id == id; });
    if (job == jobs_.end()) return false;
    forget(job, later);
  }
  follow_up(later);
  return true;
}

// The job is gone, and with it the runs that nobody else wants.
void ReportJobs::forget(Jobs::iterator job, Later& later) {
  for (const RunPointer& run : (*job)->runs) {
    if (--run->jobs > 0) continue;
    later.unwanted.push_back(run);
    // Nobody can join it any more, so what it would have used need not wait for its turn.
    if (run->view.state == RunState::waiting) {
      later.given_up.push_back(std::exchange(run->wish.make, nullptr));
    }
    stats_.kept_bytes -= bytes_of(run->view.files);
    const auto known = by_key_.find(run->wish.key);
    if (known != by_key_.end() && known->second == run) by_key_.erase(known);
  }
  std::move((*job)->watchers.begin(), (*job)->watchers.end(), std::back_inserter(later.watchers));
  jobs_.erase(job);
}

// What is too old goes; and while there is too much, the oldest of whoever keeps most: nobody loses
// his results to another who asks for a great deal.
void ReportJobs::make_room(Later& later) {
  const base::TimePoint kept_since = clock_.now() - options_.kept;
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const auto next = std::next(job);
    if ((*job)->created < kept_since && (*job)->ended()) forget(job, later);
    job = next;
  }
  while (jobs_.size() >= options_.jobs_max || stats_.kept_bytes > options_.kept_bytes_max) {
    const auto owner = keeps_most();
    if (!owner) return;
    forget_oldest(*owner, later);
  }
}

void ReportJobs::make_room_of(const JobOwner& owner, Later& later) {
  while (jobs_of(owner) >= options_.user_jobs_max && forget_oldest(owner, later)) {
  }
}

std::size_t ReportJobs::jobs_of(const JobOwner& owner) const {
  return static_cast<std::size_t>(std::count_if(
      jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->owner == owner; }));
}

std::optional<JobOwner> ReportJobs::keeps_most() const {
  struct Kept {
    std::uint64_t bytes = 0;
    std::size_t jobs = 0;
    auto operator<=>(const Kept&) const = default;
  };
  std::map<std::pair<std::int64_t, std::int64_t>, Kept> owners;
  for (const auto& job : jobs_) {
    if (!job->ended()) continue;
    Kept& kept = owners[{job->owner.study, job->owner.user}];
    ++kept.jobs;
    for (const RunPointer& run : job->runs) kept.bytes += bytes_of(run->view.files);
  }
  const auto most =
      std::max_element(owners.begin(), owners.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == owners.end()) return std::nullopt;
  return JobOwner{.study = most->first.first, .user = most->first.second};
}

bool ReportJobs::forget_oldest(const JobOwner& owner, Later& later) {
  const auto oldest = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& job) {
    return job->owner == owner && job->ended();
  });
  if (oldest == jobs_.end()) return false;
  forget(oldest, later);
  return true;
}

void ReportJobs::follow_up(const Later& later) {
  for (const RunPointer& run : later.unwanted) {
    run->cancel.fire(runtime::CancelReason::requested);
    std::vector<ResultFile> files;
    {
      const std::lock_guard lock(mutex_);
      files.swap(run->view.files);
    }
    remove_files(files);
  }
  tell(later.watchers);
}

void ReportJobs::sweep() {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    make_room(later);
  }
  follow_up(later);
}

// The next that somebody wants, now under way; null when none waits or enough are.
ReportJobs::RunPointer ReportJobs::next() {
  const std::lock_guard lock(mutex_);
  while (!stopped_ && stats_.running < options_.at_once) {
    auto batch = waiting_.pop_batch({.items_max = 1, .bytes_max = 1});
    if (batch.empty()) return nullptr;
    // One past its deadline goes the same way: its Turn ends it, unless somebody joined it since.
    RunPointer run = std::move(batch.items.empty() ? batch.expired.front() : batch.items.front());
    --stats_.waiting;
    if (run->jobs == 0) {
      ++stats_.cancelled;
      continue;
    }
    ++stats_.running;
    run->view.state = RunState::running;
    return run;
  }
  return nullptr;
}

void ReportJobs::begin_runs() {
  while (RunPointer run = next()) {
    // One that is refused is ended by its Turn.
    (void)pool_.submit(
        "report." + run->wish.report, run->deadline,
        [turn = std::make_shared<Turn>(*this, run)](const runtime::Cancel& cancel) {
          turn->run(cancel);
          return Status();
        },
        run->cancel);
  }
}

void ReportJobs::run(const RunPointer& run, const runtime::Cancel& cancel) {
  const RunContext context{
      .cancel = cancel,
      .path = options_.folder + "/" + run->id,
      .version = run->version,
      .progress = [this, &run](std::uint64_t done, std::uint64_t all) { told(*run, done, all); }};
  RunState state = RunState::failed;
  std::string reason;
  std::vector<ResultFile> files;
  try {
    auto made = run->wish.make(context);
    if (made) {
      state = RunState::done;
      files = std::move(*made);
    } else if (cancel.reason() == runtime::CancelReason::deadline) {
      reason = "it took longer than its deadline allows";
    } else if (cancel.fired()) {
      state = RunState::cancelled;
    } else {
      reason = made.error().message;
    }
  } catch (const std::exception& error) {
    base::log_error("reports: " + run->wish.report + ": " + error.what());
    reason = "an error of the server; see its log";
  }
  end(run, state, std::move(reason), std::move(files));
}

void ReportJobs::told(Run& run, std::uint64_t done, std::uint64_t all) {
  Watchers watchers;
  {
    const std::lock_guard lock(mutex_);
    run.view.done = done;
    run.view.all = all;
    const base::TimePoint now = clock_.now();
    if (now - run.told < options_.told_every) return;
    run.told = now;
    add_watchers(run, watchers);
  }
  tell(watchers);
}

void ReportJobs::add_watchers(const Run& run, Watchers& watchers) const {
  for (const auto& job : jobs_) {
    const bool has = std::any_of(job->runs.begin(), job->runs.end(),
                                 [&](const RunPointer& one) { return one.get() == &run; });
    if (has) watchers.insert(watchers.end(), job->watchers.begin(), job->watchers.end());
  }
}

void ReportJobs::end(const RunPointer& run, RunState state, std::string reason,
                     std::vector<ResultFile> files) {
  Later later;
  bool wanted = false;
  MakeReport made;  // with what it holds
  {
    const std::lock_guard lock(mutex_);
    --stats_.running;
    ++(state == RunState::done     ? stats_.done
       : state == RunState::failed ? stats_.failed
                                   : stats_.cancelled);
    run->view.state = state;
    run->view.reason = std::move(reason);
    const auto known = by_key_.find(run->wish.key);
    if (known != by_key_.end() && known->second == run) by_key_.erase(known);
    made.swap(run->wish.make);
    wanted = run->jobs > 0;
    if (wanted) {
      stats_.kept_bytes += bytes_of(files);
      run->view.files = std::move(files);
      add_watchers(*run, later.watchers);
      make_room(later);
    }
  }
  if (!wanted) {
    remove_files(files);
    // Whoever forgot it is about to: what it used goes as of one that was cancelled.
    run->cancel.fire(runtime::CancelReason::requested);
  }
  follow_up(later);
  begin_runs();
}

void ReportJobs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const RunPointer& run : waiting_.close_now()) {
      --stats_.waiting;
      ++stats_.cancelled;
      run->view.state = RunState::cancelled;
    }
    by_key_.clear();
  }
  pool_.stop();
}

ReportJobsStats ReportJobs::stats() const {
  const std::lock_guard lock(mutex_);
  ReportJobsStats stats = stats_;
  stats.jobs = jobs_.size();
  return stats;
}

}  // namespace trialward::reports
