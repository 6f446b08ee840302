#include "api/read_pool.h"

#include <algorithm>

#include "api/pooled_connection.h"
#include "runtime/wait.h"
#include "store/postgres_url.h"

namespace trialward::api {

using base::Result;
using base::Status;

namespace {

runtime::GateOptions gate_options(const ReadPoolOptions& options) {
  const std::size_t all = options.connections - options.writers;
  std::vector<runtime::GateClass> classes = {
      {"intake", options.writers, options.writers, false},
      {"interactive", options.views_guaranteed, all, false},
      {"export", options.exports_guaranteed, std::min(options.exports_max, all)},
      {"report", options.reports_guaranteed, std::min(options.reports_max, all)},
      {"background", options.background_guaranteed, std::min(options.background_max, all), false}};
  for (std::size_t i = 1; i < classes.size() && !options.budgets; ++i) {
    classes[i] = {classes[i].name, 0, all};
  }
  return {.classes = std::move(classes),
          .total = options.connections,
          .waiters_max = options.waiting_max};
}

}  // namespace

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
  if (options.connections < options.guaranteed()) {
    return base::Error{base::Errc::invalid,
                       std::to_string(options.connections) + " database connections are fewer "
                       "than the " + std::to_string(options.guaranteed()) +
                       " that are guaranteed to the classes of work"};
  }
  const bool is_postgres = store::is_postgres_url(store.path());
  std::unique_ptr<ReadPool> pool(new ReadPool(options, is_postgres, tasks, random));
  for (std::size_t i = options.writers; i < options.connections; ++i) {
    auto connection = store.open_reader();
    if (!connection) return connection.error();
    pool->all_.push_back(connection->get());
    pool->idle_.push_back(std::move(*connection));
  }
  pool->expiry_.start();
  return pool;
}

ReadPool::ReadPool(ReadPoolOptions options, bool is_postgres, runtime::TaskList& tasks,
                   base::Random& random)
    : options_(options),
      clock_(tasks.clock()),
      is_postgres_(is_postgres),
      gate_(gate_options(options), clock_),
      jobs_({.name = "read",
             .threads = options.connections - options.writers,
             .queued_max = options.connections},
            tasks),
      expiry_({.name = "read.expiry",
               .interval = std::chrono::milliseconds(100),
               .deadline = std::chrono::seconds(1)},
              [this](const runtime::Cancel&) {
                (void)gate_.expire(clock_.now());
                return Status();
              },
              random, tasks) {
  for (std::size_t i = 0; i < options_.writers; ++i) {
    (void)gate_.acquire_async(0, runtime::kForever, [this](runtime::Gate::Answer slot) {
      writers_.push_back(std::move(*slot));
    });
  }
  TW_CHECK(writers_.size() == options_.writers);
}

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
  pending.slot.hold();
  const Lease lease(*this, std::move(pending.slot), cancel);
  pending.begun = true;
  pending.work(lease.connection());
  return {};
}

Result<ReadPool::Lease> ReadPool::lease(ReadClass cls, const runtime::Cancel& cancel) {
  const base::TimePoint until = clock_.now() + options_.deadline;
  auto slot = gate_.acquire(static_cast<std::size_t>(cls), until, cancel);
  if (slot) return Lease(*this, std::move(*slot), cancel);
  TW_CHECK(slot.error() != runtime::GateRefusal::nested);
  if (slot.error() == runtime::GateRefusal::cancelled) {
    return base::Error{base::Errc::cancelled, "cancelled while waiting for a database connection"};
  }
  return base::Error{base::Errc::unavailable,
                     "no database connection: " + std::string(to_string(slot.error()))};
}

ReadPool::Lease::Lease(ReadPool& pool, runtime::Gate::Slot slot, const runtime::Cancel& cancel)
    : pool_(&pool), slot_(std::move(slot)) {
  {
    const std::lock_guard lock(pool.mutex_);
    TW_CHECK(!pool.idle_.empty());
    connection_ = std::move(pool.idle_.back());
    pool.idle_.pop_back();
  }
  interrupt_ = cancel.on_fire(
      [connection = connection_.get()](runtime::CancelReason) { connection->stop(); });
}

ReadPool::Lease::~Lease() {
  interrupt_.reset();
  if (connection_ == nullptr) return;  // moved from
  connection_->go_on();
  const std::lock_guard lock(pool_->mutex_);
  pool_->idle_.push_back(std::move(connection_));
}

std::unique_ptr<store::Connection> ReadPool::background() {
  return std::make_unique<PooledConnection>(*this, ReadClass::background, is_postgres_);
}

void ReadPool::suspect() {
  for (store::Connection* connection : all_) connection->suspect();
}

void ReadPool::stop() {
  expiry_.stop();
  gate_.close();
  jobs_.stop();
}

}  // namespace trialward::api
