// The seam to the database: SQL text in, rows out, synchronously. store/sqlite.h and
// store/postgres.h implement it.
//
// SQL is written for both SQLite and PostgreSQL where both understand it: parameters are $1, $2 …
// and appear in that order. A Connection belongs to one thread at a time; interrupt() and
// stop() alone may be called from any thread while the Connection lives.
// Errors: conflict (a constraint), cancelled (interrupted), corrupt (what is stored is damaged),
// retry (the database gave way to another transaction), invalid (PostgreSQL alone: a value that it
// cannot take, a fault of the SQL, and what nobody thought of), unavailable (the server or the
// disk; with SQLite also what nobody thought of); the message carries the database's words. With
// PostgreSQL nothing but ROLLBACK follows an error in a transaction.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"

namespace trialward::store {

struct Blob {
  std::string_view bytes;
};

// Arrays are parameters of PostgreSQL alone: bigint[] and text[].
using Integers = std::span<const std::int64_t>;
using Texts = std::span<const std::string_view>;

// Views must outlive the call that they are passed to; those of a column, the next step().
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string_view, Blob,
                              Integers, Texts>;

inline SqlValue sql_null() { return std::monostate{}; }
// NULL for the empty text, which keeps rows small.
inline SqlValue text_or_null(std::string_view text) {
  return text.empty() ? SqlValue{} : SqlValue{text};
}

// A prepared statement; made once a connection and text, reset after each use by Query.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual base::Status bind(std::span<const SqlValue> parameters) = 0;
  virtual base::Result<bool> step() = 0;  // true: a row is there
  virtual int columns() const = 0;
  virtual SqlValue column(int index) const = 0;
  virtual void reset() = 0;

  bool in_use = false;
};

// One run of a statement. Reading a column of another type than stored gives 0 or "".
class Query {
 public:
  explicit Query(Statement& statement) : statement_(&statement) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  base::Result<bool> next() { return statement_->step(); }
  int columns() const { return statement_->columns(); }
  SqlValue value(int column) const { return statement_->column(column); }
  bool null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  Statement* statement_;
};

// A kind of row that is written very often. One that lives as long as the program.
struct RowShape {
  std::string_view table;
  std::string_view columns;  // "a, b, c"
  int keys = 0;              // 0: it is inserted; else it takes the place of what has the same
                             // values in so many of the first columns
  std::string_view sql;      // what writes one such row
};

class Connection {
 public:
  virtual ~Connection() = default;

  // The statement may not be running already (a broken invariant).
  base::Result<Query> query(std::string_view sql, std::span<const SqlValue> parameters);
  base::Result<Query> query(std::string_view sql, std::initializer_list<SqlValue> parameters = {}) {
    return query(sql, std::span(parameters.begin(), parameters.size()));
  }
  // Runs to the end and drops the rows.
  base::Status execute(std::string_view sql, std::span<const SqlValue> parameters);
  base::Status execute(std::string_view sql, std::initializer_list<SqlValue> parameters = {}) {
    return execute(sql, std::span(parameters.begin(), parameters.size()));
  }
  // The first column of the first row as an integer; not_found when there is no row.
  base::Result<std::int64_t> integer(std::string_view sql,
                                     std::initializer_list<SqlValue> parameters = {});

  // Writes a row. What implements it may keep rows, to write many with one statement: before one
  // that names their table, and before the transaction ends. Errors may come as late as that.
  virtual base::Status put(const RowShape& shape, std::span<const SqlValue> row) {
    return execute(shape.sql, row);
  }
  base::Status put(const RowShape& shape, std::initializer_list<SqlValue> row) {
    return put(shape, std::span(row.begin(), row.size()));
  }

  // Several statements separated by semicolons, without parameters.
  virtual base::Status script(const std::string& sql) = 0;
  // Gives back what it keeps in memory and can read again.
  virtual void release_memory() = 0;
  // Stops the statement that runs now, with cancelled. Any thread.
  virtual void interrupt() = 0;
  // As interrupt(), of one whose database may have stopped answering: the next statement outside of
  // a transaction goes to another session. Any thread.
  virtual void suspect() { interrupt(); }
  // As interrupt(), and what would be begun after it is cancelled, too, until go_on(): all but the
  // end of a transaction. So who is told to stop between two statements does. Any thread.
  void stop() {
    stopped_ = true;
    interrupt();
  }
  void go_on() { stopped_ = false; }
  // Which of the two it is, for SQL that has to differ.
  virtual bool is_postgres() const { return false; }

 protected:
  virtual base::Result<Statement*> prepare(std::string_view sql) = 0;
  bool stopped() const { return stopped_.load(); }
  // For a Connection that stands for another one.
  static base::Result<Statement*> prepare_on(Connection& other, std::string_view sql);

 private:
  std::atomic<bool> stopped_ = false;
};

}  // namespace trialward::store
