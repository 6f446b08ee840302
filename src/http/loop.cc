#include "http/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>

#include "base/log.h"

namespace trialward::http {

namespace asio = boost::asio;

struct Loop::Repeated {
  asio::steady_timer timer;
  std::function<base::Duration()> task;
};

namespace {

class LoopWorker final : public runtime::Worker {
 public:
  explicit LoopWorker(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

  bool run_once(const runtime::Cancel&) override { return false; }
  // The loop does its own waiting, so all of its work happens in here.
  bool wait(const runtime::Cancel& stop) override {
    const auto registration = stop.on_fire([this](runtime::CancelReason) { loop_->stop(); });
    loop_->run();
    return false;
  }

 private:
  const std::shared_ptr<Loop> loop_;
};

}  // namespace

// The hint 1: a loop is run by one thread.
Loop::Loop() : io_(std::make_unique<asio::io_context>(1)) {}

Loop::~Loop() = default;

bool Loop::post(Task task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    inbox_.push_back(std::move(task));
    wake = !wake_pending_;
    wake_pending_ = true;
  }
  if (wake) {
    wakeups_.fetch_add(1, std::memory_order_relaxed);
    asio::post(*io_, [this] { drain(); });
  }
  return true;
}

void Loop::drain() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(inbox_);
    wake_pending_ = false;
  }
  for (Task& task : running_) {
    try {
      task();
    } catch (const std::exception& thrown) {
      // The tasks behind it are others' and must run.
      base::log_error(std::string("a task on an I/O thread threw: ") + thrown.what());
    }
    task = nullptr;
  }
  running_.clear();
}

void Loop::every(base::Duration period, Task task) {
  repeat(period, [period, task = std::move(task)] {
    task();
    return period;
  });
}

void Loop::repeat(base::Duration first, std::function<base::Duration()> task) {
  repeated_.push_back(
      std::make_unique<Repeated>(Repeated{asio::steady_timer(*io_), std::move(task)}));
  arm(*repeated_.back(), first);
}

void Loop::arm(Repeated& repeated, base::Duration wait) {
  repeated.timer.expires_after(wait);
  repeated.timer.async_wait([this, &repeated](const boost::system::error_code& error) {
    if (!error) arm(repeated, repeated.task());
  });
}

void Loop::run() {
  {
    const auto work = asio::make_work_guard(*io_);
    io_->run();
  }
  // What was posted before stop() is still done, somebody may wait for its outcome; and so is the
  // end of operations on sockets closed since, which would keep their connections alive for ever.
  drain();
  for (const auto& repeated : repeated_) repeated->timer.cancel();
  io_->restart();
  io_->poll();
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  io_->stop();
}

std::unique_ptr<runtime::WorkerPool> run_loops(std::string name,
                                               const std::vector<std::shared_ptr<Loop>>& loops,
                                               runtime::TaskList& tasks) {
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  for (const auto& loop : loops) workers.push_back(std::make_unique<LoopWorker>(loop));
  return std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = std::move(name)},
                                               tasks, std::move(workers));
}

}  // namespace trialward::http
