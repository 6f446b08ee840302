#include "runtime/watchdog.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "runtime/wait.h"
#include "tests/runtime/yield.h"

namespace trialward::runtime {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Watchdog, FiresWhatIsDueAndNothingElse) {
  base::FakeClock clock;
  TaskList tasks(clock);
  Watchdog dog("dog", tasks);
  const Cancel early;
  const Cancel late;
  const Cancel ended;
  const auto watch_late = dog.watch(clock.now() + seconds(3), late);
  const auto watch_early = dog.watch(clock.now() + seconds(2), early);
  auto watch_ended = dog.watch(clock.now() + seconds(1), ended);
  auto moved = std::move(watch_ended);
  moved.reset();
  EXPECT_EQ(dog.expire(), 0u);
  clock.advance(seconds(2));
  EXPECT_EQ(dog.expire(), 1u);
  EXPECT_EQ(early.reason(), CancelReason::deadline);
  EXPECT_FALSE(late.fired());
  EXPECT_FALSE(ended.fired());
  EXPECT_EQ(dog.expire(), 0u);
}

TEST(Watchdog, ItsThreadFiresAtTheDeadline) {
  const base::SystemClock clock;
  TaskList tasks(clock);
  Watchdog dog("dog", tasks);
  const Cancel far;
  const Cancel near;
  const auto watch_far = dog.watch(clock.now() + hours(24), far);
  dog.start();
  dog.start();
  yield_often();  // it waits for the far one by now
  const auto watch_near = dog.watch(clock.now() + std::chrono::milliseconds(1), near);
  EXPECT_TRUE(near.wait_until(clock, kForever));
  EXPECT_EQ(near.reason(), CancelReason::deadline);
  EXPECT_FALSE(far.fired());
  EXPECT_EQ(tasks.count(), 1u);
  dog.stop();
  dog.stop();
  EXPECT_EQ(tasks.count(), 0u);
}

TEST(WatchdogDeathTest, GoingBeforeItsWatchesStopsTheProcess) {
  EXPECT_DEATH(
      {
        const base::FakeClock clock;
        TaskList tasks(clock);
        Watchdog::Watch watch;
        Watchdog dog("dog", tasks);
        watch = dog.watch(clock.now(), Cancel());
      },
      "watched_.empty");
}

}  // namespace
}  // namespace trialward::runtime
