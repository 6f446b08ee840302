#include "api/read_pool.h"

namespace trialward::api {

using base::Result;
using base::Status;

// What waits for its turn. Whoever lets it go last decides: when the work was not begun by then,
// it is refused.
struct ReadPool::Pending {
  std::string name;
  base::TimePoint deadline;
  runtime::Cancel cancel;
  Work work;
  Refused refused;
  std::string_view reason = "it waited for a database connection past its deadline";
  runtime::Gate::Slot slot;
  bool begun = false;

  ~Pending() {
    slot.release();
    if (!begun) refused(reason);
  }
};

Result<std::unique_ptr<ReadPool>> ReadPool::open(const store::Store& store,
                                                 ReadPoolOptions options,
                                                 runtime::TaskList& tasks, base::Random& random) {
  std::unique_ptr<ReadPool> pool(new ReadPool(options, tasks, random));
  for (std::size_t i = 0; i < options.connections; ++i) {
    auto connection = store.open_reader();
    if (!connection) return connection.error();
    pool->idle_.push_back(std::move(*connection));
  }
  pool->expiry_.start();
  return pool;
}

ReadPool::ReadPool(ReadPoolOptions options, runtime::TaskList& tasks, base::Random& random)
    : options_(options),
      clock_(tasks.clock()),
      gate_({.classes = {{"view", options.views_guaranteed, options.connections},
                         {"export", options.exports_guaranteed, options.exports_max}},
             .total = options.connections,
             .waiters_max = options.waiting_max},
            clock_),
      jobs_({.name = "read", .threads = options.connections, .queued_max = options.connections},
            tasks),
      expiry_({.name = "read.expiry",
               .interval = std::chrono::milliseconds(100),
               .deadline = std::chrono::seconds(1)},
              [this](const runtime::Cancel&) {
                (void)gate_.expire(clock_.now());
                return Status();
              },
              random, tasks) {}

void ReadPool::run(ReadClass cls, std::string name, const runtime::Cancel& cancel, Work work,
                   Refused refused) {
  auto pending = std::make_shared<Pending>();
  pending->name = std::move(name);
  pending->deadline = clock_.now() + options_.deadline;
  pending->cancel = cancel;
  pending->work = std::move(work);
  pending->refused = std::move(refused);
  const base::TimePoint deadline = pending->deadline;
  (void)gate_.acquire_async(
      static_cast<std::size_t>(cls), deadline,
      [this, pending = std::move(pending)](runtime::Gate::Answer answer) mutable {
        if (answer) {
          pending->slot = std::move(*answer);
          submit(pending);
        } else if (answer.error() == runtime::GateRefusal::full) {
          pending->reason = "too many requests wait for a database connection";
        } else if (answer.error() != runtime::GateRefusal::deadline) {
          pending->reason = "the server is stopping";
        }
        pending.reset();
      });
}

void ReadPool::submit(const std::shared_ptr<Pending>& pending) {
  auto handle = jobs_.submit(
      pending->name, pending->deadline,
      [this, pending](const runtime::Cancel& cancel) { return this->work(*pending, cancel); },
      pending->cancel);
  if (!handle) pending->reason = "the server is stopping";
}

Status ReadPool::work(Pending& pending, const runtime::Cancel& cancel) {
  // Gives the connection back however the work ends, before the slot is given back.
  struct Lease {
    explicit Lease(ReadPool& from) : pool(from) {
      const std::lock_guard lock(pool.mutex_);
      TW_CHECK(!pool.idle_.empty());  // the gate lets in as many as there are
      connection = std::move(pool.idle_.back());
      pool.idle_.pop_back();
    }
    ~Lease() {
      const std::lock_guard lock(pool.mutex_);
      pool.idle_.push_back(std::move(connection));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    ReadPool& pool;
    std::unique_ptr<store::SqliteConnection> connection;
  };
  const Lease lease(*this);
  pending.begun = true;
  const auto interrupt =
      cancel.on_fire([&lease](runtime::CancelReason) { lease.connection->interrupt(); });
  pending.work(*lease.connection);
  return {};
}

void ReadPool::stop() {
  expiry_.stop();
  gate_.close();
  jobs_.stop();
}

}  // namespace trialward::api
