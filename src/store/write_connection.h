// What a Writer needs of its connection beside SQL: how transactions begin and end on it, and what
// became of one whose end is not known. Of one thread, but for abandon().
#pragma once

#include "store/connection.h"

namespace trialward::store {

struct WalState {
  std::int64_t frames = 0;        // frames in the WAL
  std::int64_t checkpointed = 0;  // of these, already in the database file
};

// What a transaction may change that other nodes hold in memory, or have to do something about.
enum class News : char { alerts = 'a', tokens = 't', deliveries = 'd' };

class WriteConnection : public Connection {
 public:
  virtual const char* begin_sql() const = 0;
  virtual bool in_transaction() const = 0;

  // COMMIT. `unknown` is set when it failed and may have been done all the same.
  virtual base::Status commit(bool& unknown);

  // SQLite: writes the WAL's pages into the database file; never waits for a reader. `restart`:
  // also tries to let the next commit begin at the WAL's start. Between transactions.
  virtual base::Result<WalState> checkpoint(bool restart) = 0;
  // Frames in the WAL as of this connection's last commit.
  virtual std::int64_t wal_frames() const = 0;
  // Whether a statement of this connection ever met an error of the disk, reading or writing.
  virtual bool disk_failed() const = 0;

  // PostgreSQL: whether the server is out of reach, or was when it was last asked. The transaction
  // that was open is gone, unless its commit() is unknown.
  virtual bool lost() const { return false; }
  // Connects again; one attempt, of bounded time. Errors: unavailable.
  virtual base::Status recover() { return {}; }
  // Begins a transaction, once every other node's has ended. Whether nobody has written since this
  // connection's last one, so that what is remembered of the store still holds. After an error the
  // transaction may have begun.
  virtual base::Result<bool> begin_turn() { return true; }
  // COMMIT, and the begin of the next transaction behind it, without waiting for either: what comes
  // next is made meanwhile. Where nobody else wants to write, as otherwise he would have to wait.
  // After send_commit() await_commit() and, if that was a good end, await_begin() follow; a
  // statement that is run before them waits for both ends, and fails if they are not good ones.
  virtual base::Result<bool> may_send_commit() { return false; }
  virtual base::Status send_commit(bool& unknown) { return commit(unknown); }
  // Whether await_commit() would not wait, as far as is known.
  virtual bool commit_has_ended() { return true; }
  // As commit().
  virtual base::Status await_commit(bool& /*unknown*/) { return {}; }
  // Whether the next transaction is open, and nobody else has written.
  virtual bool await_begin() { return false; }
  // What other nodes are to look at, once it is committed (node.h).
  virtual void tell(News /*news*/) {}
  // After recover(): whether the transaction is there whose commit() was unknown.
  virtual base::Result<bool> was_committed() { return false; }
  // Waits a little before recover() is tried again; not once abandon() was called.
  virtual void pause() {}
  // Nobody waits any more for what this connection does: it gives up. Any thread.
  virtual void abandon() {}
  virtual bool abandoned() const { return false; }
};

}  // namespace trialward::store
