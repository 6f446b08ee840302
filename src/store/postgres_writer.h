// A connection by which a store in PostgreSQL is written: a PostgresConnection, one for each node
// (process) that shares the store. There is one transaction at a time, of all of them: each begins
// with the turn, a row that it locks, and leaves its session's name there. So whoever finds its own
// name knows that nobody has written since, and what it remembers of the store holds.
// Rows of put() are kept and written many at a time.
//
// Each transaction leaves a mark: the number of this process's last commit, in commit_marks. After
// a commit whose end is unknown that is asked for with the turn taken: by then the transaction that
// had it has ended.
//
// A node that stops in the middle of a transaction would hold up all others: the server ends its
// session then (kIdleMaxMs), and the transaction with it.
//
// All nodes hold a lock together; whoever changes the schema holds it alone.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/postgres.h"

namespace trialward::store {

class PostgresStatement;

// Rows of one shape that wait to be written: one INSERT of an array of the table's rows, sent with
// the statements that follow, which saves a way to the server and back. When there are very many
// they are sent before, and the server works while more are gathered.
class PostgresRows {
 public:
  // Asks the server for the columns' types.
  static base::Result<std::unique_ptr<PostgresRows>> open(PostgresConnection& connection,
                                                          const RowShape& shape,
                                                          std::uint64_t table);
  const RowShape& shape() const { return shape_; }
  std::uint64_t table() const { return table_; }
  // May send what there is, and tell what became of what was sent before.
  base::Status add(std::span<const SqlValue> row);
  base::Status write();
  // Waits for what was sent. Before any other statement.
  base::Status settle();
  // The statement that writes what there is, for run_together(); null if there is nothing. It
  // refers to what is kept here until the next one.
  base::Result<PostgresStatement*> encode();
  void clear();
  void drop();

 private:
  PostgresRows(PostgresConnection& connection, const RowShape& shape, std::uint64_t table)
      : connection_(connection), shape_(shape), table_(table) {}
  bool appends() const { return shape_.keys == 0; }
  // Whether a row with these keys waits already.
  bool waits(const std::string& key) const;
  base::Status send();
  PostgresConnection& connection_;
  const RowShape& shape_;
  const std::uint64_t table_;
  std::string insert_sql_;
  std::vector<postgres::Oid> types_;  // of the shape's columns
  struct Column {
    postgres::Oid type = postgres::kAny;
    std::size_t place = 0;  // in the shape; behind its end: it is not in it
  };
  std::vector<Column> columns_;  // all of the table's
  postgres::Oid row_type_ = postgres::kAny, array_type_ = postgres::kAny;
  std::string bytes_;  // an array of the rows
  std::string array_;  // that of the INSERT that is to be sent
  std::vector<std::string> keys_;  // of the rows, where they have to differ
  bool ascending_ = true;          // so are the keys
  std::size_t rows_ = 0;
  PostgresStatement* sent_ = nullptr;  // whose end is not known yet
};

class PostgresWriter final : public PostgresConnection {
 public:
  // Makes the schema or brings it up to date. Errors: those of PostgresConnection and migrate();
  // refused (the schema has to be changed, and other nodes use it; the message names one), invalid
  // (the server does not wait for the disk).
  static base::Result<std::unique_ptr<PostgresWriter>> open(const std::string& url,
                                                            const PostgresOptions& options,
                                                            std::string_view store_id,
                                                            base::Random& random);

  base::Status put(const RowShape& shape, std::span<const SqlValue> row) override;
  base::Status commit(bool& unknown) override;
  base::Status recover() override;
  void release_memory() override { forget_shapes_ = true; }
  base::Result<bool> begin_turn() override;
  base::Result<bool> may_send_commit() override;
  base::Status send_commit(bool& unknown) override;
  bool commit_has_ended() override;
  base::Status await_commit(bool& unknown) override;
  bool await_begin() override;
  void tell(News news) override;
  base::Result<bool> was_committed() override;

  // What stands behind a commit, in words: "synchronous_commit=on, 1 synchronous standby".
  const std::string& durability() const { return durability_; }
  // Its name among the nodes.
  const std::string& session() const { return session_; }

 private:
  using PostgresConnection::PostgresConnection;
  base::Status about_to_run(const StatementKind& kind) override;
  base::Status write_rows(std::uint64_t tables);
  void drop_rows();
  base::Status make_schema();
  base::Status migrate_patiently(std::string_view store_id);
  base::Status bring_up_to_date(std::string_view store_id);
  base::Result<bool> lock(const char* function);
  base::Status join();
  base::Status check_version();
  base::Error others_there();
  base::Status check_durability();
  // Makes ready what is sent with a COMMIT, and the COMMIT: the rows, but for those that were sent
  // before.
  base::Result<std::vector<PostgresStatement*>> prepare_commit();
  base::Result<std::vector<PostgresStatement*>> prepare_begin();
  // Of the transaction whose begin has given this row.
  base::Result<bool> take_turn(const ResultPointer& row);
  // Goes on with what is under way: to the COMMIT's end, or as far as it gets without waiting.
  enum class Waits { no, yes };
  void proceed(Waits waits);
  // To the end of both.
  void take_ends();

  std::vector<std::unique_ptr<PostgresRows>> rows_;
  // The tables may have changed since they were asked for, by somebody's hand or with the server.
  bool forget_shapes_ = false;
  bool writing_rows_ = false;
  std::string durability_;
  std::string session_;          // 16 random bytes
  std::int64_t mark_ = 0;        // of the transaction that is open, or was last
  std::int64_t turn_ = 0;        // the number of the turn that is taken
  std::int64_t last_turn_ = -1;  // of this connection's last commit; -1: unknown
  std::string news_;             // of the transaction that is open
  // Of a transaction whose COMMIT was sent, and of the next one's begin.
  struct Sent {
    bool ended = false, unknown = true;  // of the COMMIT
    base::Status commit = base::Error{base::Errc::refused, "out of memory"};
    bool begun = false;  // the end of the begin is known, too
    bool alone = false;
  };
  std::optional<Sent> sent_;
  base::TimePoint asked_{};  // when it was last asked whether this is the only node
  bool only_node_ = false;
};

}  // namespace trialward::store
