// Subscriptions: sends each subscription's events to its endpoint, in their order and at least once
// each. One thread; what waits for a remote waits in the Outbound.
//
//   - It keeps nothing that is not in the store: which events there are follows from the alerts'
//     own (store/subscription_rows.h), so intake writes nothing for a subscription. After a restart
//     it goes on behind what was taken.
//   - A subscription has one request out at a time, with the next events that it gets, or the
//     greeting that makes it active, or a heartbeat. What it came to is written down through the
//     SubscriptionLedger; until that is durable nothing more is sent for it.
//   - A failure, a refusal too, is tried again after a pause that doubles, and for ever: no event
//     is passed over. From kFailuresShown in a row the subscription is shown as `error`. A greeting
//     that fails kGreetingsMax times is not tried again before its client changes it.
//     So there are never more out than subscriptions (store::kSubscriptionsMax of a study), and
//     an endpoint that hangs holds up no other.
//   - Each remote has a breaker and a budget of repetitions, for all its subscriptions.
//   - One whose token was revoked or has expired, or whose end has come, is turned off. While a
//     token is not known yet, as another node has just made it, nothing is sent with it.
//
// Any thread may call wake(), look_again() and report(). stop() begins nothing more, waits up to
// `grace` for answers, takes the rest back and returns when nothing of it is out. Without start(),
// run_once() drives it. It outlives whatever it gave to the ledger.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/outbound.h"
#include "base/random.h"
#include "delivery/targets.h"
#include "runtime/breaker.h"
#include "runtime/retry_budget.h"
#include "runtime/task_list.h"
#include "runtime/worker_pool.h"
#include "store/subscription_rows.h"

namespace trialward::delivery {

inline constexpr int kFailuresShown = 3;
inline constexpr int kGreetingsMax = 5;

// How what became of subscriptions is written down; as Ledger. Any thread.
class SubscriptionLedger {
 public:
  virtual ~SubscriptionLedger() = default;
  virtual bool move(const std::vector<store::SubscriptionMove>& moves,
                    std::function<void(bool stored)> done) = 0;
};

// What a subscription wants, as its resource says it.
struct SubscriptionWish {
  store::TopicWish events;
  std::string endpoint, media_type;
  base::OutboundHeaders headers;
  std::int64_t end_ms = 0;     // 0: none
  base::Duration heartbeat{};  // zero: none
  base::Duration timeout{};
  std::size_t events_max = 1;  // in one request
};

enum class NoticeKind : std::uint8_t { greeting, heartbeat, events };

// Reads and writes FHIR, of which this knows nothing. Of one thread.
class SubscriptionForm {
 public:
  virtual ~SubscriptionForm() = default;
  // Errors: corrupt.
  virtual base::Result<SubscriptionWish> read(const store::Subscription& subscription) = 0;
  // The body of a request, or what of it has room: `events` is cut to that. The first has the
  // number subscription.count + 1.
  virtual base::Result<std::string> write(store::Connection& reader,
                                          const store::Subscription& subscription, NoticeKind kind,
                                          std::vector<store::TopicEvent>& events) = 0;
};

enum class TokenState : std::uint8_t { valid, gone, unknown };

struct SubscriptionsOptions {
  std::function<bool()> on_duty;                            // null: always
  std::function<TokenState(std::int64_t token)> token;      // null: all are valid
  base::Duration look_interval = std::chrono::seconds(10);  // at the store, undisturbed
  runtime::BreakerOptions breaker{.window = 50, .calls_min = 20, .failures_max = 0.6};
  runtime::RetryBudgetOptions budget;
};

struct SubscriptionsReport {
  std::array<std::int64_t, store::kSubscriptionStatuses> statuses{};  // by SubscriptionStatus
  std::size_t in_flight = 0;
  std::uint64_t taken = 0, failed = 0;  // requests, since the start
};

class Subscriptions {
 public:
  struct Parts {
    const Targets& targets;
    base::Outbound& outbound;
    SubscriptionLedger& ledger;
    SubscriptionForm& form;
    base::Random& random;
    runtime::TaskList& tasks;
  };
  // The parts must outlive it.
  Subscriptions(Parts parts, SubscriptionsOptions options,
                std::unique_ptr<store::Connection> reader);
  ~Subscriptions();
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;

  void start();
  // There are new alert events.
  void wake();
  // Subscriptions were made or changed.
  void look_again();
  bool run_once();
  void stop(base::Duration grace);

  SubscriptionsReport report() const;

 private:
  class Loop;
  struct Remote;
  struct Feed;
  struct Answer {
    std::uint64_t serial = 0;  // of the feed
    base::OutboundAnswer answer;
  };
  struct Inbox {
    std::vector<Answer> answers;
    bool recorded = false, stored = false;
    bool wake = true, look_again = true;
  };

  bool take_inbox();
  void take_answer(Answer& answer);
  void failed(Feed& feed, const std::string& error, base::Duration retry_after);
  void record();
  void settle(bool stored);
  void look();
  void add(store::Subscription subscription);
  void drop(Feed& feed);
  bool begin_some();
  bool begin(Feed& feed);
  TokenState token_of(const Feed& feed) const;
  void check(Feed& feed);
  bool turned_off(Feed& feed);
  bool permitted(Feed& feed);
  bool find_events(Feed& feed, std::vector<store::TopicEvent>& events);
  bool send(Feed& feed, NoticeKind kind, std::vector<store::TopicEvent> events);
  base::OutboundRequest request_of(const Feed& feed, std::string body) const;
  void propose(Feed& feed, store::SubscriptionMove move);
  void take_back();
  void wait(const runtime::Cancel& stop);
  void post(const std::function<void(Inbox&)>& change);
  void trouble(const base::Error& error);
  void wake_at(base::TimePoint at) { wake_ = std::min(wake_, at); }

  const Parts parts_;
  const SubscriptionsOptions options_;
  const std::unique_ptr<store::Connection> reader_;
  const base::Clock& clock_;

  // Of the thread.
  std::map<std::string, std::unique_ptr<Remote>> remotes_;  // of those that are allowed
  std::map<std::int64_t, std::unique_ptr<Feed>> feeds_;     // by subscription; after the remotes
  std::map<std::uint64_t, Feed*> by_serial_;
  std::vector<store::SubscriptionMove> moves_, recording_;
  std::uint64_t next_serial_ = 1;
  std::int64_t turn_ = 0;  // the subscription after which it begins
  std::size_t in_flight_ = 0;
  bool ending_ = false, look_wanted_ = true;
  base::TimePoint next_look_{}, next_record_{}, wake_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Inbox inbox_;                                  // guarded by mutex_
  std::size_t out_ = 0;                          // calls without an answer; guarded by mutex_
  SubscriptionsReport report_;                   // guarded by mutex_
  std::unique_ptr<runtime::WorkerPool> thread_;  // last: it uses all the rest
};

}  // namespace trialward::delivery
