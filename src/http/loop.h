// Loop: one I/O thread's event loop. Sockets and timers live on exactly one loop, and all that
// concerns them runs on the thread that runs it, so they need no locks. Other threads hand it tasks
// with post(): these go through one list, and however many are posted before the loop looks, it is
// woken once.
//
// Shared: an Exchange held by a worker outlives the server, and may still post (in vain).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "runtime/worker_pool.h"

namespace boost::asio {
class io_context;
}

namespace trialward::http {

class Loop {
 public:
  using Task = std::function<void()>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Any thread. Tasks run in the order in which they were posted. False once the loop is
  // stopped: the task was not taken.
  bool post(Task task);
  // Both run `task` again and again; set up before the loop runs. Real time, whatever the clock.
  void every(base::Duration period, Task task);
  // Each time after as long as the call before it has said; the first time after `first`.
  void repeat(base::Duration first, std::function<base::Duration()> task);

  // Runs until stop(), on one thread.
  void run();
  // Any thread; ends run(), after the tasks that were taken before.
  void stop();

  // How often post() had to wake the loop.
  std::uint64_t wakeups() const { return wakeups_.load(std::memory_order_relaxed); }
  boost::asio::io_context& io() { return *io_; }

 private:
  struct Repeated;

  void drain();
  void arm(Repeated& repeated, base::Duration wait);

  const std::unique_ptr<boost::asio::io_context> io_;
  std::vector<std::unique_ptr<Repeated>> repeated_;
  std::mutex mutex_;
  std::vector<Task> inbox_;    // guarded by mutex_
  bool wake_pending_ = false;  // guarded by mutex_
  bool stopped_ = false;       // guarded by mutex_
  std::vector<Task> running_;  // the loop's thread only; keeps its capacity
  std::atomic<std::uint64_t> wakeups_{0};
};

// The threads that run `loops`, one each, called NAME-0, NAME-1 …; destroying it stops the loops.
std::unique_ptr<runtime::WorkerPool> run_loops(std::string name,
                                               const std::vector<std::shared_ptr<Loop>>& loops,
                                               runtime::TaskList& tasks);

}  // namespace trialward::http
