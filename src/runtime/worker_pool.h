// WorkerPool: a fixed number of named threads, one for each Worker. It owns its workers and joins
// its threads; nothing else starts them. A worker can also be driven without any thread, one
// run_once() after the other, by a test or a simulation (promise P11).
//
// A body that throws is counted and logged and the worker lives on, after a pause that doubles up
// to a bound, so that a body that always throws does not spin. stop() may be called by any thread
// but the pool's own (checked) and any number of times; the destructor calls it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "runtime/cancel.h"
#include "runtime/task_list.h"

namespace trialward::runtime {

// Lets the calling thread give way to the others; by the process's own niceness, at most 19.
void give_way(int nice);
// Names the calling thread, cut to the 15 characters that the kernel keeps.
void name_thread(const std::string& name);

class Worker {
 public:
  virtual ~Worker() = default;
  // Does what is ready; false when nothing was. Does not wait for work to come.
  virtual bool run_once(const Cancel& stop) = 0;
  // Called when run_once() found nothing: returns when there may be work, or `stop` fired. False
  // when none will ever come again; the worker's thread then ends. An event loop runs in here.
  virtual bool wait(const Cancel& stop) = 0;
};

struct WorkerPoolOptions {
  std::string name;  // thread i is called NAME-i
  int nice = 0;      // how much its threads give way to the others, up to 19
  base::Duration backoff_initial = std::chrono::milliseconds(10);
  base::Duration backoff_max = std::chrono::seconds(5);
};

class WorkerPool {
 public:
  // Starts the threads. Throws std::system_error when the system has none left.
  WorkerPool(WorkerPoolOptions options, TaskList& tasks,
             std::vector<std::unique_ptr<Worker>> workers);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Waits until every worker has ended by itself (its queue was closed and is drained).
  void join();
  // Fires every worker's token, then joins.
  void stop();

  std::size_t threads() const { return workers_.size(); }
  // Bodies that threw, since the start.
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  bool on_own_thread() const;

 private:
  enum class Step { worked, threw, ended };

  void run(Worker& worker, TaskList::Task task);
  Step guarded_step(Worker& worker, TaskList::Task& task);

  const WorkerPoolOptions options_;
  TaskList& tasks_;
  const std::vector<std::unique_ptr<Worker>> workers_;
  const Cancel stop_;
  std::atomic<std::uint64_t> failures_{0};
  std::mutex join_mutex_;
  std::vector<std::thread> threads_;
};

}  // namespace trialward::runtime
