#include "runtime/gate.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "runtime/wait.h"

namespace trialward::runtime {
namespace {

// This thread is inside a callback of some gate.
thread_local bool answering = false;

}  // namespace

std::string_view to_string(GateRefusal refusal) {
  switch (refusal) {
    case GateRefusal::full:
      return "full";
    case GateRefusal::deadline:
      return "deadline";
    case GateRefusal::cancelled:
      return "cancelled";
    case GateRefusal::closed:
      return "closed";
    case GateRefusal::nested:
      return "nested";
  }
  return "?";
}

Gate::Gate(GateOptions options, const base::Clock& clock)
    : clock_(clock), total_(options.total), waiters_max_(options.waiters_max) {
  TW_CHECK(!options.classes.empty());
  std::size_t guaranteed = 0;
  for (GateClass& cls : options.classes) {
    TW_CHECK(cls.guaranteed <= cls.max && 0 < cls.max && cls.max <= total_);
    guaranteed += cls.guaranteed;
    classes_.emplace_back().options = std::move(cls);
  }
  TW_CHECK(guaranteed <= total_);
}

Gate::~Gate() { TW_CHECK(in_use_ == 0 && waiting_ == 0); }

Gate::Answer Gate::acquire(std::size_t cls, base::TimePoint deadline, const Cancel& cancel) {
  TW_CHECK(!answering);
  {
    const std::lock_guard lock(mutex_);
    TW_CHECK(cls < classes_.size());
    if (holds(std::this_thread::get_id())) {
      ++classes_[cls].refused;
      return GateRefusal::nested;
    }
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Answer> answer;
  const WaiterId id = acquire_async(cls, deadline, [&](Answer given) {
    const std::lock_guard lock(mutex);
    answer.emplace(std::move(given));
    changed.notify_all();  // under the lock: the waiter may leave as soon as it is released
  });
  const Cancel::Registration wake = cancel.on_fire([&](CancelReason) { abandon(id); });
  const auto answered = [&] { return answer.has_value(); };
  std::unique_lock lock(mutex);
  if (!wait_until(changed, lock, clock_, deadline, answered)) {
    lock.unlock();
    withdraw(id, GateRefusal::deadline);
    lock.lock();
    changed.wait(lock, answered);  // if not by us, it is being answered by somebody else just now
  }
  if (answer->ok()) (*answer)->hold();
  return std::move(*answer);
}

Gate::WaiterId Gate::acquire_async(std::size_t cls, base::TimePoint deadline, Callback callback) {
  Ready ready;
  WaiterId id = 0;
  {
    const std::lock_guard lock(mutex_);
    TW_CHECK(cls < classes_.size());
    id = next_id_++;
    const auto waiter =
        classes_[cls].waiters.emplace(id, Waiter{deadline, std::move(callback)}).first;
    ++waiting_;
    if (closed_) {
      refuse(classes_[cls], waiter, GateRefusal::closed, ready);
    } else {
      grant(ready);
      // Either this one was granted, or nobody was; only the newcomer can be one too many.
      if (waiting_ > waiters_max_) refuse(classes_[cls], waiter, GateRefusal::full, ready);
    }
  }
  answer(std::move(ready));
  return id;
}

std::size_t Gate::expire(base::TimePoint now) {
  Ready ready;
  {
    const std::lock_guard lock(mutex_);
    for (Class& cls : classes_) {
      for (auto waiter = cls.waiters.begin(); waiter != cls.waiters.end();) {
        const auto here = waiter++;
        if (here->second.deadline <= now) refuse(cls, here, GateRefusal::deadline, ready);
      }
    }
  }
  const std::size_t expired = ready.size();
  answer(std::move(ready));
  return expired;
}

void Gate::close() {
  Ready ready;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (Class& cls : classes_) {
      while (!cls.waiters.empty()) {
        refuse(cls, cls.waiters.begin(), GateRefusal::closed, ready);
      }
    }
  }
  answer(std::move(ready));
}

std::vector<GateClassStats> Gate::stats() const {
  std::vector<GateClassStats> stats;
  const std::lock_guard lock(mutex_);
  for (const Class& cls : classes_) {
    stats.push_back({.name = cls.options.name,
                     .in_use = cls.in_use,
                     .borrowed = cls.in_use - std::min(cls.in_use, cls.options.guaranteed),
                     .waiting = cls.waiters.size(),
                     .granted = cls.granted,
                     .refused = cls.refused});
  }
  return stats;
}

std::size_t Gate::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

void Gate::answer(Ready ready) noexcept {
  // A callback that gives its slot back at once answers the next waiter: in turn, not on top of
  // its own stack.
  thread_local std::deque<std::pair<Callback, Answer>> queue;
  for (auto& one : ready) queue.push_back(std::move(one));
  if (answering) return;
  answering = true;
  while (!queue.empty()) {
    auto [callback, given] = std::move(queue.front());
    queue.pop_front();
    callback(std::move(given));
  }
  answering = false;
}

bool Gate::withdraw(WaiterId id, GateRefusal refusal) {
  Ready ready;
  {
    const std::lock_guard lock(mutex_);
    for (Class& cls : classes_) {
      const auto waiter = cls.waiters.find(id);
      if (waiter != cls.waiters.end()) refuse(cls, waiter, refusal, ready);
    }
  }
  const bool waited = !ready.empty();
  answer(std::move(ready));
  return waited;
}

void Gate::refuse(Class& cls, Waiters::iterator waiter, GateRefusal refusal, Ready& ready) {
  ready.emplace_back(std::move(waiter->second.callback), Answer(refusal));
  cls.waiters.erase(waiter);
  --waiting_;
  ++cls.refused;
}

void Gate::grant(Ready& ready) {
  const base::TimePoint now = clock_.now();
  while (in_use_ < total_) {
    Class* const cls = next_class();
    if (cls == nullptr) return;
    const auto waiter = cls->waiters.begin();
    if (waiter->second.deadline <= now) {
      refuse(*cls, waiter, GateRefusal::deadline, ready);
      continue;
    }
    ++in_use_;
    ++cls->in_use;
    ++cls->granted;
    const auto index = static_cast<std::size_t>(cls - classes_.data());
    ready.emplace_back(std::move(waiter->second.callback), Answer(Slot(*this, index)));
    cls->waiters.erase(waiter);
    --waiting_;
  }
}

Gate::Class* Gate::next_class() {
  const auto below = [](const Class& cls) { return cls.in_use < cls.options.guaranteed; };
  Class* best = nullptr;
  for (Class& cls : classes_) {
    if (cls.waiters.empty() || cls.in_use >= cls.options.max) continue;
    if (total_ - in_use_ <= kept_from(cls)) continue;
    const bool better =
        best == nullptr ||
        (below(cls) != below(*best) ? below(cls)
                                    : cls.waiters.begin()->first < best->waiters.begin()->first);
    if (better) best = &cls;
  }
  return best;
}

std::size_t Gate::kept_from(const Class& cls) const {
  std::size_t kept = 0;
  for (const Class& other : classes_) {
    if (&other == &cls || other.options.lends) continue;
    kept += other.options.guaranteed - std::min(other.options.guaranteed, other.in_use);
  }
  return kept;
}

bool Gate::holds(std::thread::id thread) const {
  return std::find(holders_.begin(), holders_.end(), thread) != holders_.end();
}

void Gate::release(std::size_t cls, std::thread::id holder) {
  Ready ready;
  {
    const std::lock_guard lock(mutex_);
    TW_CHECK(in_use_ > 0 && classes_[cls].in_use > 0);
    --in_use_;
    --classes_[cls].in_use;
    const auto held = std::find(holders_.begin(), holders_.end(), holder);
    if (held != holders_.end()) holders_.erase(held);
    grant(ready);
  }
  answer(std::move(ready));
}

Gate::Slot::Slot(Slot&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)), class_(other.class_), holder_(other.holder_) {}

Gate::Slot& Gate::Slot::operator=(Slot&& other) noexcept {
  if (this == &other) return *this;
  release();
  gate_ = std::exchange(other.gate_, nullptr);
  class_ = other.class_;
  holder_ = other.holder_;
  return *this;
}

void Gate::Slot::hold() {
  TW_CHECK(gate_ != nullptr && holder_ == std::thread::id());
  const std::lock_guard lock(gate_->mutex_);
  holder_ = std::this_thread::get_id();
  gate_->holders_.push_back(holder_);
}

void Gate::Slot::release() {
  if (gate_ != nullptr) std::exchange(gate_, nullptr)->release(class_, holder_);
}

}  // namespace trialward::runtime
