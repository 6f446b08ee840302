#include "delivery/subscriptions.h"

#include <algorithm>

#include "base/log.h"
#include "delivery/message.h"
#include "runtime/wait.h"

namespace trialward::delivery {

using base::Errc;
using base::Result;
using base::Status;
using store::Subscription;
using store::SubscriptionMove;
using store::SubscriptionStatus;
using store::TopicEvent;

namespace {

constexpr base::Duration kFullLedger = std::chrono::milliseconds(50);  // until it is asked again
constexpr base::Duration kStoreTrouble = std::chrono::milliseconds(500);
constexpr base::Duration kNotAllowed = std::chrono::seconds(60);  // until that is looked at again
constexpr base::Duration kUnknownToken = std::chrono::seconds(1);  // until it is asked for again
constexpr base::Duration kHangs = std::chrono::seconds(301);      // longer than any may take
constexpr std::size_t kMovesMax = 64;                             // written down at once
constexpr std::size_t kShownErrorMax = 300;                       // bytes
constexpr std::size_t kSubscriptionPage = 200;
constexpr std::size_t kEventsLookedAt = 1000;  // in one turn

}  // namespace

// Another machine, for all the subscriptions that send there.
struct Subscriptions::Remote {
  Remote(runtime::BreakerOptions breaker_options, runtime::RetryBudgetOptions budget_options,
         const base::Clock& clock, base::Random& random)
      : breaker(breaker_options, clock, random), budget(budget_options, clock) {}
  runtime::Breaker breaker;
  runtime::RetryBudget budget;
};

// A subscription that is not off.
struct Subscriptions::Feed {
  enum class State : std::uint8_t { waiting, sent, settling };
  Feed(Subscription its, const runtime::BackoffOptions& retry, base::Random& random)
      : stored(std::move(its)), seen(stored.event), backoff(retry, random) {}

  Subscription stored;
  SubscriptionWish wish;
  Remote* remote = nullptr;
  std::uint64_t serial = 0;
  State state = State::waiting;
  base::TimePoint due{}, not_before{}, beat{};
  std::int64_t seen;  // of the study: no event up to here is to be sent any more
  int failures = 0;   // in a row
  runtime::Backoff backoff;
  runtime::Breaker::Call permit;  // while sent
  base::Outbound::Id call = 0;
  NoticeKind kind = NoticeKind::greeting;
  std::int64_t upto = 0, upto_count = 0;  // where it is when this is taken
};

class Subscriptions::Loop final : public runtime::Worker {
 public:
  explicit Loop(Subscriptions& all) : all_(all) {}
  bool run_once(const runtime::Cancel&) override { return all_.run_once(); }
  bool wait(const runtime::Cancel& stop) override { return all_.wait(stop), true; }

 private:
  Subscriptions& all_;
};

Subscriptions::Subscriptions(Parts parts, SubscriptionsOptions options,
                             std::unique_ptr<store::Connection> reader)
    : parts_(parts),
      options_(std::move(options)),
      reader_(std::move(reader)),
      clock_(parts_.tasks.clock()) {}

Subscriptions::~Subscriptions() { stop(base::Duration::zero()); }

void Subscriptions::start() {
  TW_CHECK(thread_ == nullptr);
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  workers.push_back(std::make_unique<Loop>(*this));
  thread_ = std::make_unique<runtime::WorkerPool>(
      runtime::WorkerPoolOptions{.name = "subscriptions"}, parts_.tasks, std::move(workers));
}

void Subscriptions::post(const std::function<void(Inbox&)>& change) {
  const std::lock_guard lock(mutex_);
  change(inbox_);
  changed_.notify_all();
}

void Subscriptions::wake() {
  post([](Inbox& inbox) { inbox.wake = true; });
}

void Subscriptions::look_again() {
  post([](Inbox& inbox) { inbox.wake = inbox.look_again = true; });
}

bool Subscriptions::run_once() {
  wake_ = clock_.now() + options_.look_interval;
  const bool worked = take_inbox();
  if (options_.on_duty && !options_.on_duty()) {
    while (!feeds_.empty()) drop(*feeds_.begin()->second);
    moves_.clear();  // it is another's to say now
    look_wanted_ = true;
    {
      const std::lock_guard lock(mutex_);
      report_.statuses = {};
    }
    wake_at(clock_.now() + kStoreTrouble);
    return worked;
  }
  record();
  if (look_wanted_ || clock_.now() >= next_look_) look();
  return begin_some() || worked;
}

bool Subscriptions::take_inbox() {
  Inbox inbox;
  inbox.wake = inbox.look_again = false;
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
  }
  look_wanted_ = look_wanted_ || inbox.look_again;
  if (inbox.wake) {
    for (const auto& [id, feed] : feeds_) {
      if (feed->failures == 0) feed->due = std::min(feed->due, clock_.now());
    }
  }
  for (Answer& answer : inbox.answers) take_answer(answer);
  if (inbox.recorded) settle(inbox.stored);
  return inbox.wake || inbox.recorded || !inbox.answers.empty();
}

void Subscriptions::take_answer(Answer& answer) {
  const auto found = by_serial_.find(answer.serial);
  if (found == by_serial_.end()) return;  // it was changed, or deleted, meanwhile
  Feed& feed = *found->second;
  const Reading reading = read_answer(TargetKind::webhook, answer.answer);
  feed.state = Feed::State::waiting;
  --in_flight_;
  using Health = Reading::Health;
  if (reading.health == Health::unknown) {
    feed.permit.abandoned();
    return;
  }
  if (reading.health == Health::ill) feed.permit.failed();
  if (reading.health == Health::well) {
    const bool was_down = feed.remote->breaker.stats().state != runtime::BreakerState::closed;
    feed.permit.succeeded();
    for (const auto& [id, other] : feeds_) {
      if (was_down && other->remote == feed.remote) {
        other->due = std::min(other->due, std::max(clock_.now(), other->not_before));
      }
    }
  }
  const bool taken = reading.verdict == Verdict::delivered;
  {
    const std::lock_guard lock(mutex_);
    ++(taken ? report_.taken : report_.failed);
  }
  if (!taken) return failed(feed, reading.error, reading.retry_after);
  feed.remote->budget.succeeded();
  feed.failures = 0;
  feed.backoff.reset();
  feed.due = clock_.now();
  feed.beat = clock_.now() + feed.wish.heartbeat;
  if (feed.kind == NoticeKind::heartbeat && feed.stored.status == SubscriptionStatus::active) {
    return;
  }
  propose(feed, {.event = feed.upto,
                 .count = feed.upto_count,
                 .status = SubscriptionStatus::active,
                 .greeted = true});
}

void Subscriptions::failed(Feed& feed, const std::string& error, base::Duration retry_after) {
  ++feed.failures;
  feed.not_before = clock_.now() + retry_after;
  feed.due = clock_.now() + std::max(feed.backoff.next(), retry_after);
  const int shown = feed.stored.greeted ? kFailuresShown : kGreetingsMax;
  if (feed.failures < shown || feed.stored.status == SubscriptionStatus::error) return;
  base::log_warning("subscriptions: subscription " + std::to_string(feed.stored.id) +
                    " fails: " + error);
  propose(feed, {.event = feed.stored.event,
                 .count = feed.stored.count,
                 .status = SubscriptionStatus::error,
                 .greeted = feed.stored.greeted,
                 .error = error.substr(0, kShownErrorMax)});
}

// What is to be written down of it; it waits for that.
void Subscriptions::propose(Feed& feed, SubscriptionMove move) {
  move.subscription = feed.stored.id;
  move.entry = feed.stored.entry;
  move.at_ms = clock_.utc_ms();
  feed.state = Feed::State::settling;
  moves_.push_back(std::move(move));
}

void Subscriptions::record() {
  if (moves_.empty() || !recording_.empty()) return;
  if (clock_.now() < next_record_) return wake_at(next_record_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(moves_.size(), kMovesMax));
  recording_.assign(moves_.begin(), moves_.begin() + count);
  const bool taken = parts_.ledger.move(recording_, [this](bool stored) {
    post([stored](Inbox& inbox) {
      inbox.recorded = true;
      inbox.stored = stored;
    });
  });
  if (taken) {
    moves_.erase(moves_.begin(), moves_.begin() + count);
    return;
  }
  recording_.clear();
  next_record_ = clock_.now() + kFullLedger;
  wake_at(next_record_);
}

void Subscriptions::settle(bool stored) {
  std::vector<SubscriptionMove> recorded = std::exchange(recording_, {});
  if (!stored) {
    moves_.insert(moves_.begin(), std::make_move_iterator(recorded.begin()),
                  std::make_move_iterator(recorded.end()));
    next_record_ = clock_.now() + kStoreTrouble;
    return;
  }
  for (const SubscriptionMove& move : recorded) {
    const auto found = feeds_.find(move.subscription);
    if (found == feeds_.end() || found->second->stored.entry != move.entry) continue;
    Feed& feed = *found->second;
    if (feed.state != Feed::State::settling) continue;
    feed.state = Feed::State::waiting;
    {
      const std::lock_guard lock(mutex_);
      --report_.statuses[static_cast<std::size_t>(feed.stored.status)];
      ++report_.statuses[static_cast<std::size_t>(move.status)];
    }
    feed.stored.event = move.event;
    feed.stored.count = move.count;
    feed.stored.status = move.status;
    feed.stored.greeted = move.greeted;
    feed.stored.error = move.error;
    feed.seen = std::max(feed.seen, move.event);
    if (move.status == SubscriptionStatus::off) drop(feed);
  }
}

// At the store: which subscriptions there are.
void Subscriptions::look() {
  std::map<std::int64_t, Subscription> all;
  std::int64_t after = 0;
  while (true) {
    auto page = store::read_subscriptions(*reader_, 0, after, kSubscriptionPage);
    if (!page) {
      trouble(page.error());
      next_look_ = clock_.now() + kStoreTrouble;
      look_wanted_ = false;
      return wake_at(next_look_);
    }
    for (Subscription& one : *page) {
      after = one.id;
      all.emplace(one.id, std::move(one));
    }
    if (page->size() < kSubscriptionPage) break;
  }
  look_wanted_ = false;
  next_look_ = clock_.now() + options_.look_interval;
  std::vector<Feed*> gone;
  for (const auto& [id, feed] : feeds_) {
    const auto found = all.find(id);
    const bool same = found != all.end() && found->second.entry == feed->stored.entry &&
                      found->second.status != SubscriptionStatus::off;
    if (!same) gone.push_back(feed.get());
  }
  for (Feed* feed : gone) drop(*feed);
  SubscriptionsReport report;
  for (auto& [id, one] : all) {
    ++report.statuses[static_cast<std::size_t>(one.status)];
    if (one.status != SubscriptionStatus::off && !feeds_.contains(id)) add(std::move(one));
  }
  for (const auto& [id, feed] : feeds_) check(*feed);
  const std::lock_guard lock(mutex_);
  report_.statuses = report.statuses;
}

// Tokens are revoked, and ends come, also where nothing happens, where a request is out and where
// the endpoint fails.
void Subscriptions::check(Feed& feed) {
  if (feed.state == Feed::State::sent && token_of(feed) == TokenState::gone) {
    parts_.outbound.cancel(feed.call);
    feed.permit.abandoned();
    --in_flight_;
    feed.state = Feed::State::waiting;
    // Its answer is of no more interest.
    by_serial_.erase(feed.serial);
    feed.serial = next_serial_++;
    by_serial_.emplace(feed.serial, &feed);
  }
  if (feed.state != Feed::State::waiting) return;
  if (turned_off(feed)) return wake_at(clock_.now());  // so that it is written down at once
  if (feed.failures == 0) feed.due = std::min(feed.due, clock_.now());
}

void Subscriptions::add(Subscription subscription) {
  auto wish = parts_.form.read(subscription);
  if (!wish) return trouble(wish.error());
  const std::int64_t id = subscription.id;
  auto feed = std::make_unique<Feed>(std::move(subscription), parts_.targets.retry, parts_.random);
  feed->wish = std::move(*wish);
  feed->serial = next_serial_++;
  feed->due = clock_.now();
  feed->beat = clock_.now() + feed->wish.heartbeat;
  auto& remote = remotes_[Endpoints::remote_of(feed->wish.endpoint)];
  if (remote == nullptr) {
    runtime::BreakerOptions breaker = options_.breaker;
    breaker.pause = parts_.targets.breaker;
    breaker.hang_after = kHangs;
    remote = std::make_unique<Remote>(breaker, options_.budget, clock_, parts_.random);
  }
  feed->remote = remote.get();
  by_serial_.emplace(feed->serial, feed.get());
  feeds_.emplace(id, std::move(feed));
}

void Subscriptions::drop(Feed& feed) {
  by_serial_.erase(feed.serial);
  if (feed.state == Feed::State::sent) {
    feed.permit.abandoned();
    --in_flight_;
    parts_.outbound.cancel(feed.call);
  }
  feeds_.erase(feed.stored.id);
}

bool Subscriptions::begin_some() {
  if (ending_) return false;
  bool worked = false;
  std::vector<Feed*> due;
  for (const auto& [id, feed] : feeds_) {
    if (feed->state != Feed::State::waiting) continue;
    if (feed->due <= clock_.now()) due.push_back(feed.get());
  }
  // Not always the same one first.
  const auto first = std::find_if(due.begin(), due.end(),
                                  [this](const Feed* feed) { return feed->stored.id > turn_; });
  std::rotate(due.begin(), first, due.end());
  for (Feed* feed : due) {
    turn_ = feed->stored.id;
    worked = begin(*feed) || worked;
  }
  for (const auto& [id, feed] : feeds_) {
    if (feed->state == Feed::State::waiting) wake_at(feed->due);
  }
  const std::lock_guard lock(mutex_);
  report_.in_flight = in_flight_;
  return worked;
}

// Whether something was done, so that there may be more. It is due again when it says, or when
// there are new events.
bool Subscriptions::begin(Feed& feed) {
  using Clock = base::TimePoint;
  if (turned_off(feed)) return true;
  if (token_of(feed) == TokenState::unknown) {
    feed.due = clock_.now() + kUnknownToken;
    return false;
  }
  const bool greets = !feed.stored.greeted;
  if (greets && feed.stored.status == SubscriptionStatus::error) {
    feed.due = Clock::max();  // until its client changes it, which makes another feed
    feed.failures = kGreetingsMax;
    return false;
  }
  if (!parts_.targets.endpoints.allows(feed.wish.endpoint)) {
    failed(feed, "this server does not allow its endpoint", kNotAllowed);
    return true;
  }
  std::vector<TopicEvent> events;
  feed.kind = NoticeKind::greeting;
  feed.upto = feed.stored.event;
  feed.upto_count = feed.stored.count;
  if (!greets) {
    if (find_events(feed, events)) return true;
    feed.kind = NoticeKind::events;
    if (events.empty()) {
      const bool beats = feed.wish.heartbeat > base::Duration::zero();
      if (!beats || clock_.now() < feed.beat) {
        feed.due = beats ? feed.beat : Clock::max();
        return false;
      }
      feed.kind = NoticeKind::heartbeat;
    }
  }
  return permitted(feed) && send(feed, feed.kind, std::move(events));
}

TokenState Subscriptions::token_of(const Feed& feed) const {
  return options_.token ? options_.token(feed.stored.token) : TokenState::valid;
}

bool Subscriptions::turned_off(Feed& feed) {
  std::string why;
  if (token_of(feed) == TokenState::gone) {
    why = "its token was revoked, or has expired";
  } else if (feed.wish.end_ms != 0 && feed.wish.end_ms <= clock_.utc_ms()) {
    why = "its end has come";
  }
  if (why.empty()) return false;
  base::log_info("subscriptions: subscription " + std::to_string(feed.stored.id) +
                 " is off: " + why);
  propose(feed, {.event = feed.stored.event,
                 .count = feed.stored.count,
                 .status = SubscriptionStatus::off,
                 .greeted = feed.stored.greeted,
                 .error = why});
  return true;
}

// The next events; or, as true, that it goes on without any for now.
bool Subscriptions::find_events(Feed& feed, std::vector<TopicEvent>& events) {
  auto page = store::read_topic_events(*reader_, feed.stored.study, feed.wish.events, feed.seen,
                                       feed.wish.events_max, kEventsLookedAt);
  if (!page) {
    trouble(page.error());
    feed.due = clock_.now() + kStoreTrouble;
    return true;
  }
  feed.upto = page->seen;
  if (!page->events.empty()) {
    events = std::move(page->events);
    return false;
  }
  // So that they need not be looked at again after a restart.
  feed.seen = page->seen;
  if (page->seen - feed.stored.event >= store::kMarkEvents) {
    propose(feed, {.event = page->seen,
                   .count = feed.stored.count,
                   .status = feed.stored.status,
                   .greeted = true,
                   .error = feed.stored.error});
    return true;
  }
  return !page->at_end;
}

// By the remote's breaker and, for a repetition, its budget.
bool Subscriptions::permitted(Feed& feed) {
  auto permit = feed.remote->breaker.admit();
  if (!permit) {
    feed.due = std::max(permit.error(), clock_.now() + kFullLedger);
    return false;
  }
  if (feed.failures > 0 && !feed.remote->budget.take()) {
    permit->abandoned();
    feed.due = std::max(feed.remote->budget.next(), clock_.now() + kFullLedger);
    return false;
  }
  feed.permit = std::move(*permit);
  return true;
}

base::OutboundRequest Subscriptions::request_of(const Feed& feed, std::string body) const {
  const SubscriptionWish& wish = feed.wish;
  base::OutboundRequest request{.name = "subscription " + std::to_string(feed.stored.id),
                                .url = wish.endpoint,
                                .headers = wish.headers,
                                .body = std::move(body),
                                .ca_file = parts_.targets.endpoints_ca_file};
  request.headers.emplace_back("Content-Type", wish.media_type);
  request.deadlines.total = wish.timeout;
  request.deadlines.connect = std::min(request.deadlines.connect, wish.timeout);
  request.deadlines.header = wish.timeout;
  request.deadlines.stall = std::min(request.deadlines.stall, wish.timeout);
  return request;
}

bool Subscriptions::send(Feed& feed, NoticeKind kind, std::vector<TopicEvent> events) {
  const std::size_t found = events.size();
  auto body = parts_.form.write(*reader_, feed.stored, kind, events);
  if (!body) {
    feed.permit.abandoned();
    if (body.error().code == Errc::corrupt) {
      failed(feed, "its notification cannot be written: " + body.error().message, {});
      return true;
    }
    trouble(body.error());
    feed.due = clock_.now() + kStoreTrouble;
    return false;
  }
  if (events.size() < found) feed.upto = events.back().number;
  feed.upto_count = feed.stored.count + static_cast<std::int64_t>(events.size());
  {
    const std::lock_guard lock(mutex_);
    ++out_;
  }
  auto call = parts_.outbound.send(request_of(feed, std::move(*body)),
                                   [this, serial = feed.serial](base::OutboundAnswer answer) {
                                     const std::lock_guard lock(mutex_);
                                     inbox_.answers.push_back({serial, std::move(answer)});
                                     --out_;
                                     changed_.notify_all();
                                   });
  if (call) {
    feed.state = Feed::State::sent;
    feed.call = *call;
    ++in_flight_;
    return true;
  }
  {
    const std::lock_guard lock(mutex_);
    --out_;
  }
  feed.permit.abandoned();
  if (call.error().code == Errc::invalid) {
    failed(feed, "it cannot be sent: " + call.error().message, {});
    return true;
  }
  feed.due = clock_.now() + kFullLedger;
  return false;
}

SubscriptionsReport Subscriptions::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Subscriptions::trouble(const base::Error& error) {
  base::log_error("subscriptions: the store cannot be read: " + error.message);
}

void Subscriptions::wait(const runtime::Cancel& stop) {
  const auto notify = stop.on_fire([this](runtime::CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  runtime::wait_until(changed_, lock, clock_, wake_, [&] {
    return stop.fired() || inbox_.wake || inbox_.look_again || inbox_.recorded ||
           !inbox_.answers.empty();
  });
}

void Subscriptions::take_back() {
  for (const auto& [id, feed] : feeds_) {
    if (feed->state == Feed::State::sent) parts_.outbound.cancel(feed->call);
  }
}

void Subscriptions::stop(base::Duration grace) {
  if (thread_ != nullptr) {
    reader_->stop();
    thread_->stop();
    reader_->go_on();
  }
  thread_.reset();
  if (std::exchange(ending_, true)) return;
  const base::TimePoint until = clock_.now() + grace;
  const auto until_answered = [&](base::TimePoint end) {
    std::unique_lock lock(mutex_);
    return runtime::wait_until(changed_, lock, clock_, end, [this] { return out_ == 0; });
  };
  if (!until_answered(until)) {
    take_back();
    until_answered(runtime::kForever);  // each ends soon, as the Outbound promises
  }
  // What was taken at the last moment need not be sent again, if it can still be written down.
  while (true) {
    take_inbox();
    record();
    std::unique_lock lock(mutex_);
    if (recording_.empty() || clock_.now() >= until) break;
    runtime::wait_until(changed_, lock, clock_, until, [this] { return inbox_.recorded; });
  }
}

}  // namespace trialward::delivery
