// The report service's jobs: who asked for which reports, which of them wait, run or are done, and
// where their results are kept. What a report is, it does not know: it calls who makes it.
//
// A job is what one request asked for, a run is the making of one report. Requests for the same
// report (Wish::key) share a run that waits, or one that is under way if nothing was committed
// since it was asked for: nobody is given a report without what was there when he asked.
//
// Only `at_once` runs are under way at a time, so that reports leave processors and disk to the
// rest however many are asked for; the others wait in a bounded queue in which studies, and within
// them their users, take turns. A run has a deadline, from when it was asked for, and ends early
// when nobody wants it any more. Results are files in a folder of the service's own, kept until
// they are too old or too many; the service's start empties it.
//
// Any thread may call anything; stop() one that is not the service's. They must be stopped before
// what their runs use goes.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "runtime/bounded_queue.h"
#include "runtime/cancel.h"
#include "runtime/job_pool.h"

namespace trialward::reports {

struct ReportJobsOptions {
  std::string folder;  // made when it is not there; its parent must be
  std::size_t at_once = 2;
  std::size_t waiting_max = 256;  // runs
  unsigned user_share = 4;        // see runtime::LaneOptions::share
  std::size_t reports_per_job_max = 64;
  // Known at a time, those that have ended included: a user's oldest give way to his newer ones.
  std::size_t jobs_max = 1000, user_jobs_max = 100;
  std::uint64_t kept_bytes_max = 512 << 20;
  base::Duration kept = std::chrono::hours(24);
  base::Duration deadline = std::chrono::minutes(5);
  base::Duration told_every = std::chrono::milliseconds(200);  // of its progress, at most
};

enum class RunState : std::uint8_t { waiting, running, done, failed, cancelled };
std::string_view to_string(RunState state);

struct ResultFile {
  std::string format;  // "json"
  std::string content_type;
  std::string path;
  std::uint64_t bytes = 0;
};

// What a run is given. The calls are for the thread that runs.
struct RunContext {
  const runtime::Cancel& cancel;  // to be looked at between pieces of work
  std::string path;               // of the result files, which add their endings
  std::uint64_t version = 0;      // of the store, that the result must hold at least
  std::function<void(std::uint64_t done, std::uint64_t all)> progress;
};
using MakeReport = std::function<base::Result<std::vector<ResultFile>>(const RunContext&)>;

struct Wish {
  std::string report;         // its id
  std::string request;        // all that was asked for, as JSON: for who asks what a run is
  std::string name;           // for its files
  std::string key;            // all that the result depends on, but for the store's content
  std::uint64_t version = 0;  // of the store when it was asked for: grows with each commit
  MakeReport make;  // let go when the run has ended, or nobody wants it any more
};

struct RunView {
  std::string report, request, name;  // as of its Wish
  RunState state{};
  std::uint64_t done = 0, all = 0;  // pieces of work; all: 0 until it is known
  std::string reason;               // why it failed
  std::vector<ResultFile> files;    // of a done one
};

struct JobOwner {
  std::int64_t study = 0;
  std::int64_t user = 0;
  bool operator==(const JobOwner&) const = default;
};

struct JobView {
  std::string id;
  JobOwner owner;
  std::int64_t created_ms = 0;
  std::vector<RunView> runs;
  // Nothing of it will change any more.
  bool ended() const;
};

// Somebody who follows a job.
class JobWatcher {
 public:
  virtual ~JobWatcher() = default;
  // view() has something new, or the job has gone. On any thread, two at a time perhaps; must not
  // block.
  virtual void changed() = 0;
};

struct ReportJobsStats {
  std::size_t jobs = 0, waiting = 0, running = 0;
  std::uint64_t kept_bytes = 0;
  std::uint64_t done = 0, failed = 0, cancelled = 0;  // runs, so far
  std::uint64_t shared = 0;   // wishes that found their run there already, so far
  std::uint64_t refused = 0;  // jobs, so far
};

class ReportJobs {
 public:
  // Error: unavailable (the folder).
  static base::Result<std::unique_ptr<ReportJobs>> open(ReportJobsOptions options,
                                                        runtime::TaskList& tasks,
                                                        base::Random& random);
  ~ReportJobs();
  ReportJobs(const ReportJobs&) = delete;
  ReportJobs& operator=(const ReportJobs&) = delete;

  // The new job's id, which cannot be guessed. Errors: invalid (no reports, or too many), refused
  // (no room; nothing of it was taken).
  base::Result<std::string> submit(JobOwner owner, std::vector<Wish> wishes);
  std::optional<JobView> view(const std::string& job) const;
  // Newest first.
  std::vector<JobView> of_owner(const JobOwner& owner, std::size_t limit) const;
  // Forgets the job, its results and the runs that nobody else wants. False: there is no such job.
  bool cancel(const std::string& job);
  // Until the watcher has gone. False: there is no such job.
  bool watch(const std::string& job, std::weak_ptr<JobWatcher> watcher);
  // Drops what is kept too long. To be called now and then.
  void sweep();
  // Refuses newcomers, cancels all, and returns when the last run has ended.
  void stop();

  ReportJobsStats stats() const;

 private:
  struct Job;
  struct Run;
  class Turn;
  using Jobs = std::list<std::unique_ptr<Job>>;
  using RunPointer = std::shared_ptr<Run>;  // shared: by its jobs, the queue and who runs it
  using Watchers = std::vector<std::weak_ptr<JobWatcher>>;
  // What is to be done once the lock is free.
  struct Later {
    std::vector<RunPointer> unwanted;
    std::vector<MakeReport> given_up;  // let go with it: of runs that were never begun
    Watchers watchers;
  };

  ReportJobs(ReportJobsOptions options, runtime::TaskList& tasks, base::Random& random);
  std::string make_id();
  // What needs the lock.
  base::Status add_runs(Job& job, std::vector<Wish>& wishes);
  // One that serves the wish, too; null when there is none.
  RunPointer same_run(const Wish& wish) const;
  Job* find(const std::string& id) const;
  void add_watchers(const Run& run, Watchers& watchers) const;
  void forget(Jobs::iterator job, Later& later);
  void make_room(Later& later);
  void make_room_of(const JobOwner& owner, Later& later);
  std::size_t jobs_of(const JobOwner& owner) const;
  // Of those with jobs that have ended, whose results take most.
  std::optional<JobOwner> keeps_most() const;
  // Forgets the owner's oldest that has ended. False: none has.
  bool forget_oldest(const JobOwner& owner, Later& later);
  static JobView view_of(const Job& job);
  static void tell(const Watchers& watchers);
  // What must not have it.
  void follow_up(const Later& later);
  void begin_runs();
  RunPointer next();
  void run(const RunPointer& run, const runtime::Cancel& cancel);
  void told(Run& run, std::uint64_t done, std::uint64_t all);
  void end(const RunPointer& run, RunState state, std::string reason,
           std::vector<ResultFile> files = {});

  const ReportJobsOptions options_;
  const base::Clock& clock_;
  base::Random& random_;
  mutable std::mutex mutex_;                  // guards all below, up to the pool
  Jobs jobs_;                                 // oldest first
  std::map<std::string, RunPointer> by_key_;  // that wait or are under way
  runtime::BoundedQueue<RunPointer> waiting_;
  ReportJobsStats stats_;
  bool stopped_ = false;
  runtime::JobPool pool_;  // last: it calls back
};

}  // namespace trialward::reports
