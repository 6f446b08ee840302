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

// Rows of one shape that wait to be written. When there are many they are sent, and the server
// works while more are gathered. Rows that take no other's place go by COPY then, which costs the
// server half as much as an INSERT; a few go by an INSERT with the next statements, which saves a
// way to the server and back.
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
  // Sends what there is if a statement of its own is worth it.
  base::Status send_many();
  // Waits for what was sent. Before any other statement.
  base::Status settle();
  // The statement that writes what there is, for run_together(); null if there is nothing. It
  // refers to what is kept here until the next one.
  base::Result<PostgresStatement*> encode();
  // What send_many() would send, for who does so himself.
  struct Copy {
    const std::string* sql = nullptr;
    std::string data;
  };
  std::optional<Copy> take_many();
  void clear();
  void drop();

 private:
  PostgresRows(PostgresConnection& connection, const RowShape& shape, std::uint64_t table)
      : connection_(connection), shape_(shape), table_(table) {}
  bool appends() const { return shape_.keys == 0; }
  // Whether a row with these keys waits already.
  bool waits(const std::string& key) const;
  base::Status send();
  bool many() const { return appends() && rows_ >= kCopiedRows; }

  // A COPY of fewer takes longer than they do with an INSERT: it cannot be prepared.
  static constexpr std::size_t kCopiedRows = 96;

  PostgresConnection& connection_;
  const RowShape& shape_;
  const std::uint64_t table_;
  std::string insert_sql_, copy_sql_;
  std::vector<postgres::Oid> types_;  // of the columns
  std::string bytes_;                 // the rows, as COPY takes them
  std::vector<postgres::Array> columns_;  // of the INSERT that is to be sent
  std::vector<std::string> keys_;  // of the rows, where they have to differ
  bool ascending_ = true;          // so are the keys
  std::size_t rows_ = 0;
  PostgresStatement* sent_ = nullptr;  // whose end is not known yet
  bool copy_sent_ = false;             // nor of this one
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
  base::Status bring_up_to_date(std::string_view store_id);
  base::Result<bool> lock(const char* function);
  base::Status join();
  base::Status check_version();
  base::Error others_there();
  base::Status check_durability();
  // Makes ready what is sent with a COMMIT, and the COMMIT. All rows were written or sent but those
  // that are few.
  base::Result<std::vector<PostgresStatement*>> prepare_commit();
  base::Result<std::vector<PostgresStatement*>> prepare_begin();
  // Of the transaction whose begin has given this row.
  base::Result<bool> take_turn(const ResultPointer& row);
  // Goes on with what is under way: to the COMMIT's end, or as far as it gets without waiting.
  enum class Waits { no, yes };
  void proceed(Waits waits);
  base::Status proceed_with_copies(Waits waits, bool& done);
  // To the end of both.
  void take_ends();

  std::vector<std::unique_ptr<PostgresRows>> rows_;
  bool writing_rows_ = false;
  std::string durability_;
  std::string session_;          // 16 random bytes
  std::int64_t mark_ = 0;        // of the transaction that is open, or was last
  std::int64_t turn_ = 0;        // the number of the turn that is taken
  std::int64_t last_turn_ = -1;  // of this connection's last commit; -1: unknown
  std::string news_;             // of the transaction that is open
  // Of a transaction whose COMMIT was sent, or is to be once its rows are, and of the next one's
  // begin.
  struct Sent {
    enum class Step { settles, begins_copy, fills_copy, ends_copy, sends_groups, ends };
    Step step = Step::settles;
    std::deque<PostgresRows::Copy> copies;  // of which the first is under way
    std::vector<PostgresStatement*> commit_group, begin_group;
    bool ended = false, unknown = false;  // of the COMMIT
    base::Status commit = base::Error{base::Errc::refused, "out of memory"};
    bool begun = false;  // the end of the begin is known, too
    bool alone = false;
  };
  std::optional<Sent> sent_;
  base::TimePoint asked_{};  // when it was last asked whether this is the only node
  bool only_node_ = false;
};

}  // namespace trialward::store
