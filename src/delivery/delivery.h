// Delivery: brings the rows of the outbox to their targets, at least once each, and in order for
// each subject and target. One thread; what waits for a remote waits in the Outbound, so a target
// that is slow, or down for a week, holds up nobody else.
//
//   - A row is pending until its target has taken it. A failure is tried again after a pause that
//     doubles up to `retry_longest`, and for ever. What is refused for good is a dead letter, which
//     a person resends or discards; the subject's next event goes on.
//   - Each target has a breaker, a budget of repetitions and a number of attempts at once.
//   - What attempts came to is written down through the Ledger, many together and one transaction
//     at a time. Until that is durable nothing more is sent of that subject to that target. If it
//     cannot be written it is offered again: no outcome is dropped.
//   - After a restart it goes on from the outbox. It keeps nothing that is not there.
//   - Rows that are settled for `keep` are cleaned up; the audit trail keeps that they were.
//
// Any thread may call wake(), resent(), look_again() and report(). stop() begins nothing more,
// waits up to `grace` for answers, takes the rest back and returns when nothing of it is out; what
// has not been written down then is sent again after the restart. Without start(), run_once()
// drives it.
// It outlives whatever it gave to the Ledger.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/outbound.h"
#include "base/random.h"
#include "delivery/lane.h"
#include "delivery/ledger.h"
#include "delivery/message.h"
#include "runtime/task_list.h"
#include "runtime/worker_pool.h"

namespace trialward::delivery {

struct DeliveryOptions {
  // Whether it may send. Once it may not, what is out is taken back. Null: always.
  std::function<bool()> on_duty;
  std::size_t in_flight_max = 64;  // attempts at once, to all targets
  std::size_t recorded_max = 32;   // outcomes in one transaction
  LaneOptions lane;                // retry and the breaker's pause are the Targets'
  base::Duration prune_interval = std::chrono::hours(1);
  std::int64_t prune_rows = 200;   // in one transaction
};

// Of one target; the figures of the store are at most a few seconds old.
struct TargetReport {
  std::string name;
  bool configured = true;  // false: rows wait for a target that the server was not told of
  TargetKind kind = TargetKind::webhook;
  std::int64_t pending = 0, dead = 0;
  base::Duration oldest_pending{};
  std::size_t in_flight = 0;
  std::size_t subjects = 0;  // that have something pending, of those at hand
  runtime::BreakerStats breaker;
  double budget = 0;
  std::uint64_t delivered = 0, failed = 0, refused = 0;  // attempts, since the start
  std::string last_error;                                // of the newest attempt that failed
  std::int64_t last_error_ms = 0, last_delivered_ms = 0;  // 0: none since the start
};

class Delivery {
 public:
  // `targets`, `outbound`, `ledger`, `random` and `tasks` must outlive it. Errors: of the store.
  static base::Result<std::unique_ptr<Delivery>> open(const Targets& targets,
                                                      DeliveryOptions options,
                                                      base::Outbound& outbound, Ledger& ledger,
                                                      std::unique_ptr<store::Connection> reader,
                                                      base::Random& random,
                                                      runtime::TaskList& tasks);
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void start();
  // The outbox has new rows.
  void wake();
  // This row is pending again.
  void resent(std::int64_t delivery);
  // Others have sent, or had something sent again: it looks at the whole outbox.
  void look_again();
  // False when there was nothing to do.
  bool run_once();
  void stop(base::Duration grace);

  std::vector<TargetReport> report() const;

 private:
  struct Answer {
    std::size_t lane = 0;
    std::int64_t subject = 0;
    base::OutboundAnswer answer;
  };
  // An outcome on its way to the store, with the head that waits for it.
  struct Outcome {
    std::size_t lane = 0;
    std::int64_t subject = 0;
    store::DeliveryAttempt attempt;
  };
  struct Inbox {
    std::vector<Answer> answers;
    bool recorded = false;  // what was given to the Ledger is
    bool stored = false;    // durable
    std::int64_t pruned = 0;
    bool prune_ended = false;
    bool wake = true, look_again = false;
    std::vector<std::int64_t> resent;
  };
  class Loop;

  Delivery(const Targets& targets, DeliveryOptions options, base::Outbound& outbound,
           Ledger& ledger, std::unique_ptr<store::Connection> reader, base::Random& random,
           runtime::TaskList& tasks);

  bool take_inbox(bool& scan);
  void take_answer(Answer& answer);
  void settle(bool stored);
  void settle_one(const Outcome& outcome);
  void record();
  void scan();
  void take_resent();
  bool begin_some();
  void take_back();
  bool begin(std::size_t lane, Lane::Start start);
  base::Result<base::Outbound::Id> send(std::size_t lane, std::int64_t subject,
                                        const store::DeliveryContent& content);
  void prune();
  void look_at_figures();
  void tell_of_breakers();
  void post(const std::function<void(Inbox&)>& change);
  void wait(const runtime::Cancel& stop);
  std::size_t in_flight() const;
  void trouble(const base::Error& error);

  const Targets& targets_;
  const DeliveryOptions options_;
  base::Outbound& outbound_;
  Ledger& ledger_;
  const std::unique_ptr<store::Connection> reader_;
  base::Random& random_;
  runtime::TaskList& tasks_;
  const base::Clock& clock_;
  std::string store_id_;

  // Of the thread.
  std::vector<std::unique_ptr<Lane>> lanes_;  // in the order of targets_.all
  std::vector<bool> down_;                    // of each lane: that it is down was told
  std::vector<Outcome> outcomes_;             // to be given to the Ledger
  std::vector<Outcome> recording_;            // given to it
  std::vector<std::int64_t> resent_;          // rows to be looked for
  bool scan_wanted_ = true;
  bool pruning_ = false;
  bool dirty_ = true;  // the figures
  bool ending_ = false;
  std::size_t turn_ = 0;        // which lane begins first
  std::uint64_t refusals_ = 0;  // for good, of all targets
  base::TimePoint next_record_{}, next_scan_{}, next_prune_{}, next_figures_{};
  base::TimePoint wake_{};  // when there may be something to do, if nothing happens before

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Inbox inbox_;                       // guarded by mutex_
  std::size_t out_ = 0;               // calls without an answer; guarded by mutex_
  std::vector<TargetReport> report_;  // guarded by mutex_
  std::unique_ptr<runtime::WorkerPool> thread_;  // last: it uses all the rest
};

}  // namespace trialward::delivery
