// runtime::BoundedQueue beside a mutex around a deque and oneTBB's concurrent_bounded_queue, all
// with room for 1,024 items and one consumer, as intake has it. Arguments: the producers.
//
// `through`: producers push as fast as they can; the figure is items per second. `hand_over`: each
// producer has one item under way and sends the next when that one was taken, so that nothing
// queues up; the figure is the time from push to taken. BoundedQueue does more than the others: it
// accounts for bytes, lanes, flows and deadlines, and refuses where they block.
#include <tbb/concurrent_queue.h>

#include "bench/contenders.h"
#include "runtime/bounded_queue.h"

namespace trialward::bench {
namespace {

constexpr std::size_t kItems = 200'000;
constexpr std::size_t kHandedOver = 20'000;
constexpr std::size_t kItemBytes = 400;  // a record's
constexpr std::size_t kBatch = 512;      // as intake's
constexpr std::uint64_t kFlows = 8;

// Each contender: push() from a producer, which waits while the queue is full, and take_some(),
// which waits for something, calls `each` for the items it took and tells how many.
class Naive {
 public:
  void push(int, const Item& item) { queue_.push(item); }
  template <class Each>
  std::size_t take_some(Each each) {
    each(queue_.pop());
    return 1;
  }

 private:
  NaiveQueue<Item> queue_;
};

class Tbb {
 public:
  Tbb() { queue_.set_capacity(static_cast<std::ptrdiff_t>(kQueuedMax)); }
  void push(int, const Item& item) { queue_.push(item); }
  template <class Each>
  std::size_t take_some(Each each) {
    Item item;
    queue_.pop(item);
    each(item);
    return 1;
  }

 private:
  tbb::concurrent_bounded_queue<Item> queue_;
};

// One lane, and three lanes with eight flows.
template <std::size_t Lanes>
class Ours {
 public:
  Ours() : queue_(options(), clock_) {}
  void push(int producer, const Item& item) {
    const std::size_t lane = static_cast<std::size_t>(producer) % Lanes;
    const std::uint64_t flow = Lanes == 1 ? 0 : pushed_.fetch_add(1) % kFlows;
    // It refuses when it is full; a sender that waits instead is the benchmark's.
    while (queue_.try_push(lane, kItemBytes, item, flow, runtime::kForever)) {
      std::this_thread::yield();
    }
  }
  template <class Each>
  std::size_t take_some(Each each) {
    queue_.wait(stop_);
    auto batch = queue_.pop_batch({.items_max = kBatch, .bytes_max = kBatch * kItemBytes});
    for (const Item& item : batch.items) each(item);
    return batch.items.size();
  }

 private:
  static runtime::QueueOptions options() {
    runtime::QueueOptions options{.aging = std::chrono::seconds(2)};
    for (std::size_t i = 0; i < Lanes; ++i) {
      options.lanes.push_back({"lane", kQueuedMax / Lanes, kQueuedMax * kItemBytes, 4});
    }
    return options;
  }

  const base::SystemClock clock_;
  const runtime::Cancel stop_;
  std::atomic<std::uint64_t> pushed_{0};
  runtime::BoundedQueue<Item> queue_;
};

template <class Queue>
void through(benchmark::State& state) {
  const auto producers = static_cast<int>(state.range(0));
  const std::size_t each = kItems / static_cast<std::size_t>(producers);
  for (auto _ : state) {
    Queue queue;
    std::jthread consumer([&] {
      for (std::size_t left = each * static_cast<std::size_t>(producers); left > 0;) {
        left -= queue.take_some([](const Item& item) { benchmark::DoNotOptimize(item.sent); });
      }
    });
    run_producers(producers, [&](int producer) {
      for (std::size_t i = 0; i < each; ++i) queue.push(producer, Item{});
    });
    consumer.join();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each) * producers);
}

template <class Queue>
void hand_over(benchmark::State& state) {
  const auto producers = static_cast<int>(state.range(0));
  const std::size_t each = kHandedOver / static_cast<std::size_t>(producers);
  Times times;
  for (auto _ : state) {
    Queue queue;
    std::jthread consumer([&] {
      for (std::size_t left = each * static_cast<std::size_t>(producers); left > 0;) {
        left -= queue.take_some([&](const Item& item) {
          times.add(ms_since(item.sent));
          take(item);
        });
      }
    });
    run_producers(producers, [&](int producer) {
      std::atomic<bool> taken{false};
      for (std::size_t i = 0; i < each; ++i) {
        queue.push(producer, Item{.sent = SteadyClock::now(), .taken = &taken});
        wait_until_taken(taken);
      }
    });
    consumer.join();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each) * producers);
  report(state, times);
}

void shape(benchmark::internal::Benchmark* bench) {
  bench->ArgName("producers")->Arg(1)->Arg(2)->Arg(4)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(through<Naive>)->Name("queue/through/mutex+deque")->Apply(shape);
BENCHMARK(through<Tbb>)->Name("queue/through/oneTBB")->Apply(shape);
BENCHMARK(through<Ours<1>>)->Name("queue/through/BoundedQueue, one lane")->Apply(shape);
BENCHMARK(through<Ours<3>>)->Name("queue/through/BoundedQueue, three lanes")->Apply(shape);
BENCHMARK(hand_over<Naive>)->Name("queue/hand_over/mutex+deque")->Apply(shape);
BENCHMARK(hand_over<Tbb>)->Name("queue/hand_over/oneTBB")->Apply(shape);
BENCHMARK(hand_over<Ours<1>>)->Name("queue/hand_over/BoundedQueue, one lane")->Apply(shape);
BENCHMARK(hand_over<Ours<3>>)->Name("queue/hand_over/BoundedQueue, three lanes")->Apply(shape);

}  // namespace
}  // namespace trialward::bench
