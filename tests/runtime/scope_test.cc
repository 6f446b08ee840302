#include "runtime/scope.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>

#include "runtime/wait.h"

namespace trialward::runtime {
namespace {

using base::Errc;
using base::Status;

class ScopeTest : public testing::Test {
 protected:
  Status until_cancelled(const Cancel& cancel) {
    cancel.wait_until(clock_, kForever);
    return base::Error{Errc::cancelled, std::string(to_string(cancel.reason()))};
  }

  base::FakeClock clock_;
  TaskList tasks_{clock_};
};

TEST_F(ScopeTest, ChildrenEndBeforeTheScopeDoes) {
  std::atomic<int> ended = 0;
  Scope scope("import", 4, tasks_);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(scope
                    .spawn("child",
                           [&](const Cancel&) -> Status {
                             ++ended;
                             return {};
                           })
                    .ok());
  }
  EXPECT_TRUE(scope.join().ok());
  EXPECT_EQ(ended, 4);
  EXPECT_EQ(tasks_.count(), 0u);
  EXPECT_TRUE(scope.join().ok());
}

TEST_F(ScopeTest, ListsItsChildrenFromTheStart) {
  Scope scope("import", 1, tasks_);
  EXPECT_TRUE(
      scope.spawn("reader", [&](const Cancel& cancel) { return until_cancelled(cancel); }).ok());
  EXPECT_EQ(tasks_.snapshot().at(0).name, "reader");
  EXPECT_EQ(tasks_.snapshot().at(0).owner, "import");
  scope.cancel(CancelReason::requested);
  EXPECT_EQ(scope.join().error().message, "requested");
}

TEST_F(ScopeTest, TheFirstFailureCancelsTheSiblingsAndIsReported) {
  Scope scope("import", 4, tasks_);
  std::atomic<int> cancelled = 0;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(scope
                    .spawn("sibling",
                           [&](const Cancel& cancel) {
                             const Status status = until_cancelled(cancel);
                             if (cancel.reason() == CancelReason::sibling_failed) ++cancelled;
                             return status;
                           })
                    .ok());
  }
  EXPECT_TRUE(scope
                  .spawn("fails",
                         [](const Cancel&) -> Status {
                           return base::Error{Errc::corrupt, "line 7"};
                         })
                  .ok());
  EXPECT_EQ(scope.join().error().message, "line 7");
  EXPECT_EQ(cancelled, 2);
}

TEST_F(ScopeTest, AChildThatThrowsFails) {
  Scope scope("import", 4, tasks_);
  EXPECT_TRUE(
      scope.spawn("throws", [](const Cancel&) -> Status { throw std::runtime_error("oops"); })
          .ok());
  const Status status = scope.join();
  EXPECT_EQ(status.error().code, Errc::unavailable);
  EXPECT_EQ(status.error().message, "threw: oops");
}

TEST_F(ScopeTest, ItsParentCancelsIt) {
  const Cancel parent;
  Scope scope("import", 4, tasks_, parent);
  EXPECT_TRUE(
      scope.spawn("child", [&](const Cancel& cancel) { return until_cancelled(cancel); }).ok());
  parent.fire(CancelReason::shutdown);
  EXPECT_EQ(scope.join().error().message, "shutdown");
}

TEST_F(ScopeTest, RefusesNewcomersWhenClosedFullOrCancelled) {
  const auto fine = [](const Cancel&) -> Status { return {}; };
  Scope scope("import", 1, tasks_);
  EXPECT_TRUE(
      scope.spawn("child", [&](const Cancel& cancel) { return until_cancelled(cancel); }).ok());
  EXPECT_EQ(scope.spawn("full", fine).error().message, "import: too many children");
  scope.cancel(CancelReason::requested);
  EXPECT_EQ(scope.spawn("cancelled", fine).error().code, Errc::cancelled);
  scope.close();
  EXPECT_EQ(scope.spawn("closed", fine).error().message, "import: closed");
  EXPECT_FALSE(scope.join().ok());
}

TEST_F(ScopeTest, AChildMaySpawnASibling) {
  Scope scope("import", 2, tasks_);
  std::latch spawned(1);
  std::atomic<bool> ran = false;
  EXPECT_TRUE(scope
                  .spawn("first",
                         [&](const Cancel&) -> Status {
                           const Status status =
                               scope.spawn("second", [&](const Cancel&) -> Status {
                                 ran = true;
                                 return {};
                               });
                           spawned.count_down();
                           return status;
                         })
                  .ok());
  spawned.wait();
  EXPECT_TRUE(scope.join().ok());
  EXPECT_TRUE(ran);
}

using ScopeDeathTest = ScopeTest;

TEST_F(ScopeDeathTest, DestroyedUnjoinedStopsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Scope("forgotten", 1, tasks_), "joined_");
}

}  // namespace
}  // namespace trialward::runtime
