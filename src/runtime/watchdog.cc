#include "runtime/watchdog.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/wait.h"

namespace trialward::runtime {

// What the thread runs.
class Watchdog::Guard final : public Worker {
 public:
  explicit Guard(Watchdog& dog) : dog_(dog) {}
  bool run_once(const Cancel&) override { return dog_.expire() > 0; }
  bool wait(const Cancel& stop) override { return dog_.wait(stop); }

 private:
  Watchdog& dog_;
};

Watchdog::~Watchdog() {
  stop();
  TW_CHECK(watched_.empty());
}

Watchdog::Watch Watchdog::watch(base::TimePoint deadline, Cancel cancel) {
  const std::lock_guard lock(mutex_);
  const Key key{deadline, next_id_++};
  const auto entry = watched_.emplace(key, std::move(cancel)).first;
  if (entry == watched_.begin()) changed_.notify_all();
  return Watch(*this, key);
}

std::size_t Watchdog::expire() {
  const base::TimePoint now = tasks_.clock().now();
  std::vector<Cancel> due;
  {
    const std::lock_guard lock(mutex_);
    while (!watched_.empty() && watched_.begin()->first.first <= now) {
      due.push_back(std::move(watched_.extract(watched_.begin()).mapped()));
    }
  }
  for (const Cancel& cancel : due) cancel.fire(CancelReason::deadline);
  return due.size();
}

bool Watchdog::wait(const Cancel& stop) {
  const Cancel::Registration wake = stop.on_fire([this](CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  const auto next = [this] { return watched_.empty() ? kForever : watched_.begin()->first.first; };
  const base::TimePoint first = next();
  wait_until(changed_, lock, tasks_.clock(), first,
             [&] { return stop.fired() || next() != first; });
  return true;
}

void Watchdog::start() {
  const std::lock_guard lock(start_mutex_);
  if (thread_ != nullptr) return;
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(std::make_unique<Guard>(*this));
  thread_ =
      std::make_unique<WorkerPool>(WorkerPoolOptions{.name = name_}, tasks_, std::move(workers));
}

void Watchdog::stop() {
  const std::lock_guard lock(start_mutex_);
  if (thread_ != nullptr) thread_->stop();
}

Watchdog::Watch& Watchdog::Watch::operator=(Watch&& other) noexcept {
  if (this == &other) return *this;
  reset();
  dog_ = std::exchange(other.dog_, nullptr);
  key_ = other.key_;
  return *this;
}

void Watchdog::Watch::reset() {
  if (dog_ == nullptr) return;
  Watchdog& dog = *std::exchange(dog_, nullptr);
  std::map<Key, Cancel>::node_type gone;  // freed outside the lock
  const std::lock_guard lock(dog.mutex_);
  gone = dog.watched_.extract(key_);
}

}  // namespace trialward::runtime
