// runtime::WorkerPool and runtime::JobPool beside Asio's thread_pool and a pool over the naive
// queue: two threads each, jobs that do next to nothing. Arguments: the producers.
//
// `through`: jobs per second, with at most 1,024 that have not begun; Asio's pool has no bound, so
// the benchmark counts for it. `hand_over`: each producer has one job under way; the figure is the
// time from submit to begun. A JobPool's job is more than the others': it has a name in the list of
// tasks, a deadline that is watched, a token that cancels it and a handle to wait for.
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "bench/contenders.h"
#include "runtime/bounded_queue.h"
#include "runtime/job_pool.h"
#include "runtime/worker_pool.h"

namespace trialward::bench {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kJobs = 50'000;
constexpr std::size_t kHandedOver = 20'000;

using Job = std::function<void()>;

// Each contender: submit() takes the job, waiting while too many have not begun; the destructor
// returns when all that were taken have ended.
class Naive {
 public:
  Naive() {
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Naive() {
    for (std::size_t i = 0; i < kThreads; ++i) queue_.push(nullptr);
  }
  void submit(Job job) { queue_.push(std::move(job)); }

 private:
  void run() {
    while (const Job job = queue_.pop()) job();
  }

  NaiveQueue<Job> queue_;
  std::vector<std::jthread> threads_;
};

class Asio {
 public:
  ~Asio() { pool_.join(); }
  void submit(Job job) {
    while (waiting_.load(std::memory_order_relaxed) >= kQueuedMax) std::this_thread::yield();
    waiting_.fetch_add(1, std::memory_order_relaxed);
    boost::asio::post(pool_, [this, job = std::move(job)] {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      job();
    });
  }

 private:
  std::atomic<std::size_t> waiting_{0};
  boost::asio::thread_pool pool_{kThreads};
};

class Workers {
 public:
  Workers()
      : queue_({.lanes = {{"jobs", kQueuedMax, kQueuedMax, 1}}, .aging = std::chrono::seconds(2)},
               clock_) {
    std::vector<std::unique_ptr<runtime::Worker>> workers;
    for (std::size_t i = 0; i < kThreads; ++i) {
      workers.push_back(std::make_unique<QueueWorker>(queue_));
    }
    pool_ = std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = "bench"},
                                                  tasks_, std::move(workers));
  }
  ~Workers() {
    queue_.close();
    pool_->join();
  }
  void submit(const Job& job) {
    while (queue_.try_push(0, 1, job, 0, runtime::kForever)) std::this_thread::yield();
  }

 private:
  class QueueWorker final : public runtime::Worker {
   public:
    explicit QueueWorker(runtime::BoundedQueue<Job>& queue) : queue_(queue) {}
    bool run_once(const runtime::Cancel&) override {
      const auto batch = queue_.pop_batch({.items_max = 1, .bytes_max = 1});
      for (const Job& job : batch.items) job();
      return !batch.empty();
    }
    bool wait(const runtime::Cancel& stop) override {
      return queue_.wait(stop) || !queue_.drained();
    }

   private:
    runtime::BoundedQueue<Job>& queue_;
  };

  const base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  runtime::BoundedQueue<Job> queue_;
  std::unique_ptr<runtime::WorkerPool> pool_;
};

class Jobs {
 public:
  void submit(const Job& job) {
    const auto body = [job](const runtime::Cancel&) {
      job();
      return base::Status();
    };
    while (!pool_.submit("job", clock_.now() + std::chrono::minutes(1), body)) {
      std::this_thread::yield();
    }
  }

 private:
  const base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  runtime::JobPool pool_{{.name = "bench", .threads = kThreads, .queued_max = kQueuedMax}, tasks_};
};

// Counts down to 0, and wakes who waits for that.
class Countdown {
 public:
  explicit Countdown(std::size_t from) : left_(from) {}
  void one_down() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
  }
  void wait() {
    for (std::size_t left = left_.load(); left > 0; left = left_.load()) left_.wait(left);
  }

 private:
  std::atomic<std::size_t> left_;
};

template <class Pool>
void through(benchmark::State& state) {
  const auto producers = static_cast<int>(state.range(0));
  const std::size_t each = kJobs / static_cast<std::size_t>(producers);
  for (auto _ : state) {
    Countdown left(each * static_cast<std::size_t>(producers));
    Pool pool;
    run_producers(producers, [&](int) {
      for (std::size_t i = 0; i < each; ++i) pool.submit([&left] { left.one_down(); });
    });
    left.wait();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each) * producers);
}

template <class Pool>
void hand_over(benchmark::State& state) {
  const auto producers = static_cast<int>(state.range(0));
  const std::size_t each = kHandedOver / static_cast<std::size_t>(producers);
  Times all;
  std::mutex mutex;
  for (auto _ : state) {
    Pool pool;
    run_producers(producers, [&](int) {
      Times times;
      std::atomic<bool> taken{false};
      for (std::size_t i = 0; i < each; ++i) {
        pool.submit([&times, item = Item{.sent = SteadyClock::now(), .taken = &taken}] {
          times.add(ms_since(item.sent));
          take(item);
        });
        wait_until_taken(taken);
      }
      const std::lock_guard lock(mutex);
      all.add(times);
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each) * producers);
  report(state, all);
}

void shape(benchmark::internal::Benchmark* bench) {
  bench->ArgName("producers")->Arg(1)->Arg(2)->Arg(4)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(through<Naive>)->Name("pool/through/mutex+deque")->Apply(shape);
BENCHMARK(through<Asio>)->Name("pool/through/Asio thread_pool")->Apply(shape);
BENCHMARK(through<Workers>)->Name("pool/through/WorkerPool")->Apply(shape);
BENCHMARK(through<Jobs>)->Name("pool/through/JobPool")->Apply(shape);
BENCHMARK(hand_over<Naive>)->Name("pool/hand_over/mutex+deque")->Apply(shape);
BENCHMARK(hand_over<Asio>)->Name("pool/hand_over/Asio thread_pool")->Apply(shape);
BENCHMARK(hand_over<Workers>)->Name("pool/hand_over/WorkerPool")->Apply(shape);
BENCHMARK(hand_over<Jobs>)->Name("pool/hand_over/JobPool")->Apply(shape);

}  // namespace
}  // namespace trialward::bench
