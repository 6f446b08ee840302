// TaskList: every live task of the process, for /ops/tasks and for the proof at shutdown that
// nothing is left. A task is listed for as long as its Task lives; the list must outlive them all
// and is as bounded as its owners are. Any thread may call anything; one Task belongs to one
// thread at a time. Nothing here fails.
//
// It also knows what runs again and again (Recurring), between its runs, too.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "runtime/recurring.h"

namespace trialward::runtime {

struct TaskInfo {
  std::string name;
  std::string owner;
  std::string where;  // what it does or waits for; empty if it did not say
  base::Duration age{};
  std::optional<base::TimePoint> deadline;
  bool overdue = false;  // its deadline has passed and it is still here
};

class TaskList {
 public:
  class Task;

  explicit TaskList(const base::Clock& clock) : clock_(clock) {}
  ~TaskList();
  TaskList(const TaskList&) = delete;
  TaskList& operator=(const TaskList&) = delete;

  [[nodiscard]] Task add(std::string name, std::string owner,
                         std::optional<base::TimePoint> deadline = std::nullopt);

  // Oldest first.
  std::vector<TaskInfo> snapshot() const;
  std::size_t count() const;

  // From add to remove it must be there for any thread; after remove it is not used.
  void add(Recurring& recurring);
  void remove(Recurring& recurring);
  // In the order in which they came.
  std::vector<RecurringInfo> recurring() const;
  // Has the one of this name run now; false when there is none.
  bool run_now(const std::string& name);

  const base::Clock& clock() const { return clock_; }

 private:
  struct Entry {
    std::string name;
    std::string owner;
    base::TimePoint since;
    // Atomic, so that a task says where it is without the list's lock.
    std::atomic<const char*> where{""};
    std::atomic<base::Duration::rep> deadline{kNoDeadline};
  };
  static constexpr base::Duration::rep kNoDeadline = base::Duration::max().count();

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  mutable std::mutex recurring_mutex_;  // never taken with mutex_ held
  std::vector<Recurring*> recurring_;   // guarded by recurring_mutex_
};

class TaskList::Task {
 public:
  Task() = default;
  Task(Task&& other) noexcept;
  Task& operator=(Task&& other) noexcept;
  ~Task() { reset(); }

  // A string literal: it is kept by address. Costs one store.
  template <std::size_t N>
  void set_where(const char (&literal)[N]) {
    if (list_ != nullptr) entry_->where.store(literal, std::memory_order_relaxed);
  }
  void set_deadline(std::optional<base::TimePoint> deadline);
  // Off the list.
  void reset();

 private:
  friend class TaskList;
  Task(TaskList& list, std::list<Entry>::iterator entry) : list_(&list), entry_(entry) {}

  TaskList* list_ = nullptr;
  std::list<Entry>::iterator entry_;
};

}  // namespace trialward::runtime
