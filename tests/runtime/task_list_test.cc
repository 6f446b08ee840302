#include "runtime/task_list.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace trialward::runtime {
namespace {

using std::chrono::seconds;

TEST(TaskList, ShowsWhatLivesOldestFirst) {
  base::FakeClock clock;
  TaskList tasks(clock);
  TaskList::Task first = tasks.add("commit-0", "commit");
  clock.advance(seconds(5));
  TaskList::Task second = tasks.add("report", "reports", clock.now() + seconds(10));
  second.set_where("waits for a connection");
  clock.advance(seconds(1));

  const std::vector<TaskInfo> seen = tasks.snapshot();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].name, "commit-0");
  EXPECT_EQ(seen[0].owner, "commit");
  EXPECT_EQ(seen[0].where, "");
  EXPECT_EQ(seen[0].age, seconds(6));
  EXPECT_FALSE(seen[0].deadline.has_value());
  EXPECT_FALSE(seen[0].overdue);
  EXPECT_EQ(seen[1].name, "report");
  EXPECT_EQ(seen[1].where, "waits for a connection");
  EXPECT_EQ(seen[1].age, seconds(1));
  EXPECT_EQ(seen[1].deadline, clock.now() + seconds(9));
  EXPECT_FALSE(seen[1].overdue);
}

TEST(TaskList, FlagsTheOverdue) {
  base::FakeClock clock;
  TaskList tasks(clock);
  TaskList::Task task = tasks.add("report", "reports", clock.now() + seconds(10));
  clock.advance(seconds(10));
  EXPECT_TRUE(tasks.snapshot().at(0).overdue);
  task.set_deadline(clock.now() + seconds(1));
  EXPECT_FALSE(tasks.snapshot().at(0).overdue);
  task.set_deadline(std::nullopt);
  clock.advance(seconds(100));
  EXPECT_FALSE(tasks.snapshot().at(0).overdue);
}

TEST(TaskList, ATaskLeavesWhenItEndsAndOnlyOnce) {
  const base::FakeClock clock;
  TaskList tasks(clock);
  TaskList::Task task = tasks.add("one", "test");
  TaskList::Task moved = std::move(task);
  task.reset();
  task.set_where("nowhere");
  task.set_deadline(clock.now());
  EXPECT_EQ(tasks.count(), 1u);
  moved = tasks.add("two", "test");
  ASSERT_EQ(tasks.count(), 1u);
  EXPECT_EQ(tasks.snapshot().at(0).name, "two");
  moved.reset();
  EXPECT_EQ(tasks.count(), 0u);
}

TEST(TaskList, ThreadsMayListAndChangeAtOnce) {
  const base::SystemClock clock;
  TaskList tasks(clock);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          TaskList::Task task = tasks.add("busy", "test", clock.now());
          task.set_where("here");
          task.set_deadline(std::nullopt);
        }
      });
    }
    for (int i = 0; i < 200; ++i) EXPECT_LE(tasks.snapshot().size(), 3u);
  }
  EXPECT_EQ(tasks.count(), 0u);
}

TEST(TaskListDeathTest, GoingBeforeItsTasksStopsTheProcess) {
  EXPECT_DEATH(
      {
        const base::FakeClock clock;
        TaskList::Task task;
        TaskList tasks(clock);
        task = tasks.add("left", "test");
      },
      "entries_.empty");
}

}  // namespace
}  // namespace trialward::runtime
