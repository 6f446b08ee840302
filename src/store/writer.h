// What writes a store: transactions in which rows are appended together with their audit entries.
// It keeps in memory what the next row needs (ids, chain heads, event numbers); a rollback takes
// that back as well. Where several nodes share a store (PostgreSQL) one of them writes at a time,
// and who begins a transaction after another node's reads that anew, and is told what has come.
//
// One thread at a time. After an error of the disk nobody knows what is durable: the Writer is then
// failed() for good, refuses every transaction with unavailable, and a restart finds out (P9). A
// PostgreSQL server that is lost is connected to anew: begin() tries it once, and a commit() whose
// end is unknown until it is known, or abandon() was called, however long that takes. When
// memory runs out, the call fails with refused, or throws std::bad_alloc (commit() and rollback()
// never do): the transaction must be rolled back, and may be tried again. Only a COMMIT that it
// stops is as unknown as one that the disk stops.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/chain.h"
#include "store/schema.h"
#include "store/write_connection.h"

namespace trialward::store {

// Who does what, when and why, for the audit entry of an appended row.
struct Act {
  std::string_view actor, action;
  std::string_view reason;
  std::int64_t at_ms = 0;
};

class Writer {
 public:
  // Reads counters and chain heads. The schema must be there.
  static base::Result<std::unique_ptr<Writer>> open(std::unique_ptr<WriteConnection> connection);

  base::Status begin();
  // After an error nothing of the transaction is kept, unless failed().
  base::Status commit();
  // The same in two steps, where may_send_commit(): between them the next transaction is open, as
  // if this one were committed. What is asked in it waits for this one's end, and fails with retry
  // if that is not a good one. send_commit(): whether await_commit() is to follow; false: it is
  // committed, and no other is open. Errors: as commit().
  base::Result<bool> may_send_commit() const { return connection_->may_send_commit(); }
  base::Result<bool> send_commit();
  bool commit_has_ended() const { return connection_->commit_has_ended(); }
  // The first one's end. After an error the next one is rolled back as well; else await_begin()
  // tells whether that goes on; if not, it is rolled back.
  base::Status await_commit();
  bool await_begin();
  // Afterwards failed(), if the transaction met an error of the disk, in what it read as well.
  void rollback();
  // One level inside a transaction, so that a submission of several commands is atomic.
  base::Status begin_part();
  base::Status end_part();
  // After an error the whole transaction must be rolled back.
  base::Status rollback_part();

  // The id that the next row of a table must have.
  std::int64_t next_id(Table table) const { return now_.next_ids[index(table)]; }
  // The position that the next entry of a shard gets.
  std::int64_t next_position(int shard) const {
    return now_.heads[static_cast<std::size_t>(shard)].position + 1;
  }
  // Appends a row and its audit entry; row[0] must be next_id(table).
  base::Status append(Table table, int shard, const Act& act, std::span<const SqlValue> row);
  // The number of the study's next alert event; taken with this call.
  base::Result<std::int64_t> take_event_number(std::int64_t study);

  // The moment, in milliseconds of the clock that does not jump, from which an alert waits that is
  // raised now (AlertState rows). Whoever commits sets it with each transaction.
  void set_steady_ms(std::int64_t now_ms) { steady_ms_ = now_ms; }
  std::int64_t steady_ms() const { return steady_ms_; }

  // When to move the WAL into the database file: once it holds so many frames that are not there.
  enum class Checkpoint {
    soon,    // kCheckpointFrames
    late,    // kLateFrames: the last one was just now
    always,  // whatever it holds
  };
  // Between transactions only. Whether it was done, as far as readers let it.
  base::Result<bool> checkpoint(Checkpoint when);
  // How much of the WAL is in use; 0 where there is none. Beyond kRestartFrames somebody holds the
  // store open for reading: the WAL starts over when he has ended.
  std::int64_t wal_bytes() const;

  Connection& connection() { return *connection_; }
  bool failed() const { return failed_.load(); }  // any thread
  // The database server is out of reach, as far as is known. Any thread.
  bool unreached() const { return unreached_.load(); }
  // Whether it is the store that cannot take anything now, and not what it was given: after an
  // error of a call.
  bool is_of_store(const base::Error& error) const;
  // What other nodes have stored since this was asked for last, in a transaction: the rows of these
  // tables after those that were there then. From the first row on: everything may have changed.
  struct Foreign {
    std::int64_t after_record = 0, after_pass = 0;
  };
  std::optional<Foreign> take_foreign() { return std::exchange(foreign_, std::nullopt); }
  // Nobody waits for what it does any more: it gives up what may take for ever. Any thread.
  void abandon() { connection_->abandon(); }
  bool in_transaction() const { return in_transaction_; }
  std::int64_t last_seq() const { return now_.seq; }

  static constexpr std::int64_t kCheckpointFrames = 500;  // 2 MB of pages
  static constexpr std::int64_t kLateFrames = 16000;
  static constexpr std::int64_t kRestartFrames = 64000;  // then the WAL file should start over

 private:
  struct Counters {
    std::array<std::int64_t, kTables> next_ids{};
    std::int64_t seq = 0;
    ChainHeads heads{};
    std::array<bool, 256> touched{};                    // heads to write with the commit
    struct EventNumber {
      std::int64_t last = 0;
      bool touched = false;  // to write with the commit
    };
    std::map<std::int64_t, EventNumber> event_numbers;  // by study, as far as read
  };

  explicit Writer(std::unique_ptr<WriteConnection> connection)
      : connection_(std::move(connection)) {}
  static std::size_t index(Table table) { return static_cast<std::size_t>(table); }
  base::Status load();
  base::Status load_heads();
  // So that no transaction has to, when memory is short.
  base::Status prepare_ends();
  base::Status write_heads();
  base::Status write_shards();
  base::Status write_chain_ends();
  base::Status write_alert_heads();
  base::Status begin_on_server();
  // Waits until no other node writes, and reads what they have changed.
  base::Status take_turn();
  base::Status recover();
  // What became of the commit, once the server can be asked.
  base::Status find_out();
  base::Status after_failed_commit(base::Status failure, bool unknown);

  // Passes an error on, and notes when it is one of the disk, or the server is lost.
  base::Status note(base::Status status);
  void fail(std::string_view reason);  // for good

  std::unique_ptr<WriteConnection> connection_;
  Counters now_;
  Counters before_;       // as of begin()
  Counters before_sent_;  // of the transaction whose end is awaited
  Counters before_part_;  // as of begin_part()
  bool in_transaction_ = false;
  bool stale_ = false;  // the session is of no use: recover() has to succeed first
  bool unknown_ = true;  // now_ may not be what the server holds
  std::optional<Foreign> foreign_;
  std::int64_t steady_ms_ = 0;
  std::int64_t checkpointed_frames_ = 0;
  std::atomic<bool> failed_ = false, unreached_ = false;
};

}  // namespace trialward::store
