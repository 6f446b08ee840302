#include "delivery/delivery.h"

#include <algorithm>

#include "base/log.h"
#include "runtime/wait.h"

namespace trialward::delivery {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr base::Duration kNoRoom = std::chrono::milliseconds(50);     // until it asks again
constexpr base::Duration kTrouble = std::chrono::milliseconds(500);   // after the store failed
constexpr base::Duration kFigures = std::chrono::seconds(1);          // between two looks at them
constexpr base::Duration kIdle = std::chrono::seconds(10);            // the same, undisturbed
constexpr std::size_t kErrorBytesMax = 300;
constexpr std::uint64_t kRefusalsPerLine = 100;  // in the log: a target may refuse thousands

std::int64_t ms(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

LaneOptions lane_options(const Targets& targets, const Target& target, LaneOptions options) {
  options.retry = targets.retry;
  options.breaker.pause = targets.breaker;
  // An attempt ends by its own deadline; one that does not is what the breaker must see.
  options.breaker.hang_after = target.timeout + std::chrono::seconds(1);
  return options;
}

}  // namespace

class Delivery::Loop final : public runtime::Worker {
 public:
  explicit Loop(Delivery& delivery) : delivery_(delivery) {}
  bool run_once(const runtime::Cancel&) override { return delivery_.run_once(); }
  bool wait(const runtime::Cancel& stop) override { return delivery_.wait(stop), true; }

 private:
  Delivery& delivery_;
};

Result<std::unique_ptr<Delivery>> Delivery::open(const Targets& targets, DeliveryOptions options,
                                                 base::Outbound& outbound, Ledger& ledger,
                                                 std::unique_ptr<store::Connection> reader,
                                                 base::Random& random, runtime::TaskList& tasks) {
  auto store_id = store::read_store_id(*reader);
  if (!store_id) return store_id.error();
  std::unique_ptr<Delivery> delivery(new Delivery(targets, std::move(options), outbound, ledger,
                                                  std::move(reader), random, tasks));
  delivery->store_id_ = std::move(*store_id);
  delivery->look_at_figures();
  for (const TargetReport& target : delivery->report()) {
    if (target.configured || target.pending == 0) continue;
    base::log_warning("delivery: " + std::to_string(target.pending) + " alert events wait for '" +
                      target.name + "', which is no target of this server");
  }
  return delivery;
}

Delivery::Delivery(const Targets& targets, DeliveryOptions options, base::Outbound& outbound,
                   Ledger& ledger, std::unique_ptr<store::Connection> reader,
                   base::Random& random, runtime::TaskList& tasks)
    : targets_(targets),
      options_(std::move(options)),
      outbound_(outbound),
      ledger_(ledger),
      reader_(std::move(reader)),
      random_(random),
      tasks_(tasks),
      clock_(tasks.clock()) {
  for (const Target& target : targets_.all) {
    lanes_.push_back(std::make_unique<Lane>(
        target, lane_options(targets_, target, options_.lane), clock_, random_));
    report_.push_back({.name = target.name, .kind = target.kind});
    down_.push_back(false);
  }
}

Delivery::~Delivery() { stop(base::Duration::zero()); }

void Delivery::start() {
  TW_CHECK(thread_ == nullptr);
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  workers.push_back(std::make_unique<Loop>(*this));
  thread_ = std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = "delivery"},
                                                  tasks_, std::move(workers));
}

void Delivery::post(const std::function<void(Inbox&)>& change) {
  const std::lock_guard lock(mutex_);
  change(inbox_);
  changed_.notify_all();
}

void Delivery::wake() {
  post([](Inbox& inbox) { inbox.wake = true; });
}

void Delivery::resent(std::int64_t delivery) {
  post([delivery](Inbox& inbox) {
    inbox.wake = true;
    inbox.resent.push_back(delivery);
  });
}

void Delivery::look_again() {
  post([](Inbox& inbox) { inbox.wake = inbox.look_again = true; });
}

bool Delivery::run_once() {
  wake_ = clock_.now() + kIdle;
  bool worked = take_inbox(scan_wanted_);
  record();
  tell_of_breakers();
  if (options_.on_duty && !options_.on_duty()) {
    take_back();
    if (clock_.now() >= next_figures_) look_at_figures();
    wake_ = std::min(wake_, clock_.now() + kTrouble);
    return worked;
  }
  if (scan_wanted_ && clock_.now() >= next_scan_) scan();
  worked = begin_some() || worked;
  prune();
  if (clock_.now() >= next_figures_) look_at_figures();
  wake_ = std::min(wake_, next_figures_);
  return worked;
}

bool Delivery::take_inbox(bool& scan) {
  Inbox inbox;
  inbox.wake = false;
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
  }
  scan = scan || inbox.wake;
  if (inbox.look_again) {
    for (const auto& lane : lanes_) lane->look_again();
  }
  resent_.insert(resent_.end(), inbox.resent.begin(), inbox.resent.end());
  for (Answer& answer : inbox.answers) take_answer(answer);
  if (inbox.recorded) settle(inbox.stored);
  if (inbox.prune_ended) {
    pruning_ = false;
    const bool more = inbox.pruned == options_.prune_rows;
    next_prune_ = clock_.now() + (more ? kNoRoom : options_.prune_interval);
  }
  const bool worked = inbox.wake || inbox.recorded || !inbox.answers.empty();
  dirty_ = dirty_ || worked;
  if (worked) next_figures_ = std::min(next_figures_, clock_.now() + kFigures);
  return worked;
}

// From an answer to an outcome that is to be written down; the head waits for that.
void Delivery::take_answer(Answer& answer) {
  Lane& lane = *lanes_[answer.lane];
  Lane::Head& head = lane.head(answer.subject);
  Reading reading = read_answer(lane.target().kind, answer.answer);
  const std::int64_t now_ms = clock_.utc_ms();
  using Health = Reading::Health;
  if (reading.health == Health::well) {
    // Who was down is back: what waits out its pause need not any more.
    if (lane.breaker().stats().state != runtime::BreakerState::closed) lane.hurry();
    head.permit.succeeded();
  }
  if (reading.health == Health::ill) head.permit.failed();
  if (reading.health == Health::unknown) {
    // We took it back ourselves: as if it had not been sent.
    head.permit.abandoned();
    return lane.wait(answer.subject, clock_.now());
  }
  Outcome outcome{.lane = answer.lane, .subject = answer.subject};
  outcome.attempt = {.delivery = head.row.id,
                     .at_ms = head.sent_ms,
                     .status = answer.answer.status,
                     .duration_ms = ms(clock_.now() - head.sent),
                     .error = reading.error.substr(0, kErrorBytesMax)};
  ++head.row.attempts;
  head.pause = base::Duration::zero();
  {
    const std::lock_guard lock(mutex_);
    TargetReport& report = report_[answer.lane];
    switch (reading.verdict) {
      case Verdict::delivered:
        outcome.attempt.next = store::DeliveryState::delivered;
        outcome.attempt.outcome = "delivered";
        ++report.delivered;
        report.last_delivered_ms = now_ms;
        break;
      case Verdict::refused:
        outcome.attempt.next = store::DeliveryState::dead;
        outcome.attempt.outcome = "refused";
        ++report.refused;
        break;
      case Verdict::failed:
        outcome.attempt.outcome = "failed";
        head.pause = std::max(head.backoff.next(), reading.retry_after);
        head.not_before = clock_.now() + reading.retry_after;
        ++report.failed;
        break;
    }
    if (!reading.error.empty()) {
      report.last_error = outcome.attempt.error;
      report.last_error_ms = now_ms;
    }
  }
  if (reading.verdict == Verdict::delivered) lane.budget().succeeded();
  if (reading.verdict == Verdict::refused && refusals_++ % kRefusalsPerLine == 0) {
    base::log_warning("delivery: '" + lane.target().name + "' refuses delivery " +
                      std::to_string(head.row.id) + " for good: " + outcome.attempt.error);
  }
  lane.answered(answer.subject);
  outcomes_.push_back(std::move(outcome));
}

void Delivery::record() {
  if (outcomes_.empty() || !recording_.empty()) return;
  if (clock_.now() < next_record_) {
    wake_ = std::min(wake_, next_record_);
    return;
  }
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(outcomes_.size(), options_.recorded_max));
  recording_.assign(outcomes_.begin(), outcomes_.begin() + count);
  std::vector<store::DeliveryAttempt> attempts;
  for (const Outcome& outcome : recording_) attempts.push_back(outcome.attempt);
  const bool taken = ledger_.record(attempts, [this](bool stored) {
    post([stored](Inbox& inbox) {
      inbox.recorded = true;
      inbox.stored = stored;
    });
  });
  if (taken) {
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + count);
    return;
  }
  recording_.clear();
  next_record_ = clock_.now() + kNoRoom;
  wake_ = std::min(wake_, next_record_);
}

// The Ledger has said what became of recording_.
void Delivery::settle(bool stored) {
  std::vector<Outcome> recorded = std::move(recording_);
  recording_.clear();
  if (!stored) {
    // Nobody may think that it was not delivered, or was: it is offered again.
    outcomes_.insert(outcomes_.begin(), std::make_move_iterator(recorded.begin()),
                     std::make_move_iterator(recorded.end()));
    next_record_ = clock_.now() + kTrouble;
    return;
  }
  for (const Outcome& outcome : recorded) settle_one(outcome);
}

void Delivery::settle_one(const Outcome& outcome) {
  Lane& lane = *lanes_[outcome.lane];
  if (outcome.attempt.next == store::DeliveryState::pending) {
    const base::Duration pause = lane.head(outcome.subject).pause;
    lane.wait(outcome.subject, clock_.now() + pause);
    return;
  }
  // A subject without a head would be found again by a scan, so one that cannot be read now keeps
  // its head: its next attempt sees that the row is settled, and tries this again.
  if (auto done = lane.replace(*reader_, outcome.subject); !done) {
    trouble(done.error());
    lane.wait(outcome.subject, clock_.now() + kTrouble);
  }
  scan_wanted_ = true;  // there may be room for another subject
}

// They are behind what the lanes have read of the outbox, so each is looked for by itself.
void Delivery::take_resent() {
  while (!resent_.empty()) {
    auto row = store::find_pending(*reader_, resent_.back());
    if (!row) {
      trouble(row.error());
      scan_wanted_ = true;
      return;
    }
    if (*row) {
      for (const auto& lane : lanes_) {
        if (lane->target().name != (*row)->target) continue;
        if (auto done = lane->take_resent(*reader_, (*row)->row); !done) {
          trouble(done.error());
          scan_wanted_ = true;
          return;
        }
      }
    }
    resent_.pop_back();
  }
}

void Delivery::scan() {
  scan_wanted_ = false;
  take_resent();
  for (const auto& lane : lanes_) {
    if (auto done = lane->scan(*reader_); !done) {
      trouble(done.error());
      scan_wanted_ = true;
    }
  }
  if (scan_wanted_) {
    next_scan_ = clock_.now() + kTrouble;
    wake_ = std::min(wake_, next_scan_);
  }
}

std::size_t Delivery::in_flight() const {
  std::size_t all = 0;
  for (const auto& lane : lanes_) all += lane->in_flight();
  return all;
}

bool Delivery::begin_some() {
  if (ending_) return false;
  bool worked = false;
  bool begun = true;
  // One of each target in turn, and not always the same one first. Where all places are taken a
  // target without any still gets one: the others may be slow for as long as they like.
  while (begun) {
    begun = false;
    const std::size_t first = turn_++;
    for (std::size_t n = 0; n < lanes_.size(); ++n) {
      const std::size_t i = (first + n) % lanes_.size();
      if (in_flight() >= options_.in_flight_max && lanes_[i]->in_flight() > 0) continue;
      auto start = lanes_[i]->next(clock_.now(), wake_);
      if (!start) continue;
      begun = begin(i, std::move(*start)) || begun;
      worked = true;
    }
  }
  return worked;
}

// Whether the lane may have another one to begin.
bool Delivery::begin(std::size_t index, Lane::Start start) {
  Lane& lane = *lanes_[index];
  Lane::Head& head = lane.head(start.subject);
  const std::int64_t row = head.row.id;
  auto content = store::read_delivery_content(*reader_, row);
  if (!content || !*content) {
    start.permit.abandoned();
    // Somebody discarded it, or it is settled: the next one takes its place.
    Status replaced = content ? lane.replace(*reader_, start.subject) : content.error();
    if (replaced) {
      const Lane::Head* next = lane.find(start.subject);
      if (next == nullptr || next->row.id != row) return true;
      const std::string name = "delivery " + std::to_string(row);
      replaced = base::Error{Errc::corrupt, "the event of " + name + " is not there"};
    }
    trouble(replaced.error());
    lane.pause(clock_.now() + kTrouble);
    wake_ = std::min(wake_, clock_.now() + kTrouble);
    return false;
  }
  auto call = send(index, start.subject, **content);
  const std::int64_t now_ms = clock_.utc_ms();
  if (call) {
    lane.sent(start.subject, *call, std::move(start.permit), now_ms);
    return true;
  }
  if (call.error().code == Errc::invalid) {
    // What cannot even be written as a message is for a person to see.
    lane.sent(start.subject, 0, std::move(start.permit), now_ms);
    base::OutboundAnswer answer;
    answer.status = lane.target().kind == TargetKind::email ? 599 : 499;
    answer.failure = lane.target().kind == TargetKind::email ? base::OutboundFailure::broken
                                                             : base::OutboundFailure::none;
    answer.error = call.error().message;
    base::log_error("delivery: delivery " + std::to_string(head.row.id) + " to '" +
                    lane.target().name + "' cannot be sent: " + call.error().message);
    post([&](Inbox& inbox) { inbox.answers.push_back({index, start.subject, answer}); });
    return true;
  }
  // No room, or it is stopping: the row stays pending, and is asked for again.
  start.permit.abandoned();
  lane.pause(clock_.now() + kNoRoom);
  wake_ = std::min(wake_, clock_.now() + kNoRoom);
  return false;
}

Result<base::Outbound::Id> Delivery::send(std::size_t index, std::int64_t subject,
                                          const store::DeliveryContent& content) {
  const Target& target = lanes_[index]->target();
  const std::int64_t attempt = lanes_[index]->head(subject).row.attempts + 1;
  const std::string key =
      idempotency_key(store_id_, content.event, content.alert_event.at_ms, target.name);
  auto done = [this, index, subject](base::OutboundAnswer answer) {
    const std::lock_guard lock(mutex_);
    inbox_.answers.push_back({index, subject, std::move(answer)});
    --out_;
    changed_.notify_all();
  };
  {
    const std::lock_guard lock(mutex_);
    ++out_;
  }
  auto call = target.kind == TargetKind::webhook
                  ? outbound_.send(webhook(target, key, content, attempt, clock_.utc_ms()), done)
                  : outbound_.mail(email(target, key, content), done);
  if (!call) {
    const std::lock_guard lock(mutex_);
    --out_;
  }
  return call;
}

void Delivery::prune() {
  if (pruning_ || ending_) return;
  if (clock_.now() < next_prune_) {
    wake_ = std::min(wake_, next_prune_);
    return;
  }
  const std::int64_t before_ms = clock_.utc_ms() - ms(targets_.keep);
  pruning_ = ledger_.prune(before_ms, options_.prune_rows, [this](std::int64_t rows) {
    post([rows](Inbox& inbox) {
      inbox.prune_ended = true;
      inbox.pruned = rows;
    });
  });
  if (pruning_) return;
  next_prune_ = clock_.now() + kTrouble;
  wake_ = std::min(wake_, next_prune_);
}

void Delivery::look_at_figures() {
  const base::TimePoint now = clock_.now();
  next_figures_ = now + (std::exchange(dirty_, false) ? kFigures : kIdle);
  scan_wanted_ = true;  // should a row have come without a word
  auto counts = store::count_deliveries(*reader_);
  if (!counts) return trouble(counts.error());
  const std::int64_t now_ms = clock_.utc_ms();
  const std::lock_guard lock(mutex_);
  report_.resize(lanes_.size());
  for (TargetReport& target : report_) {
    target.pending = target.dead = 0;
    target.oldest_pending = base::Duration::zero();
  }
  for (const store::DeliveryCounts& count : *counts) {
    auto target = std::find_if(report_.begin(), report_.end(),
                               [&](const TargetReport& one) { return one.name == count.target; });
    if (target == report_.end()) {
      target = report_.insert(report_.end(), {.name = count.target, .configured = false});
    }
    target->pending = count.pending;
    target->dead = count.dead;
    if (count.pending == 0) continue;
    target->oldest_pending = std::chrono::milliseconds(
        std::max<std::int64_t>(0, now_ms - count.oldest_pending_ms));
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    report_[i].in_flight = lanes_[i]->in_flight();
    report_[i].subjects = lanes_[i]->heads().size();
  }
}

std::vector<TargetReport> Delivery::report() const {
  std::vector<TargetReport> report;
  {
    const std::lock_guard lock(mutex_);
    report = report_;
  }
  // lanes_ never changes; breakers and budgets are for any thread.
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    report[i].breaker = lanes_[i]->breaker().stats();
    report[i].budget = lanes_[i]->budget().saved();
    report[i].in_flight = report[i].breaker.in_flight;
  }
  return report;
}

// A target that is down is told once, however often its breaker tries it and opens again.
void Delivery::tell_of_breakers() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const runtime::BreakerStats stats = lanes_[i]->breaker().stats();
    const bool down = stats.state != runtime::BreakerState::closed;
    if (down == down_[i]) continue;
    down_[i] = down;
    const std::string name = "delivery: '" + lanes_[i]->target().name + "' ";
    if (!down) {
      base::log_info(name + "is reached again");
      continue;
    }
    const std::lock_guard lock(mutex_);
    const std::string& error = report_[i].last_error;
    base::log_warning(
        name + "is not reached; it is tried now and then, and what is for it waits: " +
        (error.empty() ? std::to_string(stats.hanging) + " calls have no answer" : error));
  }
}

void Delivery::trouble(const base::Error& error) {
  base::log_error("delivery: the outbox cannot be read: " + error.message);
}

void Delivery::wait(const runtime::Cancel& stop) {
  const auto notify = stop.on_fire([this](runtime::CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  runtime::wait_until(changed_, lock, clock_, wake_, [&] {
    return stop.fired() || inbox_.wake || inbox_.recorded || inbox_.prune_ended ||
           !inbox_.answers.empty();
  });
}

void Delivery::take_back() {
  for (const auto& lane : lanes_) {
    for (const auto& [subject, head] : lane->heads()) {
      if (head.state == Lane::Head::State::sent) outbound_.cancel(head.call);
    }
  }
}

void Delivery::stop(base::Duration grace) {
  if (thread_ != nullptr) {
    reader_->stop();  // what it asks the store may take its time
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
  // What was delivered at the last moment need not be sent again, if it can still be written down.
  while (true) {
    bool scan = false;
    take_inbox(scan);
    record();
    std::unique_lock lock(mutex_);
    if (recording_.empty() || clock_.now() >= until) break;
    runtime::wait_until(changed_, lock, clock_, until, [this] { return inbox_.recorded; });
  }
}

}  // namespace trialward::delivery
