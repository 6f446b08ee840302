#include "runtime/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"

namespace trialward::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum : std::size_t { kSafety, kLive, kBulk };

QueueOptions options() {
  return {.lanes = {{"safety", 8, 800, 4}, {"live", 16, 1600, 2}, {"bulk", 32, 3200, 1}},
          .aging = seconds(10)};
}

class BoundedQueueTest : public testing::Test {
 protected:
  void push(std::size_t lane, std::string item, std::uint64_t flow = 0,
            base::TimePoint deadline = kForever) {
    ASSERT_EQ(queue_.try_push(lane, 10, std::move(item), flow, deadline), std::nullopt);
  }
  std::string pop(std::size_t items_max, std::size_t bytes_max = 10'000) {
    std::string items;
    for (const auto& item : queue_.pop_batch({items_max, bytes_max}).items) items += item;
    return items;
  }

  base::FakeClock clock_;
  BoundedQueue<std::string> queue_{options(), clock_};
};

TEST_F(BoundedQueueTest, P3RefusesBeyondItsLimitsAndCountsWhy) {
  for (int i = 0; i < 8; ++i) push(kSafety, "s");
  EXPECT_EQ(queue_.try_push(kSafety, 1, "x", 0, kForever), Refusal::items_full);
  EXPECT_EQ(queue_.try_push(kLive, 1601, "x", 0, kForever), Refusal::bytes_full);
  const auto stats = queue_.stats();
  EXPECT_EQ(stats[kSafety].name, "safety");
  EXPECT_EQ(stats[kSafety].counts.items, 8u);
  EXPECT_EQ(stats[kSafety].counts.bytes, 80u);
  EXPECT_EQ(stats[kSafety].counts.pushed, 8u);
  EXPECT_EQ(stats[kSafety].counts.refused[static_cast<int>(Refusal::items_full)], 1u);
  EXPECT_EQ(stats[kLive].counts.refused[static_cast<int>(Refusal::bytes_full)], 1u);
}

TEST_F(BoundedQueueTest, ABatchWithAnUrgentItemIsSmallerUnlessManyAreUrgent) {
  BatchLimits limits{.items_max = 12, .bytes_max = 10'000, .urgent_items_max = 3};
  const auto popped = [&] { return queue_.pop_batch(limits).items.size(); };
  for (int i = 0; i < 30; ++i) push(kBulk, "b");
  EXPECT_EQ(popped(), 12u) << "nothing is urgent";
  push(kSafety, "s");
  EXPECT_EQ(popped(), 3u);
  for (int i = 0; i < 5; ++i) push(kSafety, "s");
  EXPECT_EQ(popped(), 10u) << "what is urgent fills half of it";
  for (int i = 0; i < 8; ++i) push(kSafety, "s");
  EXPECT_EQ(popped(), 12u) << "and never more than the limit";
  while (popped() > 0) {
  }
  limits.urgent = true;
  for (int i = 0; i < 30; ++i) push(kBulk, "b");
  EXPECT_EQ(popped(), 3u) << "something urgent is about to come";
  for (int i = 0; i < 5; ++i) push(kSafety, "s");
  EXPECT_EQ(popped(), 10u);
}

TEST_F(BoundedQueueTest, ATicketHoldsItsPlaceUntilItIsDropped) {
  std::vector<BoundedQueue<std::string>::Ticket> tickets;
  for (int i = 0; i < 8; ++i) tickets.push_back(queue_.reserve(kSafety, 100).value());
  EXPECT_EQ(queue_.reserve(kSafety, 1).error(), Refusal::items_full);
  EXPECT_EQ(queue_.stats()[kSafety].counts.tickets, 8u);
  tickets.pop_back();
  auto ticket = queue_.reserve(kSafety, 100);
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(queue_.push(std::move(*ticket), "late", kForever), std::nullopt);
  tickets.clear();
  EXPECT_EQ(queue_.stats()[kSafety].counts.bytes, 100u);
  EXPECT_EQ(pop(9), "late");
  EXPECT_EQ(queue_.stats()[kSafety].counts.bytes, 0u);
}

TEST_F(BoundedQueueTest, ATicketMovesToTheSafetyLaneOrStays) {
  auto ticket = queue_.reserve(kBulk, 5);
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(ticket->change(kSafety, 801), Refusal::bytes_full);
  EXPECT_EQ(ticket->lane(), kBulk);
  EXPECT_EQ(ticket->bytes(), 5u);
  EXPECT_EQ(ticket->change(kSafety, 20), std::nullopt);
  EXPECT_EQ(ticket->lane(), kSafety);
  push(kLive, "l");
  EXPECT_EQ(queue_.push(std::move(*ticket), "raised", kForever), std::nullopt);
  EXPECT_EQ(pop(2), "raisedl");
}

TEST_F(BoundedQueueTest, P4SafetyFirstByWeightAndBulkNeverStarves) {
  for (int i = 0; i < 8; ++i) {
    push(kBulk, "b");
    push(kLive, "l");
    push(kSafety, "s");
  }
  EXPECT_EQ(pop(14), "ssssllbssssllb");
  EXPECT_EQ(pop(100), "llbllbbbbb");
}

TEST_F(BoundedQueueTest, AnAgedItemIsNextWhateverItsLane) {
  push(kBulk, "B");
  clock_.advance(seconds(10) - milliseconds(1));
  push(kSafety, "s");
  push(kSafety, "s");
  EXPECT_EQ(pop(1), "s");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(pop(1), "B");
  EXPECT_EQ(pop(1), "s");
}

TEST_F(BoundedQueueTest, P4ABacklogOfAgedBulkDoesNotStarveSafety) {
  for (int i = 0; i < 20; ++i) push(kBulk, "b");
  clock_.advance(seconds(60));
  for (int i = 0; i < 8; ++i) push(kSafety, "s");
  // One aged item in each round beside the lanes' weights.
  EXPECT_EQ(pop(12), "bssssbbssssb");
}

TEST_F(BoundedQueueTest, StudiesTakeTurnsWithinALane) {
  for (int i = 0; i < 4; ++i) push(kLive, "a", 1);
  push(kLive, "b", 2);
  push(kLive, "c", 3);
  EXPECT_EQ(pop(6), "abcaaa");
}

TEST_F(BoundedQueueTest, WhatIsPastItsDeadlineComesApartAndCostsNoTurn) {
  push(kSafety, "old", 0, clock_.now() + seconds(1));
  push(kSafety, "new", 0, clock_.now() + seconds(2));
  clock_.advance(seconds(1));
  const auto batch = queue_.pop_batch({2, 100});
  EXPECT_EQ(batch.expired, std::vector<std::string>{"old"});
  EXPECT_EQ(batch.items, std::vector<std::string>{"new"});
  EXPECT_EQ(queue_.stats()[kSafety].counts.expired, 1u);
  EXPECT_EQ(queue_.stats()[kSafety].counts.bytes, 0u);
}

TEST_F(BoundedQueueTest, ABatchIsBoundedInExpiredItemsToo) {
  for (int i = 0; i < 5; ++i) push(kLive, "l", 0, clock_.now());
  EXPECT_EQ(queue_.pop_batch({3, 100}).expired.size(), 3u);
  EXPECT_EQ(queue_.pop_batch({3, 100}).expired.size(), 2u);
}

TEST_F(BoundedQueueTest, WhatIsPastItsDeadlineCanBeHadByItself) {
  EXPECT_TRUE(queue_.take_expired().empty());
  push(kSafety, "stays");
  push(kSafety, "behind", 0, clock_.now() + seconds(1));
  push(kSafety, "alone", 1, clock_.now() + seconds(1));
  push(kLive, "first", 0, clock_.now() + seconds(1));
  push(kLive, "second", 0, clock_.now() + seconds(1));
  push(kLive, "third", 0, clock_.now() + seconds(2));
  clock_.advance(seconds(1));
  EXPECT_EQ(queue_.take_expired(), (std::vector<std::string>{"alone", "first", "second"}));
  EXPECT_EQ(queue_.stats()[kSafety].counts.expired, 1u);
  EXPECT_EQ(queue_.items(), 3u);
  const auto batch = queue_.pop_batch({9, 100});
  EXPECT_EQ(batch.items, (std::vector<std::string>{"stays", "third"}));
  EXPECT_EQ(batch.expired, std::vector<std::string>{"behind"});
  EXPECT_EQ(queue_.stats()[kSafety].counts.bytes, 0u);
}

TEST_F(BoundedQueueTest, ABatchIsBoundedInItemsAndBytesAndHasAtLeastOne) {
  for (int i = 0; i < 6; ++i) push(kLive, "l");
  EXPECT_EQ(pop(2), "ll");
  EXPECT_EQ(pop(9, 29), "ll");
  EXPECT_EQ(pop(9, 0), "l");
  EXPECT_EQ(pop(0), "");
  EXPECT_EQ(pop(9), "l");
  EXPECT_TRUE(queue_.pop_batch({9, 9}).empty());
}

TEST_F(BoundedQueueTest, SaysHowLongEachItemWaited) {
  push(kLive, "l");
  clock_.advance(milliseconds(30));
  push(kSafety, "s");
  clock_.advance(milliseconds(5));
  EXPECT_EQ(queue_.stats()[kLive].oldest_age, milliseconds(35));
  EXPECT_EQ(queue_.stats()[kBulk].oldest_age, milliseconds(0));
  const auto batch = queue_.pop_batch({2, 100});
  ASSERT_EQ(batch.served.size(), 2u);
  EXPECT_EQ(batch.served[0].lane, kSafety);
  EXPECT_EQ(batch.served[0].waited, milliseconds(5));
  EXPECT_EQ(batch.served[1].lane, kLive);
  EXPECT_EQ(batch.served[1].bytes, 10u);
  EXPECT_EQ(batch.served[1].waited, milliseconds(35));
}

TEST_F(BoundedQueueTest, CountsTheWakeUpsOfWhatIsThereToBeDone) {
  auto ticket = queue_.reserve(kLive, 10);
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(queue_.wakeups(), 0u);  // nothing to be done yet
  ASSERT_FALSE(queue_.push(std::move(*ticket), "a", kForever));
  EXPECT_EQ(queue_.wakeups(), 1u);
  EXPECT_EQ(pop(9), "a");
  EXPECT_EQ(queue_.wakeups(), 1u);
  queue_.close();  // drained: whoever waits shall end
  EXPECT_EQ(queue_.wakeups(), 2u);
}

TEST_F(BoundedQueueTest, CloseRefusesNewcomersAndDrainsTheRest) {
  push(kLive, "a");
  auto ticket = queue_.reserve(kLive, 10);
  queue_.close();
  EXPECT_EQ(queue_.reserve(kLive, 1).error(), Refusal::closed);
  EXPECT_EQ(pop(9), "a");
  EXPECT_FALSE(queue_.drained());
  EXPECT_FALSE(queue_.wait_drained(clock_.now()));
  EXPECT_EQ(queue_.push(std::move(*ticket), "b", kForever), std::nullopt);
  EXPECT_FALSE(queue_.drained());
  EXPECT_TRUE(queue_.wait(Cancel()));
  EXPECT_EQ(pop(9), "b");
  EXPECT_TRUE(queue_.drained());
  EXPECT_TRUE(queue_.wait_drained(kForever));
  EXPECT_FALSE(queue_.wait(Cancel()));
}

TEST_F(BoundedQueueTest, CloseNowHandsBackAllAndLaterPushesToo) {
  push(kLive, "a", 1);
  push(kLive, "b", 2);
  push(kSafety, "c");
  auto ticket = queue_.reserve(kLive, 10);
  EXPECT_EQ(queue_.close_now(), (std::vector<std::string>{"c", "a", "b"}));
  EXPECT_FALSE(queue_.drained());
  EXPECT_EQ(queue_.push(std::move(*ticket), "d", kForever), "d");
  EXPECT_TRUE(queue_.drained());
}

TEST_F(BoundedQueueTest, WaitEndsForWorkForTimeAndForStop) {
  EXPECT_FALSE(queue_.wait(Cancel(), clock_.now()));
  const Cancel stop;
  std::jthread stopping([&] { stop.fire(CancelReason::shutdown); });
  EXPECT_FALSE(queue_.wait(stop));
  std::jthread pushing([&] { push(kLive, "l"); });
  EXPECT_TRUE(queue_.wait(Cancel()));
}

TEST_F(BoundedQueueTest, DroppingTheLastTicketWakesWhoWaitsForTheDrain) {
  auto ticket = queue_.reserve(kLive, 1);
  queue_.close();
  std::jthread dropping(
      [held = std::move(*ticket)]() mutable { const auto gone = std::move(held); });
  EXPECT_TRUE(queue_.wait_drained(kForever));
}

TEST(BoundedQueueDeathTest, GoingBeforeItsTicketsStopsTheProcess) {
  EXPECT_DEATH(
      {
        const base::FakeClock clock;
        std::optional<BoundedQueue<int>::Ticket> ticket;
        BoundedQueue<int> queue(options(), clock);
        ticket = queue.reserve(kLive, 1).value();
      },
      "tickets");
}

// P11: random operations against a plain model; a failing seed replays.
class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int step = 0; step < 2000; ++step) {
      one_step();
      check_limits();
      if (testing::Test::HasFatalFailure()) return;
    }
    tickets_.clear();
    queue_.close();
    while (!queue_.drained()) pop();
    EXPECT_TRUE(waiting_.empty()) << "lost";
  }

 private:
  using Queue = BoundedQueue<std::unique_ptr<int>>;
  struct Waiting {
    std::size_t lane;
    std::uint64_t flow;
    base::TimePoint deadline;
    std::size_t turns;  // items served since it was pushed
  };

  void one_step() {
    switch (random_.below(6)) {
      case 0:
      case 1:
        reserve();
        break;
      case 2:
        if (!tickets_.empty()) change();
        break;
      case 3:
        if (!tickets_.empty()) push();
        break;
      case 4:
        if (random_.below(4) == 0 && !tickets_.empty()) tickets_.pop_back();
        clock_.advance(milliseconds(random_.below(2000)));
        break;
      case 5:
        pop();
        break;
    }
  }

  void reserve() {
    const std::uint64_t flow = random_.below(4);
    auto ticket = queue_.reserve(random_.below(3), random_.below(300), {flow / 2, flow});
    if (ticket.ok()) tickets_.emplace_back(std::move(*ticket), flow);
  }
  void change() {
    auto& ticket = tickets_[random_.below(tickets_.size())].first;
    const auto before = std::pair(ticket.lane(), ticket.bytes());
    const auto after = std::pair(random_.below(3), random_.below(300));
    const bool refused = ticket.change(after.first, after.second).has_value();
    EXPECT_EQ(std::pair(ticket.lane(), ticket.bytes()), refused ? before : after);
  }
  void push() {
    const auto deadline = clock_.now() + seconds(1 + random_.below(60));
    auto& [ticket, flow] = tickets_.back();
    waiting_[next_] = {ticket.lane(), flow, deadline, 0};
    EXPECT_EQ(queue_.push(std::move(ticket), std::make_unique<int>(next_++), deadline),
              std::nullopt);
    tickets_.pop_back();
  }
  void pop() {
    const BatchLimits limits{1 + random_.below(6), random_.below(1000)};
    const auto batch = queue_.pop_batch(limits);
    ASSERT_LE(batch.items.size(), limits.items_max);
    ASSERT_EQ(batch.items.size(), batch.served.size());
    std::size_t bytes = 0;
    for (const Served& served : batch.served) bytes += served.bytes;
    ASSERT_TRUE(bytes <= limits.bytes_max || batch.items.size() == 1);
    std::vector<std::pair<int, Waiting>> taken;
    for (const auto& item : batch.expired) take(*item, true, taken);
    for (const auto& item : batch.items) take(*item, false, taken);
    for (const auto& [item, one] : taken) check_order(item, one);
    for (auto& [item, other] : waiting_) {
      other.turns += batch.items.size();
      // Nothing starves: at worst a lane's 32 items go one a round of 4 + 2 + 1 + 1.
      ASSERT_LE(other.turns, 32u * 8u);
    }
    ASSERT_EQ(batch.empty(), batch.items.empty() && batch.expired.empty());
  }
  void take(int item, bool expired, std::vector<std::pair<int, Waiting>>& taken) {
    const auto found = waiting_.find(item);
    ASSERT_NE(found, waiting_.end()) << item << " came twice";
    ASSERT_EQ(found->second.deadline <= clock_.now(), expired);
    for (const auto& [before, one] : taken) {
      const bool both_worked = !expired && one.deadline > clock_.now();
      ASSERT_FALSE(both_worked && same_flow(one, found->second) && before > item);
    }
    taken.emplace_back(item, found->second);
    waiting_.erase(found);
  }
  void check_order(int item, const Waiting& taken) {
    for (const auto& [other, one] : waiting_) {
      ASSERT_FALSE(same_flow(one, taken) && other < item) << "overtaken within its flow";
    }
  }
  static bool same_flow(const Waiting& a, const Waiting& b) {
    return a.lane == b.lane && a.flow == b.flow;
  }
  void check_limits() {
    const auto limits = options();
    const auto stats = queue_.stats();
    std::map<std::size_t, std::size_t> items;
    for (const auto& [id, one] : waiting_) ++items[one.lane];
    for (std::size_t lane = 0; lane < 3; ++lane) {
      const LaneCounts& counts = stats[lane].counts;
      ASSERT_LE(counts.items + counts.tickets, limits.lanes[lane].items_max);
      ASSERT_LE(counts.bytes, limits.lanes[lane].bytes_max);
      ASSERT_EQ(counts.items, items[lane]);
    }
  }

  base::SeededRandom random_;
  base::FakeClock clock_;
  Queue queue_{options(), clock_};
  // With their flows; after the queue: gone before it.
  std::vector<std::pair<Queue::Ticket, std::uint64_t>> tickets_;
  std::map<int, Waiting> waiting_;
  int next_ = 0;
};

class BoundedQueueSeeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BoundedQueueSeeds, P11KeepsItsLimitsLosesNothingAndStarvesNobody) {
  RandomRun(GetParam()).run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, BoundedQueueSeeds, testing::Range<std::uint64_t>(1, 21));

// For the thread sanitizer: every item that was accepted comes out once.
TEST(BoundedQueueThreads, NothingIsLostOrDoubled) {
  constexpr int kProducers = 3;
  constexpr int kEach = 2000;
  const base::SystemClock clock;
  BoundedQueue<int> queue(options(), clock);
  std::atomic<int> accepted = 0;
  std::vector<std::vector<int>> taken(2);
  {
    std::vector<std::jthread> consumers;
    for (auto& mine : taken) {
      consumers.emplace_back([&] {
        while (queue.wait(Cancel()) || !queue.drained()) {
          const auto batch = queue.pop_batch({5, 100});
          mine.insert(mine.end(), batch.items.begin(), batch.items.end());
        }
      });
    }
    std::vector<std::jthread> producers;
    for (int producer = 0; producer < kProducers; ++producer) {
      producers.emplace_back([&, producer] {
        for (int i = 0; i < kEach; ++i) {
          const int item = producer * kEach + i;
          const auto lane = static_cast<std::size_t>(item % 3);
          if (!queue.try_push(lane, 1, item, item % 7, kForever)) ++accepted;
        }
      });
    }
    producers.clear();
    queue.close();
  }
  std::set<int> all;
  for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), taken[0].size() + taken[1].size()) << "doubled";
  EXPECT_EQ(all.size(), static_cast<std::size_t>(accepted)) << "lost";
}

}  // namespace
}  // namespace trialward::runtime
