// Cancel: one token that says "stop" to everything that works on one thing: sockets, SQL
// statements, waits. Copies share one state, so the token outlives whoever made it; a child fires
// when its parent does, never the other way round.
//
// Any thread may call anything. Callbacks run exactly once, outside all locks, on the thread that
// fires; they must neither throw (the process stops) nor wait for long. The destructor of a
// Registration returns when its callback is not running and never will, so a callback may safely
// touch what its owner is about to destroy. (Only a callback that destroys its own registration
// does not wait for itself.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"

namespace trialward::runtime {

enum class CancelReason : std::uint8_t {
  none,
  deadline,
  disconnected,
  requested,
  shutdown,
  sibling_failed
};
std::string_view to_string(CancelReason reason);

class Cancel {
 public:
  using Callback = std::function<void(CancelReason)>;
  class Registration;

  Cancel();
  // A token that fires with this one, and may also be fired alone.
  Cancel child() const;

  // The first reason stays; later calls do nothing and do not wait for the first.
  void fire(CancelReason reason) const;
  bool fired() const { return reason() != CancelReason::none; }
  CancelReason reason() const;

  // On a fired token the callback runs at once, on this thread.
  [[nodiscard]] Registration on_fire(Callback callback) const;

  // Waits; true when the token fired, false when the time is over.
  bool wait_until(const base::Clock& clock, base::TimePoint until) const;

 private:
  struct State;
  explicit Cancel(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static void fire(const std::shared_ptr<State>& state, CancelReason reason) noexcept;

  std::shared_ptr<State> state_;  // shared: who fires and who listens have no common owner
};

class Cancel::Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  ~Registration() { reset(); }
  // Takes the callback back; on return it does not run and never will.
  void reset();

 private:
  friend class Cancel;
  Registration(std::shared_ptr<State> state, std::uint64_t id)
      : state_(std::move(state)), id_(id) {}

  std::shared_ptr<State> state_;
  std::uint64_t id_ = 0;
};

}  // namespace trialward::runtime
