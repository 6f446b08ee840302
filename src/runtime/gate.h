// Gate: a semaphore with classes, for a budget of something scarce (database connections). Each
// class has a guaranteed share, of which any class may borrow what is idle up to its own maximum,
// unless its owner does not lend. A freed slot goes first to a class that waits below its share,
// then to whoever has waited longest; within a class it is first come, first served. A Slot is
// given back only by its holder: cancelling the work that holds it frees nothing until it ends.
//
// Any thread may call anything. Callbacks run outside all locks on the thread that frees a slot,
// expires or closes; they must neither throw (the process stops) nor block (acquire() in one is a
// checked fault). Refusals come as GateRefusal. The Gate outlives its slots and waiters (checked).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/cancel.h"

namespace trialward::runtime {

struct GateClass {
  std::string name;
  std::size_t guaranteed = 0;
  std::size_t max = 0;
  bool lends = true;  // what it leaves idle of its share
};

struct GateOptions {
  std::vector<GateClass> classes;
  std::size_t total = 0;        // at least the sum of what is guaranteed
  std::size_t waiters_max = 0;  // of all classes
};

enum class GateRefusal : std::uint8_t {
  full,       // too many wait already
  deadline,   // no slot came free in time
  cancelled,  // the waiter was told to stop
  closed,
  nested  // this thread holds a slot of this gate: waiting for a second one can deadlock (P7)
};
std::string_view to_string(GateRefusal refusal);

struct GateClassStats {
  std::string name;
  std::size_t in_use = 0;
  std::size_t borrowed = 0;  // of them, beyond the guarantee
  std::size_t waiting = 0;
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;
};

class Gate {
 public:
  class Slot;
  using Answer = base::Result<Slot, GateRefusal>;
  using Callback = std::function<void(Answer)>;
  using WaiterId = std::uint64_t;

  Gate(GateOptions options, const base::Clock& clock);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Waits for a slot. A slot taken here counts as held by this thread until it is given back,
  // also when it was moved to another thread.
  Answer acquire(std::size_t cls, base::TimePoint deadline, const Cancel& cancel);
  // Answers by callback, perhaps before it returns.
  WaiterId acquire_async(std::size_t cls, base::TimePoint deadline, Callback callback);
  // Ends an asynchronous wait with `cancelled`; false when it was answered before.
  bool abandon(WaiterId id) { return withdraw(id, GateRefusal::cancelled); }
  // Ends the waits that are past their deadline; returns how many. For a timer to call.
  std::size_t expire(base::TimePoint now);
  // Refuses those who wait and those who come; slots that are out stay out.
  void close();

  std::vector<GateClassStats> stats() const;
  std::size_t in_use() const;

 private:
  struct Waiter {
    base::TimePoint deadline;
    Callback callback;
  };
  using Waiters = std::map<WaiterId, Waiter>;  // ids ascend, so this is the order of arrival
  struct Class {
    GateClass options;
    Waiters waiters;
    std::size_t in_use = 0;
    std::uint64_t granted = 0;
    std::uint64_t refused = 0;
  };
  using Ready = std::vector<std::pair<Callback, Answer>>;

  static void answer(Ready ready) noexcept;
  // Refuses one waiter; false when it is answered already.
  bool withdraw(WaiterId id, GateRefusal refusal);
  // These need the lock; what they decide is put into `ready`, to be answered without it.
  void refuse(Class& cls, Waiters::iterator waiter, GateRefusal refusal, Ready& ready);
  void grant(Ready& ready);
  Class* next_class();
  // Free slots that are kept for others, who do not lend them.
  std::size_t kept_from(const Class& cls) const;
  bool holds(std::thread::id thread) const;
  void release(std::size_t cls, std::thread::id holder);

  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::vector<Class> classes_;
  std::vector<std::thread::id> holders_;  // threads that took their slot with acquire()
  const std::size_t total_;
  const std::size_t waiters_max_;
  std::size_t in_use_ = 0;
  std::size_t waiting_ = 0;
  WaiterId next_id_ = 1;
  bool closed_ = false;
};

class Gate::Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept;
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { release(); }
  explicit operator bool() const { return gate_ != nullptr; }
  void release();
  // As if the calling thread had acquired it: until it is released, that thread has no second one.
  void hold();

 private:
  friend class Gate;
  Slot(Gate& gate, std::size_t cls) : gate_(&gate), class_(cls) {}

  Gate* gate_ = nullptr;
  std::size_t class_ = 0;
  std::thread::id holder_;  // none when it was acquired asynchronously and not held yet
};

}  // namespace trialward::runtime
