// What the micro-benchmarks share: the producers, the clock of a hand-over, and the bounded queue
// that one would write at first, a mutex around a deque.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/times.h"

namespace trialward::bench {

inline constexpr std::size_t kQueuedMax = 1024;

// Runs `produce(i)` on each of `count` threads and returns when all have ended.
template <class Produce>
void run_producers(int count, Produce produce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([i, &produce] { produce(i); });
}

// What is handed over: when it was, and where the taker says that it has it.
struct Item {
  SteadyClock::time_point sent;
  std::atomic<bool>* taken = nullptr;  // null: nobody waits
};

// Tells the sender, if it waits.
inline void take(const Item& item) {
  if (item.taken == nullptr) return;
  item.taken->store(true, std::memory_order_release);
  item.taken->notify_one();
}

inline void wait_until_taken(std::atomic<bool>& taken) {
  taken.wait(false, std::memory_order_acquire);
  taken.store(false, std::memory_order_relaxed);
}

// Puts the percentiles into a benchmark's counters, in microseconds.
inline void report(benchmark::State& state, Times& hand_over) {
  state.counters["p50_us"] = hand_over.quantile(0.5) * 1000;
  state.counters["p99_us"] = hand_over.quantile(0.99) * 1000;
  state.counters["p99_9_us"] = hand_over.quantile(0.999) * 1000;
}

// The naive bounded queue. `T{}` as the end is the caller's business.
template <class T>
class NaiveQueue {
 public:
  void push(T item) {
    std::unique_lock lock(mutex_);
    space_.wait(lock, [this] { return items_.size() < kQueuedMax; });
    items_.push_back(std::move(item));
    work_.notify_one();
  }
  T pop() {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return !items_.empty(); });
    T item = std::move(items_.front());
    items_.pop_front();
    space_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable work_, space_;
  std::deque<T> items_;
};

}  // namespace trialward::bench
