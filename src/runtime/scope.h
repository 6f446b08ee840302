// Scope: structured concurrency. A scope owns the threads of its children, and they end before it
// does. The first child that fails (returns an error or throws) cancels its siblings and is what
// join() reports. A scope that is destroyed without join() aborts the process: its owner forgot
// the children.
//
// Any thread may spawn, a child too; only a thread that is not a child may join (checked).
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "runtime/cancel.h"
#include "runtime/task_list.h"

namespace trialward::runtime {

class Scope {
 public:
  using Body = std::function<base::Status(const Cancel&)>;

  // All children get the scope's one token, a child of `parent`. At most children_max of them live
  // at once.
  Scope(std::string name, std::size_t children_max, TaskList& tasks, const Cancel& parent = {});
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Errc::refused when closed or full, cancelled after a failure or cancel(), unavailable when
  // the system has no thread left.
  base::Status spawn(std::string name, Body body);
  void cancel(CancelReason reason) { cancel_.fire(reason); }
  // Refuses newcomers from now on.
  void close();
  // Closes, waits for every child, and answers with the first failure. May be repeated.
  base::Status join();

 private:
  struct Child {
    std::thread thread;
    bool ended = false;  // guarded by the scope's mutex
  };

  void run(Child& child, TaskList::Task task, Body body);
  void reap();

  const std::string name_;
  const std::size_t children_max_;
  TaskList& tasks_;
  const Cancel cancel_;
  std::mutex join_mutex_;  // taken before mutex_
  std::mutex mutex_;       // guards all below
  std::list<Child> children_;
  std::optional<base::Error> failure_;
  bool closed_ = false;
  bool joined_ = false;
};

}  // namespace trialward::runtime
