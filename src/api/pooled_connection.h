// A Connection that has none: each of its statements waits for one of the ReadPool's, and gives it
// back when it has ended. So a task that asks the store something now and then holds no connection
// in between. Statements that are begun within another one share its connection.
//
// Belongs to one thread at a time, but for interrupt() and stop(). Errors: those of
// ReadPool::lease; invalid for a transaction, which is several statements.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/read_pool.h"

namespace trialward::api {

class PooledConnection final : public store::Connection {
 public:
  PooledConnection(ReadPool& pool, ReadClass cls, bool is_postgres);
  ~PooledConnection() override;

  base::Status script(const std::string& sql) override;
  void release_memory() override {}
  void interrupt() override;
  bool is_postgres() const override { return is_postgres_; }

 protected:
  base::Result<store::Statement*> prepare(std::string_view sql) override;

 private:
  class LentStatement;
  // Takes a connection, or takes part in the one that there is.
  base::Result<store::Connection*> borrow();
  void give_back();

  ReadPool& pool_;
  const ReadClass class_;
  const bool is_postgres_;
  int users_ = 0;  // statements that have the connection now
  std::mutex mutex_;
  // Of the lease, and of waiting for it; guarded by mutex_.
  std::optional<runtime::Cancel> stopping_;
  std::optional<ReadPool::Lease> lease_;
  std::unordered_map<std::string_view, std::unique_ptr<LentStatement>> statements_;
};

}  // namespace trialward::api
