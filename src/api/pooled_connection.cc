#include "api/pooled_connection.h"

#include <utility>

namespace trialward::api {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

class PooledConnection::LentStatement final : public store::Statement {
 public:
  LentStatement(PooledConnection& owner, std::string_view sql) : owner_(owner), sql_(sql) {}
  const std::string& sql() const { return sql_; }

  Status bind(std::span<const store::SqlValue> parameters) override {
    auto connection = owner_.borrow();
    if (!connection) return connection.error();
    auto statement = prepare_on(**connection, sql_);
    Status bound = statement ? Status() : Status(statement.error());
    if (bound) {
      TW_CHECK(!(*statement)->in_use);
      bound = (*statement)->bind(parameters);
    }
    if (!bound) {
      owner_.give_back();
      return bound;
    }
    lent_ = *statement;
    lent_->in_use = true;
    return {};
  }
  Result<bool> step() override { return lent_->step(); }
  int columns() const override { return lent_ != nullptr ? lent_->columns() : 0; }
  store::SqlValue column(int index) const override { return lent_->column(index); }
  void reset() override {
    if (lent_ == nullptr) return;
    lent_->reset();
    lent_->in_use = false;
    lent_ = nullptr;
    owner_.give_back();
  }

 private:
  PooledConnection& owner_;
  const std::string sql_;
  store::Statement* lent_ = nullptr;  // while it runs
};

PooledConnection::PooledConnection(ReadPool& pool, ReadClass cls, bool is_postgres)
    : pool_(pool), class_(cls), is_postgres_(is_postgres) {}

PooledConnection::~PooledConnection() { TW_CHECK(users_ == 0); }

Result<store::Connection*> PooledConnection::borrow() {
  using Borrowed = Result<store::Connection*>;
  if (users_ == 0) {
    const runtime::Cancel stopping;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = stopping;
    }
    if (stopped()) stopping.fire(runtime::CancelReason::requested);
    auto lease = pool_.lease(class_, stopping);
    if (!lease) {
      const std::lock_guard lock(mutex_);
      stopping_.reset();
      return lease.error();
    }
    lease_.emplace(std::move(*lease));
  }
  ++users_;
  return Borrowed(&lease_->connection());
}

void PooledConnection::give_back() {
  if (--users_ > 0) return;
  lease_.reset();
  const std::lock_guard lock(mutex_);
  stopping_.reset();
}

void PooledConnection::interrupt() {
  std::optional<runtime::Cancel> stopping;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
  }
  if (stopping) stopping->fire(runtime::CancelReason::requested);
}

Status PooledConnection::script(const std::string& sql) {
  auto connection = borrow();
  if (!connection) return connection.error();
  Status done = (*connection)->script(sql);
  give_back();
  return done;
}

Result<store::Statement*> PooledConnection::prepare(std::string_view sql) {
  using Found = Result<store::Statement*>;
  if (sql.starts_with("BEGIN") || sql.starts_with("SAVEPOINT")) {
    return Error{Errc::invalid, "each statement of this connection is by itself"};
  }
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    auto made = std::make_unique<LentStatement>(*this, sql);
    const std::string_view key = made->sql();
    found = statements_.emplace(key, std::move(made)).first;
  }
  return Found(found->second.get());
}

}  // namespace trialward::api
