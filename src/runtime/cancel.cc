#include "runtime/cancel.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/wait.h"

namespace trialward::runtime {

std::string_view to_string(CancelReason reason) {
  switch (reason) {
    case CancelReason::none:
      return "none";
    case CancelReason::deadline:
      return "deadline";
    case CancelReason::disconnected:
      return "disconnected";
    case CancelReason::requested:
      return "requested";
    case CancelReason::shutdown:
      return "shutdown";
    case CancelReason::sibling_failed:
      return "sibling_failed";
  }
  return "?";
}

struct Cancel::State {
  std::mutex mutex;
  std::condition_variable changed;  // fired, or a callback has ended
  std::atomic<CancelReason> reason{CancelReason::none};
  // Waiting to be run, in order of registration. Ids start at 1.
  std::map<std::uint64_t, Callback> callbacks;
  std::uint64_t next_id = 1;
  std::uint64_t running_id = 0;  // 0: none
  std::thread::id running_on;
  Registration parent;  // last: it calls back
};

Cancel::Cancel() : state_(std::make_shared<State>()) {}

Cancel Cancel::child() const {
  Cancel child;
  child.state_->parent = on_fire([state = std::weak_ptr(child.state_)](CancelReason reason) {
    if (const auto alive = state.lock()) fire(alive, reason);
  });
  return child;
}

void Cancel::fire(CancelReason reason) const {
  // A copy, since a callback may destroy the token that it is called through.
  fire(std::shared_ptr(state_), reason);
}

void Cancel::fire(const std::shared_ptr<State>& state, CancelReason reason) noexcept {
  std::unique_lock lock(state->mutex);
  if (reason == CancelReason::none || state->reason.load() != CancelReason::none) return;
  state->reason.store(reason);
  state->changed.notify_all();
  state->running_on = std::this_thread::get_id();
  while (!state->callbacks.empty()) {
    auto node = state->callbacks.extract(state->callbacks.begin());
    state->running_id = node.key();
    lock.unlock();
    node.mapped()(reason);
    node = {};  // what it captured may have a destructor of its own
    lock.lock();
    state->running_id = 0;
    state->changed.notify_all();
  }
}

CancelReason Cancel::reason() const { return state_->reason.load(); }

Cancel::Registration Cancel::on_fire(Callback callback) const {
  std::unique_lock lock(state_->mutex);
  const CancelReason reason = state_->reason.load();
  if (reason != CancelReason::none) {
    lock.unlock();
    callback(reason);
    return {};
  }
  const std::uint64_t id = state_->next_id++;
  state_->callbacks.emplace(id, std::move(callback));
  return Registration(state_, id);
}

bool Cancel::wait_until(const base::Clock& clock, base::TimePoint until) const {
  std::unique_lock lock(state_->mutex);
  return runtime::wait_until(state_->changed, lock, clock, until, [this] { return fired(); });
}

Cancel::Registration::Registration(Registration&& other) noexcept
    : state_(std::move(other.state_)), id_(other.id_) {}

Cancel::Registration& Cancel::Registration::operator=(Registration&& other) noexcept {
  if (this == &other) return *this;
  reset();
  state_ = std::move(other.state_);
  id_ = other.id_;
  return *this;
}

void Cancel::Registration::reset() {
  const std::shared_ptr<State> state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  std::unique_lock lock(state->mutex);
  const auto node = state->callbacks.extract(id_);
  if (!node.empty()) {
    lock.unlock();  // before `node` goes, with what the callback captured
    return;
  }
  if (state->running_on == std::this_thread::get_id()) return;
  state->changed.wait(lock, [&] { return state->running_id != id_; });
}

}  // namespace trialward::runtime
