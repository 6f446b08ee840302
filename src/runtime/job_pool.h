// JobPool: a bounded queue of jobs and the fixed threads that run them. submit() never waits: it
// takes the job or refuses it. Every job has a deadline, and its Cancel fires then; whoever waits
// for it is let go at that moment, while the job keeps its thread, and its (overdue) line in the
// TaskList, until it really ends. A job must therefore own everything it touches: its waiter's
// stack may be gone.
//
// Any thread may call anything, with two exceptions: a job that waits for a job of its own pool is
// answered with Errc::refused (it would deadlock once every thread did so), and only a thread that
// is not the pool's may stop it (checked). Waiting across pools in a circle is not detected; the
// deadlines end it. A job that throws, or is dropped, wakes its waiters with an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/bounded_queue.h"
#include "runtime/cancel.h"
#include "runtime/task_list.h"
#include "runtime/wait.h"
#include "runtime/watchdog.h"
#include "runtime/worker_pool.h"

namespace trialward::runtime {

struct JobPoolOptions {
  std::string name;
  std::size_t threads = 1;
  std::size_t queued_max = 0;
};

struct JobPoolStats {
  std::size_t queued = 0;
  std::size_t running = 0;  // threads that are taken, by overdue jobs too
  std::uint64_t completed = 0;
  std::uint64_t threw = 0;
  std::uint64_t dropped = 0;  // ended before they began: past their deadline or cancelled
  std::uint64_t refused = 0;
};

class JobPool {
 public:
  using Body = std::function<base::Status(const Cancel&)>;
  class Job;
  // One submitted job; copies speak of the same one. May outlive the pool.
  class Handle {
   public:
    // The job's own answer; Errc::deadline when its deadline or `until` comes first. After the
    // deadline it is Errc::deadline for good: the job may have succeeded all the same.
    base::Status wait(base::TimePoint until = kForever) const;
    bool done() const;
    void cancel(CancelReason reason = CancelReason::requested) const;

   private:
    friend class JobPool;
    explicit Handle(std::shared_ptr<Job> job) : job_(std::move(job)) {}
    std::shared_ptr<Job> job_;  // shared: the waiter may leave first, and the pool may too
  };

  JobPool(JobPoolOptions options, TaskList& tasks);
  ~JobPool();
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  // The job's token is a child of `parent` (a request's, say).
  base::Result<Handle, Refusal> submit(std::string name, base::TimePoint deadline, Body body,
                                       const Cancel& parent = {});
  // Fires the tokens of jobs past their deadline. The pool's watchdog does so by itself; this is
  // for tests with a FakeClock.
  void expire() { watchdog_.expire(); }
  // Refuses newcomers, ends queued jobs as cancelled, cancels the running ones and returns when
  // the last has ended.
  void stop();

  JobPoolStats stats() const;
  bool on_own_thread() const { return workers_->on_own_thread(); }

 private:
  class Runner;

  bool run_next();
  void run(const std::shared_ptr<Job>& job);
  base::Status call(Job& job);
  void drop(const std::shared_ptr<Job>& job, base::Errc code, const char* why);
  // The job has ended: frees what it owns and takes it off the lists.
  void retire(const std::shared_ptr<Job>& job);

  const JobPoolOptions options_;
  TaskList& tasks_;
  BoundedQueue<std::shared_ptr<Job>> queue_;
  mutable std::mutex mutex_;
  JobPoolStats counts_;                  // guarded by mutex_
  std::set<std::shared_ptr<Job>> live_;  // queued or running; guarded by mutex_
  Watchdog watchdog_;
  std::unique_ptr<WorkerPool> workers_;  // last: its threads use all the rest
};

}  // namespace trialward::runtime
