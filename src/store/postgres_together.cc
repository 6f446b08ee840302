// Much in one way to the server and back: several statements by libpq's pipeline mode, and rows by
// COPY.
#include <libpq-fe.h>

#include <utility>

#include "store/postgres_statement.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

Result<PostgresStatement*> PostgresConnection::statement_of(std::string_view sql) {
  auto prepared = prepare(sql);
  if (!prepared) return prepared.error();
  return static_cast<PostgresStatement*>(*prepared);
}

Status PostgresConnection::run_together(std::span<PostgresStatement* const> statements,
                                        Patience patience, ResultPointer* rows) {
  warned_ = commit_sent_ = false;
  if (auto taken = take_over(nullptr); !taken) return taken;
  std::vector<const PostgresStatement::Variant*> variants;
  for (PostgresStatement* const one : statements) {  // in their own round trips, the first time
    auto variant = one->variant_for(one->types_);
    if (!variant) return variant.error();
    variants.push_back(*variant);
  }
  if (PQenterPipelineMode(connection_) == 0) return lost_error();
  Status done;
  try {
    for (std::size_t i = 0; i < statements.size() && done; ++i) {
      if (!statements[i]->queue(*variants[i])) done = lost_error();
    }
    commit_sent_ = statements.back()->kind_.commits;
    if (done && PQpipelineSync(connection_) == 0) done = lost_error();
    if (done) done = flush(patience);
    if (done) done = read_together(statements.size(), patience, rows);
  } catch (...) {  // out of memory: what is still to come would be taken for something else's
    close();
    throw;
  }
  if (connection_ != nullptr && PQexitPipelineMode(connection_) == 0) {
    const Error error = lost_error();
    return done ? Status(error) : done;
  }
  return done;
}

// Each statement's results end with a null one; behind the last comes that of the whole.
Status PostgresConnection::read_together(std::size_t statements, Patience patience,
                                         ResultPointer* rows) {
  Status first_error;
  for (std::size_t i = 0; i <= statements; ++i) {
    while (true) {
      if (auto done = wait(patience); !done) return first_error ? done : first_error;
      ResultPointer result(PQgetResult(connection_), &PQclear);
      if (result == nullptr) break;
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_PIPELINE_SYNC) return first_error;
      if (status == PGRES_FATAL_ERROR && first_error) first_error = error_of(result.get());
      if (rows != nullptr && status == PGRES_TUPLES_OK && i + 1 == statements) {
        *rows = std::move(result);
      }
    }
  }
  const Error error = lost_error();
  return first_error ? Status(error) : first_error;
}

Status PostgresConnection::send_copy(const std::string& sql, std::string_view data) {
  if (auto ready = about_to_run({}); !ready) return ready;
  if (auto taken = take_over(nullptr); !taken) return taken;
  if (PQsendQuery(connection_, sql.c_str()) == 0) return lost_error();
  if (auto sent = flush(Patience::cancels); !sent) return sent;
  auto begun = next_result(Patience::cancels);
  if (!begun) return begun.error();
  TW_CHECK(*begun != nullptr && PQresultStatus(begun->get()) == PGRES_COPY_IN);
  // In libpq's memory: the socket does not block.
  if (PQputCopyData(connection_, data.data(), static_cast<int>(data.size())) != 1 ||
      PQputCopyEnd(connection_, nullptr) != 1) {
    return lost_error();
  }
  return flush(Patience::cancels);
}

}  // namespace trialward::store
