// BoundedQueue: items in weighted lanes, each bounded in items and in bytes. A place is reserved
// first, as a Ticket, before the item's bytes are even read, and counts against the limits from
// then on; it is given back when the item is popped or the ticket dropped. What is popped is
// bounded by BatchLimits, not by the queue.
//
// Order: lanes take turns by weight, the first lane first; an item past the aging time goes before
// them (see QueueOptions). Within a lane flows take turns, within a flow it is first come, first
// served; a lane may also limit what a flow holds of it. All of it is O(1) for an item, and a flow
// that has nothing waiting takes no memory.
//
// Any thread may call anything; a Ticket belongs to one thread at a time. Only wait() and
// wait_drained() block. Refusals are counted and typed. The queue outlives its tickets (checked).
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/result.h"
#include "runtime/cancel.h"
#include "runtime/flow_lane.h"
#include "runtime/lane_book.h"
#include "runtime/wait.h"

namespace trialward::runtime {

struct BatchLimits {
  std::size_t items_max = 0;
  std::size_t bytes_max = 0;  // one item is always taken, however large
  // While the first lane holds something, this many, or twice what it holds: what is urgent shall
  // not wait for much that rides with it. 0: no difference.
  std::size_t urgent_items_max = 0;
  bool urgent = false;  // as if it held something: that is about to come
};

// How one item of a batch came through; the input of the wait-time histograms.
struct Served {
  std::size_t lane = 0;
  std::size_t bytes = 0;
  base::Duration waited{};
};

template <class T>
class BoundedQueue {
 public:
  class Ticket;
  struct Batch {
    std::vector<T> items;
    std::vector<Served> served;  // of items, in the same order
    std::vector<T> expired;      // past their deadline: to be answered, not worked on
    bool empty() const { return items.empty() && expired.empty(); }
  };

  BoundedQueue(QueueOptions options, const base::Clock& clock)
      : clock_(clock), book_(std::move(options)), lanes_(book_.lanes()) {}
  ~BoundedQueue() { TW_CHECK(book_.tickets() == 0); }
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  base::Result<Ticket, Refusal> reserve(std::size_t lane, std::size_t bytes, Flow flow = {});
  // Never refused: the place is paid, also after close(). Only after close_now() the item comes
  // back. Items of one flow keep their order.
  [[nodiscard]] std::optional<T> push(Ticket ticket, T item, base::TimePoint deadline);
  // reserve() and push() in one; the item is lost when refused.
  std::optional<Refusal> try_push(std::size_t lane, std::size_t bytes, T item, Flow flow,
                                  base::TimePoint deadline);

  // What waits now, up to the limits; as many expired items may come on top. Without the memory for
  // one it throws, and all waits on.
  Batch pop_batch(const BatchLimits& limits);
  // What waits past its deadline, for when nobody pops: as many as there is memory for. What is
  // behind another of its flow that is not past its own waits on.
  std::vector<T> take_expired();
  // Blocks until something waits (true), or `stop` fired, the time is over or the queue is
  // drained (false).
  bool wait(const Cancel& stop, base::TimePoint until = kForever);

  // Refuses new tickets; what waits and what has a ticket is still served.
  void close();
  // Closes, and hands back all that waits; tickets that are out can no longer push.
  std::vector<T> close_now();
  // Closed, nothing waits, and no ticket is out.
  bool drained() const;
  bool wait_drained(base::TimePoint until);

  std::vector<LaneStats> stats() const;
  // That will be popped before one that comes into the lane now, about: its own lane's, and of each
  // other what its weight brings in meanwhile.
  std::size_t items_before(std::size_t lane) const {
    const std::lock_guard lock(mutex_);
    return book_.items_before(lane);
  }
  std::size_t items() const {
    const std::lock_guard lock(mutex_);
    return book_.items();
  }
  std::size_t items(std::size_t lane) const {
    const std::lock_guard lock(mutex_);
    return book_.items(lane);
  }
  // One that was made before a place was asked for.
  void count_refusal(std::size_t lane, Refusal refusal) {
    const std::lock_guard lock(mutex_);
    book_.refuse(lane, refusal);
  }
  // How often whoever is in wait() was told to look again. A run without threads sees by it that
  // a wake-up was lost: something waits, and the number is what it was when nothing did.
  std::uint64_t wakeups() const;

 private:
  using Lane = FlowLane<T>;
  // The next item, by turn or (aged) out of turn.
  struct Choice {
    std::size_t lane = 0;
    bool aged = false;
  };

  std::size_t items_max_of(const BatchLimits& limits) const;
  // For one more of each; false when there is no memory.
  static bool make_room(Batch& batch);
  Choice choose(base::TimePoint now);
  const typename Lane::Item& peek(const Choice& choice) const;
  typename Lane::Item take(const Choice& choice);
  void release(const LaneBook::Place& place, const Flow& flow);
  bool drained_locked() const { return closed_ && book_.items() + book_.tickets() == 0; }
  void notify_if_drained();
  void wake_one() {
    ++wakeups_;
    work_.notify_one();
  }
  void wake_all() {
    ++wakeups_;
    work_.notify_all();
  }

  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable work_;
  std::condition_variable drained_;
  LaneBook book_;
  std::vector<Lane> lanes_;
  std::uint64_t wakeups_ = 0;
  bool closed_ = false;
  bool handed_back_ = false;  // close_now() was called
};

// A place in the queue; given back unless it is pushed.
template <class T>
class BoundedQueue<T>::Ticket {
 public:
  Ticket(Ticket&& other) noexcept
      : queue_(std::exchange(other.queue_, nullptr)), place_(other.place_), flow_(other.flow_) {}
  Ticket& operator=(Ticket&& other) noexcept {
    if (this == &other) return *this;
    reset();
    queue_ = std::exchange(other.queue_, nullptr);
    place_ = other.place_;
    flow_ = other.flow_;
    return *this;
  }
  ~Ticket() { reset(); }

  std::size_t lane() const { return place_.lane; }
  std::size_t bytes() const { return place_.bytes; }
  // Adjusts it to the true size, or to another lane (content may raise a submission to the safety
  // lane). On refusal it keeps its old place.
  std::optional<Refusal> change(std::size_t lane, std::size_t bytes);

 private:
  friend class BoundedQueue;
  Ticket(BoundedQueue& queue, LaneBook::Place place, Flow flow)
      : queue_(&queue), place_(place), flow_(flow) {}
  void reset() {
    if (queue_ != nullptr) std::exchange(queue_, nullptr)->release(place_, flow_);
  }

  BoundedQueue* queue_;
  LaneBook::Place place_;
  Flow flow_;
};

template <class T>
std::optional<Refusal> BoundedQueue<T>::Ticket::change(std::size_t lane, std::size_t bytes) {
  TW_CHECK(queue_ != nullptr);
  const std::lock_guard lock(queue_->mutex_);
  const std::optional<Refusal> refusal = queue_->book_.change(place_, {lane, bytes}, flow_);
  if (!refusal) place_ = {lane, bytes};
  return refusal;
}

template <class T>
base::Result<typename BoundedQueue<T>::Ticket, Refusal> BoundedQueue<T>::reserve(
    std::size_t lane, std::size_t bytes, Flow flow) {
  const std::lock_guard lock(mutex_);
  if (const auto refusal = book_.reserve({lane, bytes}, flow, closed_)) return *refusal;
  return Ticket(*this, {lane, bytes}, flow);
}

template <class T>
std::optional<T> BoundedQueue<T>::push(Ticket ticket, T item, base::TimePoint deadline) {
  TW_CHECK(ticket.queue_ == this);
  const std::lock_guard lock(mutex_);
  if (handed_back_) return item;
  ticket.queue_ = nullptr;
  book_.pushed(ticket.lane());
  lanes_[ticket.lane()].append({.value = std::move(item),
                                .bytes = ticket.bytes(),
                                .flow = ticket.flow_,
                                .pushed = clock_.now(),
                                .deadline = deadline});
  wake_one();
  return std::nullopt;
}

template <class T>
std::optional<Refusal> BoundedQueue<T>::try_push(std::size_t lane, std::size_t bytes, T item,
                                                 Flow flow, base::TimePoint deadline) {
  auto ticket = reserve(lane, bytes, flow);
  if (!ticket) return ticket.error();
  if (push(std::move(*ticket), std::move(item), deadline)) return Refusal::closed;
  return std::nullopt;
}

template <class T>
typename BoundedQueue<T>::Choice BoundedQueue<T>::choose(base::TimePoint now) {
  Choice choice{.lane = book_.next_lane()};
  if (!book_.aged_turn_left()) return choice;
  base::TimePoint oldest = now - book_.options().aging;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].empty() || lanes_[lane].oldest().pushed > oldest) continue;
    oldest = lanes_[lane].oldest().pushed;
    choice = {.lane = lane, .aged = true};
  }
  return choice;
}

template <class T>
const typename FlowLane<T>::Item& BoundedQueue<T>::peek(const Choice& choice) const {
  const Lane& lane = lanes_[choice.lane];
  return choice.aged ? lane.oldest() : lane.next();
}

template <class T>
typename FlowLane<T>::Item BoundedQueue<T>::take(const Choice& choice) {
  Lane& lane = lanes_[choice.lane];
  return choice.aged ? lane.take_oldest() : lane.take_next();
}

template <class T>
std::size_t BoundedQueue<T>::items_max_of(const BatchLimits& limits) const {
  const std::size_t urgent = book_.items(0);
  if ((urgent == 0 && !limits.urgent) || limits.urgent_items_max == 0) return limits.items_max;
  return std::min(limits.items_max, std::max(limits.urgent_items_max, 2 * urgent));
}

template <class T>
bool BoundedQueue<T>::make_room(Batch& batch) {
  const auto grow = [](auto& all) {
    if (all.size() == all.capacity()) all.reserve(2 * all.size() + 4);
  };
  try {
    grow(batch.items);
    grow(batch.served);
    grow(batch.expired);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

template <class T>
typename BoundedQueue<T>::Batch BoundedQueue<T>::pop_batch(const BatchLimits& limits) {
  Batch batch;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  const base::TimePoint now = clock_.now();
  const std::size_t items_max = items_max_of(limits);
  while (book_.items() > 0 && batch.items.size() < items_max &&
         batch.expired.size() < items_max) {
    // What is taken is somebody's to answer: nothing is, unless there is room for it.
    if (!make_room(batch)) {
      if (batch.empty()) throw std::bad_alloc();
      break;
    }
    const Choice choice = choose(now);
    const auto& next = peek(choice);
    if (next.deadline <= now) {  // costs its lane no turn
      book_.expired({choice.lane, next.bytes}, next.flow);
      batch.expired.push_back(take(choice).value);
      continue;
    }
    if (!batch.items.empty() && bytes + next.bytes > limits.bytes_max) break;
    bytes += next.bytes;
    batch.served.push_back({.lane = choice.lane, .bytes = next.bytes, .waited = now - next.pushed});
    book_.popped({choice.lane, next.bytes}, next.flow);
    choice.aged ? book_.take_aged_turn() : book_.take_turn(choice.lane);
    batch.items.push_back(take(choice).value);
  }
  notify_if_drained();
  return batch;
}

template <class T>
std::vector<T> BoundedQueue<T>::take_expired() {
  std::vector<T> expired;
  const auto may = [&expired] {
    try {
      if (expired.size() == expired.capacity()) expired.reserve(2 * expired.size() + 4);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  };
  const std::lock_guard lock(mutex_);
  const base::TimePoint now = clock_.now();
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    lanes_[lane].take_expired(now, may, [&](typename Lane::Item item) {
      book_.expired({lane, item.bytes}, item.flow);
      expired.push_back(std::move(item.value));
    });
  }
  notify_if_drained();
  return expired;
}

template <class T>
bool BoundedQueue<T>::wait(const Cancel& stop, base::TimePoint until) {
  // Taken back after the lock is released, since its callback takes the lock.
  const Cancel::Registration wake = stop.on_fire([this](CancelReason) {
    const std::lock_guard lock(mutex_);
    wake_all();
  });
  std::unique_lock lock(mutex_);
  wait_until(work_, lock, clock_, until,
             [&] { return book_.items() > 0 || drained_locked() || stop.fired(); });
  return book_.items() > 0;
}

template <class T>
void BoundedQueue<T>::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  notify_if_drained();
}

template <class T>
std::vector<T> BoundedQueue<T>::close_now() {
  std::vector<T> rest;
  const std::lock_guard lock(mutex_);
  closed_ = handed_back_ = true;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    while (!lanes_[lane].empty()) {
      auto item = lanes_[lane].take_oldest();
      book_.popped({lane, item.bytes}, item.flow);
      rest.push_back(std::move(item.value));
    }
  }
  notify_if_drained();
  return rest;
}

template <class T>
bool BoundedQueue<T>::drained() const {
  const std::lock_guard lock(mutex_);
  return drained_locked();
}

template <class T>
bool BoundedQueue<T>::wait_drained(base::TimePoint until) {
  std::unique_lock lock(mutex_);
  return wait_until(drained_, lock, clock_, until, [&] { return drained_locked(); });
}

template <class T>
std::vector<LaneStats> BoundedQueue<T>::stats() const {
  std::vector<LaneStats> stats;
  const std::lock_guard lock(mutex_);
  const base::TimePoint now = clock_.now();
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    const bool idle = lanes_[lane].empty();
    stats.push_back(
        book_.stats(lane, idle ? base::Duration{} : now - lanes_[lane].oldest().pushed));
  }
  return stats;
}

template <class T>
std::uint64_t BoundedQueue<T>::wakeups() const {
  const std::lock_guard lock(mutex_);
  return wakeups_;
}

template <class T>
void BoundedQueue<T>::release(const LaneBook::Place& place, const Flow& flow) {
  const std::lock_guard lock(mutex_);
  book_.release(place, flow);
  notify_if_drained();
}

template <class T>
void BoundedQueue<T>::notify_if_drained() {
  if (!drained_locked()) return;
  wake_all();
  drained_.notify_all();
}

}  // namespace trialward::runtime
