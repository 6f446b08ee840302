// Watchdog: fires Cancel tokens at their deadlines, from one thread of its own, so that a deadline
// holds although the thread that works is busy or hangs. It is owned by what it watches over; what
// listens to a token must not hold it up, since the next deadline waits behind it.
//
// Any thread may call anything. Without start() it has no thread, and whoever drives it calls
// expire(). stop() returns when its thread has ended; the destructor calls it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "runtime/cancel.h"
#include "runtime/task_list.h"
#include "runtime/worker_pool.h"

namespace trialward::runtime {

class Watchdog {
 public:
  class Watch;

  Watchdog(std::string name, TaskList& tasks) : name_(std::move(name)), tasks_(tasks) {}
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // `cancel` fires with CancelReason::deadline unless the Watch is gone before.
  [[nodiscard]] Watch watch(base::TimePoint deadline, Cancel cancel);
  // Fires what is due; returns how many.
  std::size_t expire();
  void start();
  void stop();

 private:
  class Guard;
  using Key = std::pair<base::TimePoint, std::uint64_t>;

  bool wait(const Cancel& stop);

  const std::string name_;
  TaskList& tasks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Cancel> watched_;
  std::uint64_t next_id_ = 0;
  std::mutex start_mutex_;
  std::unique_ptr<WorkerPool> thread_;  // last: it calls back
};

class Watchdog::Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept : dog_(std::exchange(other.dog_, nullptr)), key_(other.key_) {}
  Watch& operator=(Watch&& other) noexcept;
  ~Watch() { reset(); }
  void reset();

 private:
  friend class Watchdog;
  Watch(Watchdog& dog, Key key) : dog_(&dog), key_(key) {}

  Watchdog* dog_ = nullptr;
  Key key_;
};

}  // namespace trialward::runtime
