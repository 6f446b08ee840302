#include "runtime/worker_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace trialward::runtime {
namespace {

thread_local const WorkerPool* current_pool = nullptr;

void log_failure(const std::string& pool, std::string_view what) {
  base::log_error("worker of " + pool + " threw: " + std::string(what));
}

}  // namespace

void name_thread(const std::string& name) {
  constexpr std::size_t kKernelMax = 15;
  pthread_setname_np(pthread_self(), name.substr(0, kKernelMax).c_str());
}

// Linux counts niceness by thread, whatever POSIX says.
void give_way(int nice) {
  const auto thread = static_cast<id_t>(::gettid());
  if (nice <= 0) return;
  (void)::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + nice);
}

WorkerPool::WorkerPool(WorkerPoolOptions options, TaskList& tasks,
                       std::vector<std::unique_ptr<Worker>> workers)
    : options_(std::move(options)), tasks_(tasks), workers_(std::move(workers)) {
  TW_CHECK(!workers_.empty());
  TW_CHECK(options_.backoff_initial > base::Duration::zero());
  threads_.reserve(workers_.size());
  try {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      std::string name = options_.name + "-" + std::to_string(i);
      // Listed from here on, not from when the thread gets to run.
      TaskList::Task task = tasks_.add(name, options_.name);
      threads_.emplace_back([this, i, name = std::move(name), task = std::move(task)]() mutable {
        name_thread(name);
        give_way(options_.nice);
        run(*workers_[i], std::move(task));
      });
    }
  } catch (const std::system_error&) {
    stop();  // those that did start
    throw;
  }
}

void WorkerPool::join() {
  TW_CHECK(!on_own_thread());
  const std::lock_guard lock(join_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::stop() {
  stop_.fire(CancelReason::shutdown);
  join();
}

bool WorkerPool::on_own_thread() const { return current_pool == this; }

void WorkerPool::run(Worker& worker, TaskList::Task task) {
  current_pool = this;
  base::Duration pause = options_.backoff_initial;
  Step step = Step::worked;
  while (step != Step::ended && !stop_.fired()) {
    step = guarded_step(worker, task);
    if (step != Step::threw) {
      pause = options_.backoff_initial;
      continue;
    }
    task.set_where("pauses after a failure");
    stop_.wait_until(tasks_.clock(), tasks_.clock().now() + pause);
    pause = std::min(pause * 2, options_.backoff_max);
  }
}

WorkerPool::Step WorkerPool::guarded_step(Worker& worker, TaskList::Task& task) {
  try {
    task.set_where("works");
    if (worker.run_once(stop_)) return Step::worked;
    task.set_where("waits for work");
    return worker.wait(stop_) ? Step::worked : Step::ended;
  } catch (const std::exception& error) {
    log_failure(options_.name, error.what());
  } catch (...) {
    log_failure(options_.name, "not a std::exception");
  }
  failures_.fetch_add(1, std::memory_order_relaxed);
  return Step::threw;
}

}  // namespace trialward::runtime
