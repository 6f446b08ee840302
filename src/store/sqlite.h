// Connection over SQLite 3 in WAL mode.
//
// Debian 12's SQLite 3.40.1 can corrupt a WAL database when one connection checkpoints while
// another commits. So no connection checkpoints by itself (wal_autocheckpoint = 0, none on close);
// the one writer does it between its own transactions, by checkpoint().
#pragma once

#include <memory>
#include <string>

#include "store/write_connection.h"

namespace trialward::store {

enum class SqliteMode {
  writer,  // creates the file when it is not there; synchronous=FULL is checked; what is in the
           // WAL is made durable first
  reader,  // read-only; sees the last commit, blocks nobody
  scratch,  // in memory, whatever the path; gone with the connection
};

class SqliteConnection : public WriteConnection {
 public:
  // Errors: not_found (a reader of a file that is not there), unavailable, corrupt (not a
  // database, or synchronous=FULL or WAL could not be had).
  // SQLite writes PATH-shm even to read. Where it may not (a read-only folder), a store without a
  // WAL is read as a file that nobody changes meanwhile; one with a WAL needs its PATH-shm there.
  static base::Result<std::unique_ptr<SqliteConnection>> open(const std::string& path,
                                                              SqliteMode mode);
  const char* begin_sql() const override { return "BEGIN IMMEDIATE"; }
};

}  // namespace trialward::store
