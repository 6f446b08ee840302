#include "runtime/retry_budget.h"

#include <gtest/gtest.h>

namespace trialward::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RetryBudgetTest : public ::testing::Test {
 protected:
  int take_all() {
    int taken = 0;
    while (budget_.take()) ++taken;
    return taken;
  }
  base::FakeClock clock_;
  RetryBudget budget_{{.per_success = 2, .per_second = 0.5, .saved_max = 5}, clock_};
};

TEST_F(RetryBudgetTest, ItBeginsFullAndRunsOut) {
  EXPECT_EQ(take_all(), 5);
  EXPECT_FALSE(budget_.take());
  EXPECT_EQ(budget_.refused(), 2u);
}

TEST_F(RetryBudgetTest, TimeFillsItSlowlyAndNoFurtherThanItsEnd) {
  take_all();
  clock_.advance(milliseconds(1999));
  EXPECT_FALSE(budget_.take());
  clock_.advance(milliseconds(1));
  EXPECT_EQ(take_all(), 1);
  clock_.advance(seconds(3600));
  EXPECT_EQ(take_all(), 5);
}

TEST_F(RetryBudgetTest, SuccessesPayForRepetitions) {
  take_all();
  budget_.succeeded();
  EXPECT_EQ(take_all(), 2);
  for (int i = 0; i < 10; ++i) budget_.succeeded();
  EXPECT_EQ(take_all(), 5);
}

// However many wait, a remote that is down is asked once in two seconds here.
TEST_F(RetryBudgetTest, ARemoteThatIsDownIsAskedAtTheStatedRate) {
  take_all();
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    clock_.advance(milliseconds(100));
    taken += take_all();
  }
  EXPECT_EQ(taken, 50);
}

TEST_F(RetryBudgetTest, ItSaysWhenTheNextOneIsThere) {
  EXPECT_EQ(budget_.next(), clock_.now());
  take_all();
  EXPECT_EQ(budget_.next(), clock_.now() + seconds(2));
  clock_.advance(milliseconds(500));
  const base::TimePoint next = budget_.next();
  clock_.advance(milliseconds(1500));
  EXPECT_LE(next, clock_.now());
  EXPECT_TRUE(budget_.take());
}

}  // namespace
}  // namespace trialward::runtime
