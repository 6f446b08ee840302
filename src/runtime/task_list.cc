#include "runtime/task_list.h"

#include <utility>

#include "base/check.h"

namespace trialward::runtime {

TaskList::~TaskList() { TW_CHECK(entries_.empty()); }

TaskList::Task TaskList::add(std::string name, std::string owner,
                             std::optional<base::TimePoint> deadline) {
  std::list<Entry> made;  // allocated outside the lock
  Entry& entry = made.emplace_back();
  entry.name = std::move(name);
  entry.owner = std::move(owner);
  entry.since = clock_.now();
  Task task(*this, made.begin());
  task.set_deadline(deadline);
  const std::lock_guard lock(mutex_);
  entries_.splice(entries_.end(), made);
  return task;
}

std::vector<TaskInfo> TaskList::snapshot() const {
  const base::TimePoint now = clock_.now();
  std::vector<TaskInfo> tasks;
  const std::lock_guard lock(mutex_);
  tasks.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    TaskInfo& task = tasks.emplace_back();
    task.name = entry.name;
    task.owner = entry.owner;
    task.where = entry.where.load(std::memory_order_relaxed);
    task.age = now - entry.since;
    const base::Duration::rep deadline = entry.deadline.load(std::memory_order_relaxed);
    if (deadline == kNoDeadline) continue;
    task.deadline = base::TimePoint(base::Duration(deadline));
    task.overdue = *task.deadline <= now;
  }
  return tasks;
}

std::size_t TaskList::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

TaskList::Task::Task(Task&& other) noexcept
    : list_(std::exchange(other.list_, nullptr)), entry_(other.entry_) {}

TaskList::Task& TaskList::Task::operator=(Task&& other) noexcept {
  if (this == &other) return *this;
  reset();
  list_ = std::exchange(other.list_, nullptr);
  entry_ = other.entry_;
  return *this;
}

void TaskList::Task::set_deadline(std::optional<base::TimePoint> deadline) {
  if (list_ == nullptr) return;
  entry_->deadline.store(deadline ? deadline->time_since_epoch().count() : kNoDeadline,
                         std::memory_order_relaxed);
}

void TaskList::Task::reset() {
  if (list_ == nullptr) return;
  TaskList& list = *std::exchange(list_, nullptr);
  std::list<Entry> gone;  // freed outside the lock
  const std::lock_guard lock(list.mutex_);
  gone.splice(gone.end(), list.entries_, entry_);
}

void TaskList::add(Recurring& recurring) {
  const std::lock_guard lock(recurring_mutex_);
  recurring_.push_back(&recurring);
}

void TaskList::remove(Recurring& recurring) {
  const std::lock_guard lock(recurring_mutex_);
  std::erase(recurring_, &recurring);
}

std::vector<RecurringInfo> TaskList::recurring() const {
  const std::lock_guard lock(recurring_mutex_);
  std::vector<RecurringInfo> all;
  all.reserve(recurring_.size());
  for (const Recurring* one : recurring_) all.push_back(one->info());
  return all;
}

bool TaskList::run_now(const std::string& name) {
  const std::lock_guard lock(recurring_mutex_);
  for (Recurring* one : recurring_) {
    if (one->info().name != name) continue;
    one->run_now();
    return true;
  }
  return false;
}

}  // namespace trialward::runtime
