// Several statements in one way to the server and back, by libpq's pipeline mode.
#include <libpq-fe.h>

#include <utility>

#include "store/postgres_statement.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

const Error kNotTold{Errc::refused, "out of memory"};  // so short a text takes none

}  // namespace

Result<PostgresStatement*> PostgresConnection::statement_of(std::string_view sql) {
  auto prepared = prepare(sql);
  if (!prepared) return prepared.error();
  return static_cast<PostgresStatement*>(*prepared);
}

Status PostgresConnection::run_together(std::span<PostgresStatement* const> statements,
                                        Patience patience, ResultPointer* rows) {
  if (auto sent = send_groups({statements}); !sent) return sent;
  return await_group(patience, rows);
}

Status PostgresConnection::send_groups(Groups groups) {
  TW_CHECK(groups_.empty());
  warned_ = commit_sent_ = false;
  if (auto taken = take_over(nullptr); !taken) return taken;
  std::vector<Queued> all;
  for (const auto& statements : groups) {  // in their own round trips, the first time
    for (PostgresStatement* const one : statements) {
      auto variant = one->variant_for(one->types_);
      if (!variant) return variant.error();
      all.emplace_back(one, *variant);
    }
  }
  Status done;
  try {
    for (const auto& statements : groups) groups_.push_back({.statements = statements.size()});
    done = queue_groups(all);
    // What the socket has no room for is sent by whoever looks for the end.
    if (done && PQflush(connection_) < 0) done = lost_error();
  } catch (...) {  // out of memory: what is still to come would be taken for something else's
    close();
    groups_.clear();
    throw;
  }
  if (!done) groups_.clear();
  return done;
}

Status PostgresConnection::queue_groups(std::span<const Queued> all) {
  if (PQenterPipelineMode(connection_) == 0) return lost_error();
  auto next = all.begin();
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.statements; ++i, ++next) {
      if (!next->first->queue(*next->second)) return lost_error();
      commit_sent_ = commit_sent_ || next->first->kind_.commits;
    }
    if (PQpipelineSync(connection_) == 0) return lost_error();
  }
  return {};
}

Status PostgresConnection::await_group(Patience patience, ResultPointer* rows) {
  TW_CHECK(!groups_.empty());
  Status lost;
  try {
    while (!groups_.front().ended && lost) {
      const bool failed = groups_.front().error.has_value();
      if (auto done = wait(patience); done) {
        take_in();
      } else if (!failed) {
        lost = done;
      }
    }
  } catch (...) {
    close();
    groups_.clear();
    throw;
  }
  Group group = std::move(groups_.front());
  groups_.pop_front();
  if (!lost) return lost;
  if (groups_.empty() && connection_ != nullptr && PQexitPipelineMode(connection_) == 0) {
    const Error error = lost_error();
    if (!group.error) return error;
  }
  if (rows != nullptr) *rows = std::move(group.rows);
  return group.error ? Status(*std::move(group.error)) : Status();
}

bool PostgresConnection::group_has_ended() {
  while (!groups_.front().ended) {
    if (!answer_is_there()) return false;
    if (connection_ == nullptr || PQisBusy(connection_) != 0) return true;
    take_in();
  }
  return true;
}

// A result of the first group, which has arrived. Each statement's end with a null one; behind the
// last statement comes that of the whole.
void PostgresConnection::take_in() {
  Group& group = groups_.front();
  ResultPointer result(PQgetResult(connection_), &PQclear);
  if (result == nullptr) {
    if (++group.read <= group.statements) return;
    // The server has gone without a word about the whole.
    std::optional<Error> before = std::move(group.error);
    group.error = kNotTold;
    Error error = lost_error();
    group.ended = true;
    group.error = before ? std::move(before) : std::move(error);
    return;
  }
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_PIPELINE_SYNC) {
    group.ended = true;
  } else if (status == PGRES_FATAL_ERROR) {
    if (group.error) return;
    group.error = kNotTold;  // should its words take more memory than there is
    group.error = error_of(result.get());
  } else if (status == PGRES_PIPELINE_ABORTED) {
    if (!group.error) group.error = kNotTold;
  } else if (status == PGRES_TUPLES_OK && group.read + 1 == group.statements) {
    group.rows = std::move(result);
  }
}

bool PostgresConnection::answer_is_there() {
  if (connection_ == nullptr || PQisBusy(connection_) == 0) return true;
  return PQconsumeInput(connection_) == 0 || PQisBusy(connection_) == 0;
}

}  // namespace trialward::store
