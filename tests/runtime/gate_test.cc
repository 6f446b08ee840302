#include "runtime/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/wait.h"

namespace trialward::runtime {
namespace {

using std::chrono::seconds;

enum : std::size_t { kIntake, kReports };

GateOptions gate_options() {
  return {.classes = {{"intake", 2, 4}, {"reports", 1, 3}}, .total = 4, .waiters_max = 6};
}

// Drives a gate by a script of steps: "i" and "r" ask for a slot as intake or reports, "I" and "R"
// give back that class's oldest slot, "c" closes. Each answer is noted as class and number of the
// asker ("i1"), a refusal with its first letter ("r2:c").
std::string play(std::string_view script) {
  const base::FakeClock clock;
  std::string log;
  std::map<char, std::vector<Gate::Slot>> held;
  Gate gate(gate_options(), clock);
  int asked = 0;
  for (const char step : script) {
    if (step == 'i' || step == 'r') {
      const std::string who = step + std::to_string(++asked);
      gate.acquire_async(step == 'i' ? kIntake : kReports, kForever,
                         [&log, &held, who](Gate::Answer answer) {
                           log += (log.empty() ? "" : " ") + who;
                           if (!answer.ok()) log += ":" + std::string(to_string(answer.error()));
                           if (answer.ok()) held[who[0]].push_back(std::move(*answer));
                         });
    } else if (step == 'c') {
      gate.close();
    } else {
      auto& slots = held[step == 'I' ? 'i' : 'r'];
      TW_CHECK(!slots.empty());
      const Gate::Slot given_back = std::move(slots.front());
      slots.erase(slots.begin());
    }
  }
  gate.close();
  held.clear();
  return log;
}

struct GateCase {
  std::string_view name;
  std::string_view script;
  std::string_view granted;  // the log begins so; at the end whoever still waits is refused
};

class GateOrder : public testing::TestWithParam<GateCase> {};

TEST_P(GateOrder, Is) { EXPECT_EQ(play(GetParam().script), GetParam().granted); }

INSTANTIATE_TEST_SUITE_P(
    All, GateOrder,
    testing::Values(
        GateCase{"a_class_borrows_up_to_its_own_maximum", "rrrr", "r1 r2 r3 r4:closed"},
        GateCase{"no_more_than_the_total", "iiiir", "i1 i2 i3 i4 r5:closed"},
        GateCase{"first_come_first_served_within_a_class", "iiiiiiII", "i1 i2 i3 i4 i5 i6"},
        GateCase{"a_guaranteed_waiter_goes_before_a_borrower_who_came_first", "iiiiirI",
                 "i1 i2 i3 i4 r6 i5:closed"},
        GateCase{"at_the_guarantee_the_longest_waiter_is_next", "iiirriI",
                 "i1 i2 i3 r4 r5 i6:closed"},
        GateCase{"a_borrower_waits_behind_the_owner_even_when_a_slot_is_given_back_by_borrowers",
                 "rrriiiR", "r1 r2 r3 i4 i5 i6:closed"},
        GateCase{"a_newcomer_does_not_overtake_its_class", "iiiiiIi", "i1 i2 i3 i4 i5 i6:closed"},
        GateCase{
            "too_many_waiters", "iiiiiiiiiii",  // six may wait
            "i1 i2 i3 i4 i11:full i5:closed i6:closed i7:closed i8:closed i9:closed i10:closed"},
        GateCase{"closed", "icr", "i1 r2:closed"}),
    [](const auto& test) { return std::string(test.param.name); });

class GateTest : public testing::Test {
 protected:
  Gate::Answer take(std::size_t cls) { return gate_.acquire(cls, kForever, Cancel()); }
  // Fills the gate from outside any thread's account.
  std::vector<Gate::Slot> fill() {
    std::vector<Gate::Slot> slots;
    for (int i = 0; i < 4; ++i) {
      gate_.acquire_async(kIntake, kForever,
                          [&](Gate::Answer slot) { slots.push_back(std::move(*slot)); });
    }
    return slots;
  }

  base::FakeClock clock_;
  Gate gate_{gate_options(), clock_};
};

// Of 4, one is kept for whoever does not lend; the others' idle shares are had.
TEST(GateLending, WhoDoesNotLendIsLetInAtOnce) {
  const base::FakeClock clock;
  Gate gate({.classes = {{"kept", 1, 2, false}, {"lends", 1, 4}, {"borrows", 0, 4}},
             .total = 4,
             .waiters_max = 9},
            clock);
  std::vector<Gate::Slot> slots[3];
  const auto ask = [&](std::size_t cls) {
    gate.acquire_async(cls, kForever, [&slots, cls](Gate::Answer slot) {
      if (slot.ok()) slots[cls].push_back(std::move(*slot));
    });
    return slots[cls].size();
  };
  for (const std::size_t granted : {1u, 2u, 3u, 3u}) EXPECT_EQ(ask(2), granted);
  EXPECT_EQ(ask(1), 0u) << "its own share is lent, and nobody's is free";
  EXPECT_EQ(ask(0), 1u);
  EXPECT_EQ(ask(0), 1u) << "beyond its share it waits like all";
  slots[2].pop_back();
  EXPECT_EQ(slots[1].size(), 1u);
  { const auto given_back = std::exchange(slots[0], {}); }
  EXPECT_EQ(slots[2].size(), 2u) << "what came free is kept again";
  EXPECT_EQ(slots[0].size(), 1u) << "for this one, who had waited";
  gate.close();
}

TEST_F(GateTest, CountsWhatIsUsedAndBorrowed) {
  auto slots = fill();
  EXPECT_EQ(gate_.in_use(), 4u);
  const auto stats = gate_.stats();
  EXPECT_EQ(stats[kIntake].name, "intake");
  EXPECT_EQ(stats[kIntake].in_use, 4u);
  EXPECT_EQ(stats[kIntake].borrowed, 2u);
  EXPECT_EQ(stats[kIntake].granted, 4u);
  EXPECT_EQ(stats[kReports].borrowed, 0u);
  slots.clear();
  EXPECT_EQ(gate_.in_use(), 0u);
}

TEST_F(GateTest, AsynchronousWaitersExpire) {
  const auto slots = fill();
  std::vector<std::string> log;
  const auto note = [&](std::string who) {
    return [&log, who](Gate::Answer answer) {
      log.push_back(who + " " + std::string(to_string(answer.error())));
    };
  };
  gate_.acquire_async(kReports, clock_.now() + seconds(2), note("two"));
  gate_.acquire_async(kReports, clock_.now() + seconds(1), note("one"));
  EXPECT_EQ(gate_.expire(clock_.now()), 0u);
  clock_.advance(seconds(1));
  EXPECT_EQ(gate_.expire(clock_.now()), 1u);
  EXPECT_EQ(log, std::vector<std::string>{"one deadline"});
  clock_.advance(seconds(1));
  EXPECT_EQ(gate_.expire(clock_.now()), 1u);
  EXPECT_EQ(gate_.stats()[kReports].waiting, 0u);
  EXPECT_EQ(gate_.stats()[kReports].refused, 2u);
}

TEST_F(GateTest, AWaiterPastItsDeadlineIsNotGranted) {
  auto slots = fill();
  std::optional<GateRefusal> refusal;
  bool granted = false;
  gate_.acquire_async(kIntake, clock_.now() + seconds(1),
                      [&](Gate::Answer answer) { refusal = answer.error(); });
  gate_.acquire_async(kIntake, kForever, [&](Gate::Answer answer) { granted = answer.ok(); });
  clock_.advance(seconds(1));
  slots.pop_back();
  EXPECT_EQ(refusal, GateRefusal::deadline);
  EXPECT_TRUE(granted);
}

TEST_F(GateTest, AnAbandonedWaiterIsAnsweredOnce) {
  auto slots = fill();
  std::vector<GateRefusal> refusals;
  const auto id = gate_.acquire_async(
      kIntake, kForever, [&](Gate::Answer answer) { refusals.push_back(answer.error()); });
  EXPECT_TRUE(gate_.abandon(id));
  EXPECT_FALSE(gate_.abandon(id));
  slots.clear();
  EXPECT_EQ(refusals, std::vector<GateRefusal>{GateRefusal::cancelled});
}

TEST_F(GateTest, P7KnownFaultAWaiterThatHoldsOneConnectionAndWaitsForASecond) {
  auto first = take(kIntake);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(take(kIntake).error(), GateRefusal::nested);
  EXPECT_EQ(take(kReports).error(), GateRefusal::nested);
  EXPECT_EQ(gate_.in_use(), 1u);
  Gate::Slot moved = std::move(*first);
  EXPECT_EQ(take(kReports).error(), GateRefusal::nested);
  std::jthread([&] { EXPECT_TRUE(take(kReports).ok()); }).join();
  moved.release();
  EXPECT_TRUE(take(kReports).ok());
}

TEST_F(GateTest, P7WhoWorksWithASlotThatItWasGivenHasNoSecondOne) {
  std::optional<Gate::Slot> given;
  (void)gate_.acquire_async(kReports, kForever, [&](Gate::Answer slot) {
    given.emplace(std::move(*slot));
  });
  ASSERT_TRUE(given);
  { EXPECT_TRUE(take(kReports).ok()) << "nobody works with it yet"; }
  given->hold();
  EXPECT_EQ(take(kReports).error(), GateRefusal::nested);
  std::jthread([&] { EXPECT_TRUE(take(kReports).ok()); }).join();
  given.reset();
  EXPECT_TRUE(take(kReports).ok());
}

TEST_F(GateTest, ABlockedWaiterIsGrantedWhenASlotComesFree) {
  auto slots = fill();
  std::jthread freeing([&] { slots.pop_back(); });
  EXPECT_TRUE(take(kReports).ok());
  freeing.join();
  slots.clear();
}

TEST_F(GateTest, ABlockedWaiterLeavesAtItsDeadline) {
  const auto slots = fill();
  EXPECT_EQ(gate_.acquire(kReports, clock_.now(), Cancel()).error(), GateRefusal::deadline);
  EXPECT_EQ(gate_.stats()[kReports].waiting, 0u);
}

TEST_F(GateTest, P5ABlockedWaiterLeavesWhenItIsCancelled) {
  const auto slots = fill();
  const Cancel cancel;
  std::jthread cancelling([&] { cancel.fire(CancelReason::disconnected); });
  EXPECT_EQ(gate_.acquire(kReports, kForever, cancel).error(), GateRefusal::cancelled);
  EXPECT_EQ(gate_.acquire(kReports, kForever, cancel).error(), GateRefusal::cancelled);
}

TEST_F(GateTest, ABlockedWaiterLeavesWhenItCloses) {
  const auto slots = fill();
  std::jthread closing([&] { gate_.close(); });
  EXPECT_EQ(take(kReports).error(), GateRefusal::closed);
}

TEST_F(GateTest, CallbacksThatGiveBackAtOnceDoNotPileUpOnTheStack) {
  constexpr std::size_t kMany = 100'000;
  Gate gate({.classes = {{"one", 1, 1}}, .total = 1, .waiters_max = kMany}, clock_);
  std::optional<Gate::Slot> first;
  gate.acquire_async(0, kForever, [&](Gate::Answer slot) { first = std::move(*slot); });
  std::size_t granted = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    gate.acquire_async(0, kForever, [&](Gate::Answer slot) { granted += slot.ok() ? 1 : 0; });
  }
  EXPECT_EQ(granted, 0u);
  first.reset();
  EXPECT_EQ(granted, kMany);
}

// For the thread sanitizer: never more out than there are, and all come back.
TEST(GateThreads, NeverMoreThanItsTotalAreOut) {
  const base::SystemClock clock;
  Gate gate({.classes = {{"intake", 1, 2}, {"reports", 0, 2}}, .total = 2, .waiters_max = 8},
            clock);
  std::atomic<int> out = 0;
  std::atomic<int> most = 0;
  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 300; ++i) {
        const Cancel cancel;
        if (i % 5 == 0) cancel.fire(CancelReason::requested);
        const auto slot = gate.acquire(thread % 2, kForever, cancel);
        if (!slot.ok()) continue;
        const int now_out = ++out;
        int seen = most;
        while (now_out > seen && !most.compare_exchange_weak(seen, now_out)) {
        }
        --out;
      }
    });
  }
  threads.clear();
  EXPECT_LE(most, 2);
  EXPECT_GE(most, 1);
  EXPECT_EQ(gate.in_use(), 0u);
}

TEST(GateDeathTest, ChecksItsOptionsAndItsEnd) {
  const base::FakeClock clock;
  EXPECT_DEATH(Gate({.classes = {{"a", 2, 2}, {"b", 1, 1}}, .total = 2}, clock), "guaranteed");
  EXPECT_DEATH(Gate({.classes = {{"a", 0, 3}}, .total = 2}, clock), "max");
  EXPECT_DEATH(
      {
        Gate::Slot slot;
        Gate gate(gate_options(), clock);
        gate.acquire_async(kIntake, kForever, [&](Gate::Answer got) { slot = std::move(*got); });
      },
      "in_use_");
}

}  // namespace
}  // namespace trialward::runtime
