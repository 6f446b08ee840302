#include "runtime/scope.h"

#include <exception>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "runtime/worker_pool.h"

namespace trialward::runtime {
namespace {

// The scope whose child this thread is.
thread_local const Scope* current_scope = nullptr;

base::Status call(const Scope::Body& body, const Cancel& cancel) {
  try {
    return body(cancel);
  } catch (const std::exception& error) {
    return base::Error{base::Errc::unavailable, std::string("threw: ") + error.what()};
  } catch (...) {
    return base::Error{base::Errc::unavailable, "threw: not a std::exception"};
  }
}

}  // namespace

Scope::Scope(std::string name, std::size_t children_max, TaskList& tasks, const Cancel& parent)
    : name_(std::move(name)), children_max_(children_max), tasks_(tasks), cancel_(parent.child()) {}

Scope::~Scope() { TW_CHECK(joined_); }

base::Status Scope::spawn(std::string name, Body body) {
  const std::lock_guard lock(mutex_);
  if (closed_) return base::Error{base::Errc::refused, name_ + ": closed"};
  if (cancel_.fired()) {
    return base::Error{base::Errc::cancelled,
                       name_ + ": " + std::string(to_string(cancel_.reason()))};
  }
  reap();
  if (children_.size() >= children_max_) {
    return base::Error{base::Errc::refused, name_ + ": too many children"};
  }
  TaskList::Task task = tasks_.add(name, name_);
  Child& child = children_.emplace_back();
  try {
    child.thread = std::thread([this, &child, name = std::move(name), task = std::move(task),
                                body = std::move(body)]() mutable {
      name_thread(name);
      run(child, std::move(task), std::move(body));
    });
  } catch (const std::system_error& error) {
    children_.pop_back();
    return base::Error{base::Errc::unavailable, name_ + ": no thread: " + error.what()};
  }
  return {};
}

void Scope::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

base::Status Scope::join() {
  TW_CHECK(current_scope != this);
  close();
  const std::lock_guard join_lock(join_mutex_);
  std::unique_lock lock(mutex_);
  for (Child& child : children_) {  // nobody adds or reaps any more: it is closed
    lock.unlock();
    child.thread.join();
    lock.lock();
  }
  children_.clear();
  joined_ = true;
  if (failure_) return *failure_;
  return {};
}

void Scope::run(Child& child, TaskList::Task task, Body body) {
  current_scope = this;
  const base::Status result = call(body, cancel_);
  body = nullptr;  // what it captured goes before the child counts as ended
  if (!result) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = result.error();
    }
    cancel_.fire(CancelReason::sibling_failed);
  }
  task.reset();
  const std::lock_guard lock(mutex_);
  child.ended = true;
}

void Scope::reap() {
  for (auto child = children_.begin(); child != children_.end();) {
    const auto here = child++;
    if (!here->ended) continue;
    here->thread.join();  // it has nothing left to do
    children_.erase(here);
  }
}

}  // namespace trialward::runtime
