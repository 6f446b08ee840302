// The budget of the process's database connections, all of them: those that write, which the intake
// holds for good, and a fixed number that read, each of one thread at a time. The classes share it
// by a Gate. The writers' connections, the views' share and that of the background's tasks are
// there for them at once, always; the rest may be borrowed, by each class up to its own maximum.
// Whoever works has exactly one connection (P7), a deadline, and a Cancel that stops its SQL (P5).
//
// A connection is lent again only when the server has done with what was asked of it, or when it is
// closed: it connects anew for whoever has it next.
//
// Any thread may call run() and lease(). With run() either `work` runs, on a pool thread, or
// `refused` is called, on any; never both, always one. stop() ends what runs and refuses the rest.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "runtime/gate.h"
#include "runtime/job_pool.h"
#include "runtime/periodic.h"
#include "store/store.h"

namespace trialward::api {

// Before them in the Gate is the intake, whose connections are not lent.
enum class ReadClass : std::uint8_t { view = 1, exports, reports, background };

struct ReadPoolOptions {
  std::size_t connections = 8;  // that read and that write, together
  std::size_t writers = 1;      // and with PostgreSQL the node's (store/node.h)
  std::size_t views_guaranteed = 2;
  std::size_t exports_guaranteed = 1;
  std::size_t exports_max = 2;
  std::size_t reports_guaranteed = 1;
  std::size_t reports_max = 2;
  std::size_t background_guaranteed = 1;
  std::size_t background_max = 2;

  std::size_t guaranteed() const {
    return writers + views_guaranteed + exports_guaranteed + reports_guaranteed +
           background_guaranteed;
  }
  std::size_t waiting_max = 512;
  base::Duration deadline = std::chrono::seconds(5);  // of one job, waiting included
  bool budgets = true;  // false, for measurements: every class may have what there is, first come
                        // first served, and nothing is kept for anybody but the writers
};

class ReadPool {
 public:
  using Work = std::function<void(store::Connection&)>;
  using Refused = std::function<void(std::string_view reason)>;
  class Lease;

  // Errors: of the store; invalid (less than what is guaranteed).
  static base::Result<std::unique_ptr<ReadPool>> open(const store::Store& store,
                                                      ReadPoolOptions options,
                                                      runtime::TaskList& tasks,
                                                      base::Random& random);
  ~ReadPool() { stop(); }
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void run(ReadClass cls, std::string name, const runtime::Cancel& cancel, Work work,
           Refused refused);
  // A connection for the calling thread, which waits for it: of a thread that is its owner's own,
  // and never while it has one already (checked). Errors: unavailable (none came free in time, or
  // the server stops), cancelled.
  base::Result<Lease> lease(ReadClass cls, const runtime::Cancel& cancel);
  // A connection for a background task, which it has by name only: each of its statements waits
  // for one of the pool, in the background's class, and gives it back at its end. So statements
  // of it see the states of different moments, and BEGIN is refused as invalid. Like any, it
  // belongs to one thread at a time; the pool must outlive it.
  std::unique_ptr<store::Connection> background();
  // The database may have stopped answering: what waits for it ends, and what comes has new
  // sessions. Any thread.
  void suspect();
  void stop();

  std::vector<runtime::GateClassStats> stats() const { return gate_.stats(); }

 private:
  struct Pending;

  ReadPool(ReadPoolOptions options, bool is_postgres, runtime::TaskList& tasks,
           base::Random& random);
  void submit(const std::shared_ptr<Pending>& pending);
  base::Status work(Pending& pending, const runtime::Cancel& cancel);

  const ReadPoolOptions options_;
  const base::Clock& clock_;
  std::vector<store::Connection*> all_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<store::Connection>> idle_;  // guarded by mutex_
  const bool is_postgres_;
  runtime::Gate gate_;
  std::vector<runtime::Gate::Slot> writers_;  // the intake's, as long as this lives
  runtime::JobPool jobs_;
  runtime::Periodic expiry_;  // last: it calls back
};

// Given back when it goes, the connection before the slot. The pool must outlive it.
class ReadPool::Lease {
 public:
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();
  store::Connection& connection() const { return *connection_; }

 private:
  friend class ReadPool;
  // The gate lets in as many as there are connections.
  Lease(ReadPool& pool, runtime::Gate::Slot slot, const runtime::Cancel& cancel);

  ReadPool* pool_;
  runtime::Gate::Slot slot_;
  std::unique_ptr<store::Connection> connection_;
  runtime::Cancel::Registration interrupt_;
};

}  // namespace trialward::api
