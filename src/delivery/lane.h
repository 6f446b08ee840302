// Lane: what waits for one target. Of each subject it holds the first delivery that is pending, and
// no other: the second is looked up when the first is settled and that is durable. So a target sees
// a subject's events in their order, a repetition never comes after a later one, and memory is
// bounded by subjects_max, however much waits.
//
// One thread: that of Delivery. The Target must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/outbound.h"
#include "delivery/targets.h"
#include "runtime/breaker.h"
#include "runtime/retry_budget.h"
#include "store/outbox_rows.h"

namespace trialward::delivery {

struct LaneOptions {
  std::size_t subjects_max = 1024;
  std::size_t page = 500;  // rows read from the outbox at once
  runtime::BackoffOptions retry;
  // Calm: a target that fails in a third of its calls is used all the same.
  runtime::BreakerOptions breaker{.window = 50, .calls_min = 20, .failures_max = 0.6};
  runtime::RetryBudgetOptions budget;
};

class Lane {
 public:
  // A subject's first pending delivery.
  struct Head {
    enum class State : std::uint8_t {
      waiting,   // for its time, or a place
      sent,      // its answer is not there yet
      settling,  // what came of it is being written down
    };
    Head(const store::PendingDelivery& its_row, const LaneOptions& options, base::Random& random)
        : row(its_row), backoff(options.retry, random) {}

    store::PendingDelivery row;
    State state = State::waiting;
    base::TimePoint due{};
    base::TimePoint not_before{};        // the target has asked to be left alone until then
    runtime::Backoff backoff;
    runtime::Breaker::Call permit;       // while sent
    base::Outbound::Id call = 0;         // while sent
    base::TimePoint sent{};              // when
    std::int64_t sent_ms = 0;
    base::Duration pause{};              // after the attempt that is being written down
  };

  Lane(const Target& target, LaneOptions options, const base::Clock& clock, base::Random& random);

  // Reads on through the outbox as far as there is room; false when there may be more.
  base::Result<bool> scan(store::Connection& reader);
  // From its beginning again.
  void look_again() { cursor_ = 0; }
  // A row has become pending that may be behind what was read.
  base::Status take_resent(store::Connection& reader, const store::PendingDelivery& row);

  // A subject that may have its next attempt now; nothing when none may. `wake` is moved forward to
  // when to ask again.
  struct Start {
    std::int64_t subject = 0;
    runtime::Breaker::Call permit;
  };
  std::optional<Start> next(base::TimePoint now, base::TimePoint& wake);

  Head& head(std::int64_t subject) { return heads_.at(subject); }
  Head* find(std::int64_t subject);
  void sent(std::int64_t subject, base::Outbound::Id call, runtime::Breaker::Call permit,
            std::int64_t at_ms);
  // The answer is there, and is to be written down.
  void answered(std::int64_t subject) { set_state(head(subject), Head::State::settling); }
  // It waits again.
  void wait(std::int64_t subject, base::TimePoint due);
  // It is settled, or not pending any more: the subject's next one takes its place.
  base::Status replace(store::Connection& reader, std::int64_t subject);
  // What waits for a repetition may have it now.
  void hurry();
  // Nothing is begun before this.
  void pause(base::TimePoint until) { paused_until_ = until; }

  const Target& target() const { return target_; }
  const std::map<std::int64_t, Head>& heads() const { return heads_; }
  std::size_t in_flight() const { return in_flight_; }
  runtime::Breaker& breaker() { return breaker_; }
  runtime::RetryBudget& budget() { return budget_; }

 private:
  using Due = std::set<std::pair<base::TimePoint, std::int64_t>>;

  Due& due_of(const Head& head) { return head.row.attempts == 0 ? first_ : again_; }
  void set_state(Head& head, Head::State state);
  void add(const store::PendingDelivery& row, base::TimePoint due);

  const Target& target_;
  const LaneOptions options_;
  const base::Clock& clock_;
  base::Random& random_;
  runtime::Breaker breaker_;
  runtime::RetryBudget budget_;
  std::map<std::int64_t, Head> heads_;  // by subject; after the breaker, whose calls they hold
  Due first_, again_;  // those that wait: for their first attempt, and for a repetition
  bool again_next_ = false;  // whose turn it is
  std::size_t in_flight_ = 0;
  std::int64_t cursor_ = 0;  // the last row seen
  base::TimePoint paused_until_{};
};

}  // namespace trialward::delivery
