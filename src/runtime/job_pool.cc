#include "runtime/job_pool.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace trialward::runtime {
namespace {

// The pool whose job this thread runs. Only compared: it may be gone.
thread_local const JobPool* running_pool = nullptr;

// One lane, so its aging decides nothing; jobs have no size.
QueueOptions queue_options(const JobPoolOptions& options) {
  return {.lanes = {{.name = options.name, .items_max = options.queued_max, .bytes_max = 0}},
          .aging = std::chrono::hours(1)};
}

}  // namespace

class JobPool::Job {
 public:
  Job(const JobPool* its_pool, std::string its_name, base::TimePoint its_deadline, Body its_body,
      const Cancel& parent, const base::Clock& clock)
      : pool(its_pool),
        name(std::move(its_name)),
        deadline(its_deadline),
        cancel(parent.child()),
        body(std::move(its_body)),
        clock_(clock) {}

  // From now on a token that fires lets the waiters go: at the deadline always, since a job may
  // ignore it; for another reason only while the job has not begun, since its own answer is better.
  void listen() {
    release_ = cancel.on_fire([this](CancelReason reason) {
      const bool late = reason == CancelReason::deadline;
      const std::lock_guard lock(mutex_);
      if (begun_ && !late) return;
      finish(error(late ? base::Errc::deadline : base::Errc::cancelled, to_string(reason)));
    });
  }
  // False when it has been answered already: it must not run any more.
  bool begin() {
    const std::lock_guard lock(mutex_);
    begun_ = !result_.has_value();
    return begun_;
  }
  // The first answer stays. One that comes late is not given at all: a waiter may have been let go
  // at the deadline, and all waiters of a job are told the same.
  void complete(base::Status result) {
    const std::lock_guard lock(mutex_);
    const bool late = clock_.now() >= deadline;
    finish(late ? base::Status(error(base::Errc::deadline, "deadline")) : std::move(result));
  }
  base::Status wait(base::TimePoint until) {
    if (running_pool == pool) {
      return error(base::Errc::refused, "a job cannot wait for a job of its own pool");
    }
    std::unique_lock lock(mutex_);
    const auto answered = [this] { return result_.has_value(); };
    // The deadline holds for waiters even if nobody has fired the token yet.
    if (!wait_until(changed_, lock, clock_, std::min(until, deadline), answered)) {
      return error(base::Errc::deadline, "deadline");
    }
    return *result_;
  }
  bool done() {
    const std::lock_guard lock(mutex_);
    return result_.has_value();
  }
  base::Error error(base::Errc code, std::string_view why) const {
    return {code, "job " + name + ": " + std::string(why)};
  }

  const JobPool* const pool;  // only compared: it may be gone
  const std::string name;
  const base::TimePoint deadline;
  const Cancel cancel;
  // For the pool alone, which gives them up when the job has ended.
  Body body;
  TaskList::Task task;
  Watchdog::Watch watch;

 private:
  void finish(base::Status result) {
    if (result_) return;
    result_.emplace(std::move(result));
    changed_.notify_all();
  }

  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false;
  std::optional<base::Status> result_;
  Cancel::Registration release_;  // last: it calls back
};

class JobPool::Runner final : public Worker {
 public:
  explicit Runner(JobPool& pool) : pool_(pool) {}
  bool run_once(const Cancel&) override { return pool_.run_next(); }
  bool wait(const Cancel& stop) override {
    return pool_.queue_.wait(stop) || !pool_.queue_.drained();
  }

 private:
  JobPool& pool_;
};

base::Status JobPool::Handle::wait(base::TimePoint until) const { return job_->wait(until); }
bool JobPool::Handle::done() const { return job_->done(); }
void JobPool::Handle::cancel(CancelReason reason) const { job_->cancel.fire(reason); }

JobPool::JobPool(JobPoolOptions options, TaskList& tasks)
    : options_(std::move(options)),
      tasks_(tasks),
      queue_(queue_options(options_), tasks.clock()),
      watchdog_(options_.name + "-dog", tasks) {
  std::vector<std::unique_ptr<Worker>> runners;
  for (std::size_t i = 0; i < options_.threads; ++i) {
    runners.push_back(std::make_unique<Runner>(*this));
  }
  watchdog_.start();
  workers_ = std::make_unique<WorkerPool>(WorkerPoolOptions{.name = options_.name}, tasks,
                                          std::move(runners));
}

JobPool::~JobPool() { stop(); }

base::Result<JobPool::Handle, Refusal> JobPool::submit(std::string name, base::TimePoint deadline,
                                                       Body body, const Cancel& parent) {
  auto ticket = queue_.reserve(0, 0);
  if (!ticket) return ticket.error();
  auto job = std::make_shared<Job>(this, std::move(name), deadline, std::move(body), parent,
                                   tasks_.clock());
  job->listen();
  job->task = tasks_.add(job->name, options_.name, deadline);
  job->task.set_where("queued");
  job->watch = watchdog_.watch(deadline, job->cancel);
  {
    const std::lock_guard lock(mutex_);
    live_.insert(job);
  }
  if (queue_.push(std::move(*ticket), job, deadline)) {
    retire(job);
    return Refusal::closed;
  }
  return Handle(std::move(job));
}

void JobPool::stop() {
  TW_CHECK(!on_own_thread());
  // Whatever was taken from the queue before this is in live_; nothing is taken after it.
  for (const auto& job : queue_.close_now()) drop(job, base::Errc::cancelled, "shutdown");
  std::vector<std::shared_ptr<Job>> running;
  {
    const std::lock_guard lock(mutex_);
    running.assign(live_.begin(), live_.end());
  }
  for (const auto& job : running) job->cancel.fire(CancelReason::shutdown);
  workers_->stop();
  watchdog_.stop();
}

JobPoolStats JobPool::stats() const {
  const LaneCounts queue = queue_.stats().front().counts;
  const std::lock_guard lock(mutex_);
  JobPoolStats stats = counts_;
  stats.queued = queue.items;
  for (const std::uint64_t refused : queue.refused) stats.refused += refused;
  return stats;
}

bool JobPool::run_next() {
  const auto batch = queue_.pop_batch({.items_max = 1});
  for (const auto& job : batch.expired) drop(job, base::Errc::deadline, "deadline");
  for (const auto& job : batch.items) run(job);
  return !batch.empty();
}

void JobPool::run(const std::shared_ptr<Job>& job) {
  if (!job->begin()) return drop(job, base::Errc::cancelled, "cancelled");
  {
    const std::lock_guard lock(mutex_);
    ++counts_.running;
  }
  job->task.set_where("runs");
  running_pool = this;
  base::Status result = call(*job);
  running_pool = nullptr;
  retire(job);
  {
    const std::lock_guard lock(mutex_);
    --counts_.running;
    ++counts_.completed;
  }
  job->complete(std::move(result));
}

base::Status JobPool::call(Job& job) {
  std::string what;
  try {
    return job.body(job.cancel);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
    what = "not a std::exception";
  }
  const std::lock_guard lock(mutex_);
  ++counts_.threw;
  return job.error(base::Errc::unavailable, "threw: " + what);
}

void JobPool::drop(const std::shared_ptr<Job>& job, base::Errc code, const char* why) {
  retire(job);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.dropped;
  }
  job->complete(job->error(code, why));
}

void JobPool::retire(const std::shared_ptr<Job>& job) {
  job->body = nullptr;
  job->watch.reset();
  job->task.reset();
  const std::lock_guard lock(mutex_);
  live_.erase(job);
}

}  // namespace trialward::runtime
