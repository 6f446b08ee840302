// The budget of reading: a fixed number of read-only connections, each used by one pool thread at a
// time. Two classes share it by a Gate: exports may borrow what nobody uses, but page views always
// keep their share. A job has exactly one connection (P7), a deadline, and a Cancel that interrupts
// its SQL statement (P5).
//
// Any thread may call run(). Either `work` runs, on a pool thread, or `refused` is called, on any;
// never both, always one. stop() ends what runs and refuses the rest.
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

enum class ReadClass : std::uint8_t { view, exports };

struct ReadPoolOptions {
  std::size_t connections = 4;
  std::size_t views_guaranteed = 2;
  std::size_t exports_guaranteed = 1;
  std::size_t exports_max = 2;
  std::size_t waiting_max = 512;
  base::Duration deadline = std::chrono::seconds(5);  // of one job, waiting included
};

class ReadPool {
 public:
  using Work = std::function<void(store::Connection&)>;
  using Refused = std::function<void(std::string_view reason)>;

  static base::Result<std::unique_ptr<ReadPool>> open(const store::Store& store,
                                                      ReadPoolOptions options,
                                                      runtime::TaskList& tasks,
                                                      base::Random& random);
  ~ReadPool() { stop(); }
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void run(ReadClass cls, std::string name, const runtime::Cancel& cancel, Work work,
           Refused refused);
  void stop();

  std::vector<runtime::GateClassStats> stats() const { return gate_.stats(); }

 private:
  struct Pending;

  ReadPool(ReadPoolOptions options, runtime::TaskList& tasks, base::Random& random);
  void submit(const std::shared_ptr<Pending>& pending);
  base::Status work(Pending& pending, const runtime::Cancel& cancel);

  const ReadPoolOptions options_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<store::SqliteConnection>> idle_;  // guarded by mutex_
  runtime::Gate gate_;
  runtime::JobPool jobs_;
  runtime::Periodic expiry_;  // last: it calls back
};

}  // namespace trialward::api
