// Breaker: stops calling a remote that does not answer, and tries it again with a few probes. One
// for each remote.
//
//   closed     calls are made; their outcomes are kept for the last `window` of them. When
//              `failures_max` of these failed, it opens.
//   open       calls are refused for a pause, which doubles with each opening, with jitter.
//   half-open  up to `probes_max` calls at once are let through. `probes_needed` of them in a row
//              that succeed close it; one that fails opens it again.
//
// A call that takes longer than `hang_after` counts as failed at that moment, whether it ever ends
// or not: a remote that accepts and never answers is down, too. An outcome that comes after the
// state has changed says nothing about the new one, and is only counted in the statistics.
//
// Any thread may call anything. It outlives its calls (checked). Nothing here fails or waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/backoff.h"

namespace trialward::runtime {

struct BreakerOptions {
  std::size_t window = 20;     // outcomes that it judges by
  std::size_t calls_min = 10;  // outcomes before it judges at all; from 1 to `window`
  double failures_max = 0.5;   // of them, in (0, 1]
  base::Duration hang_after = std::chrono::seconds(30);
  std::size_t probes_max = 1;     // at least one
  std::size_t probes_needed = 2;  // at least one
  BackoffOptions pause{std::chrono::seconds(1), std::chrono::seconds(60)};
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view to_string(BreakerState state);

struct BreakerStats {
  BreakerState state = BreakerState::closed;
  std::size_t in_flight = 0;
  std::size_t hanging = 0;  // of them, longer than hang_after
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t hung = 0;  // counted when they had hung for long enough; not in `failed`
  std::uint64_t refused = 0;
  std::uint64_t opened = 0;  // how often
};

class Breaker {
 public:
  class Call;

  Breaker(BreakerOptions options, const base::Clock& clock, base::Random& random);
  ~Breaker();
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  // Leave to make one call; else the moment to ask again, unless a call that is out ends before.
  base::Result<Call, base::TimePoint> admit();

  BreakerStats stats();

 private:
  struct Out {
    base::TimePoint since;
    std::uint64_t generation = 0;
    bool hung = false;
  };
  enum class Outcome : std::uint8_t { succeeded, failed, abandoned };

  void end(std::uint64_t id, Outcome outcome);
  // These need the lock.
  void count_hanging(base::TimePoint now);
  void judge(bool success, base::TimePoint now);
  void change(BreakerState state);
  void open(base::TimePoint now);
  std::size_t probes_out() const;

  const BreakerOptions options_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards all below
  BreakerStats stats_;
  std::map<std::uint64_t, Out> out_;  // ids ascend, so this is the order in which they began
  std::uint64_t next_id_ = 1;
  std::uint64_t generation_ = 0;  // goes up with each change of the state
  std::deque<bool> window_;       // while closed: newest last, true for a failure
  std::size_t failures_ = 0;      // in window_
  std::size_t probes_succeeded_ = 0;
  base::TimePoint open_until_{};
  Backoff pause_;
};

// One call that was admitted. Its outcome is told once; a Call that goes without one has failed.
class Breaker::Call {
 public:
  Call() = default;
  Call(Call&& other) noexcept
      : breaker_(std::exchange(other.breaker_, nullptr)), id_(other.id_) {}
  Call& operator=(Call&& other) noexcept;
  ~Call() { end(Outcome::failed); }

  void succeeded() { end(Outcome::succeeded); }
  void failed() { end(Outcome::failed); }
  // It was ended by us, or never made: this says nothing about the remote.
  void abandoned() { end(Outcome::abandoned); }

 private:
  friend class Breaker;
  Call(Breaker& breaker, std::uint64_t id) : breaker_(&breaker), id_(id) {}
  void end(Outcome outcome);

  Breaker* breaker_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace trialward::runtime
